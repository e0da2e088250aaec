"""A Gaussian belief about coefficients that slowly change: the Kalman filter of a dynamic linear model.

Each coefficient wanders around its prior (a stationary AR(1) process; West and Harrison, Bayesian Forecasting and
Dynamic Models, 1997, ch. 5), so what is not observed is forgotten towards the prior and never beyond it: the
covariance stays below the prior's for ever. River's `BayesianLinearRegression(smoothing=...)` was tried first: it
forgets by discounting its precision, and with knobs that do not move an untried point's standard deviation went from
1.9 to 27,131 in 4,000 updates; it also has no joint draws, no evolution of single coefficients and no covariance in
its interface.
"""

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from meta_orchestrator.core.adaptation.features import Priors, Vector


@dataclass(frozen=True)
class Gain:
    """What a change does to the objective (shares of it, about -1..1): mean and standard deviation."""

    mean: float
    sd: float

    @property
    def p_positive(self) -> float:
        """The probability that it is a gain."""
        return (1 + erf(self.mean / (sqrt(2) * self.sd))) / 2 if self.sd > 0 else float(self.mean > 0)


class Belief:
    """Mean, shape (d,), and covariance, shape (d, d), of the coefficients."""

    def __init__(self, priors: Priors) -> None:
        self.priors = priors
        self.mean = priors.mean.copy()
        self.cov = np.diag(priors.spread**2)

    def copy(self) -> "Belief":
        """Another one that believes the same."""
        other = Belief(self.priors)
        other.mean, other.cov = self.mean.copy(), self.cov.copy()
        return other

    def fade(self, keep: Vector) -> None:
        """Time passes: each coefficient keeps the share `keep` (0..1) of what is known of it."""
        drift = (1 - keep**2) * self.priors.spread**2
        self.mean = self.priors.mean + keep * (self.mean - self.priors.mean)
        self.cov = keep[:, None] * self.cov * keep + np.diag(drift)

    def predict(self, phi: Vector) -> Gain:
        """phi · coefficients."""
        return Gain(float(phi @ self.mean), sqrt(max(float(phi @ self.cov @ phi), 0.0)))

    def learn(self, phi: Vector, value: float, variance: float) -> None:
        """Take in one look: phi · coefficients was `value`, give or take its variance."""
        shared = self.cov @ phi
        total = float(phi @ shared) + variance
        self.mean = self.mean + shared * (value - float(phi @ self.mean)) / total
        cov = self.cov - np.outer(shared, shared) / total
        self.cov = (cov + cov.T) / 2

    def jump(self, place: int, move: Vector) -> None:
        """One coefficient moves by move · coefficients: the level, when the configuration changes."""
        by = np.eye(len(self.mean))
        by[place] += move
        self.mean = by @ self.mean
        self.cov = by @ self.cov @ by.T

    def widen(self, place: int, variance: float) -> None:
        """One coefficient may have moved by itself."""
        self.cov[place, place] += variance
        most = self.priors.spread[place] ** 2
        if self.cov[place, place] > most:
            self._shrink(place, sqrt(most / self.cov[place, place]))

    def _shrink(self, place: int, by: float) -> None:
        self.cov[place] *= by
        self.cov[:, place] *= by
