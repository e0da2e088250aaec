"""The main drift detector: it keeps its promise on false alarms whatever the shape and scale of what it watches."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from river import base

from meta_orchestrator.core.analysis.drift.uniform import uniform

BETS = np.array([0.25, -0.25, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0])
"""Shifts that are bet on, in standard deviations of the normal score."""

_CAP = 1e200
_PHI_MAX = 0.95
_PHI_PRIOR = 20
"""The first guess of φ counts as much as this many differences."""
_PHI_MEMORY = 500
_RANKS_BEFORE_PHI = 10


class RankESR(base.DriftDetector):  # type: ignore[misc]
    r"""Rank e-Shiryaev-Roberts detector with AR(1) whitening.

    Each value is replaced by its sequential rank among the last `window` values (ties are broken at random), the rank
    by its normal score $z$, and the score is whitened by an AR(1) model,
    $w_t = (z_t - \varphi z_{t-1}) / \sqrt{1 - \varphi^2}$ with $\varphi = 1 + 2 \rho_1(\Delta z)$: differences do not
    see a level shift, so a drift does not pass for autocorrelation. For each shift $\delta$ bet on, evidence grows as
    $S \leftarrow (1 + S) \exp(\delta w - \delta^2 / 2)$. A drift is detected when the mean of the $S$ reaches
    `run_length`, which bounds the mean time between false alarms from below where the values are exchangeable. After a
    drift the ranks start anew; $\varphi$ is kept.

    The values should be disjoint (a mean of each batch, never of overlapping windows).

    Parameters
    ----------
    run_length
        Least mean number of updates between false alarms.
    window
        Number of past values that a new one is ranked among.
    warm_up
        Number of values that are only learnt from, at the start and after each drift.
    phi
        First guess of the autocorrelation from value to value.
    seed
        Of the random breaking of ties: the n-th update always breaks its ties the same way.

    Examples
    --------
    >>> import random
    >>> from meta_orchestrator.core.analysis.drift import RankESR

    >>> rng = random.Random(12345)
    >>> detector = RankESR()
    >>> for i in range(400):
    ...     detector.update(rng.lognormvariate(0 if i < 300 else 1, 1))
    ...     if detector.drift_detected:
    ...         print(f"Drift detected at {i}, begun about {detector.change}, evidence {detector.direction:+d}")
    Drift detected at 318, begun about 300, evidence +1

    References
    ----------
    [^1]: Shin, J., Ramdas, A., & Rinaldo, A. (2024). E-detectors: a nonparametric framework for sequential change
    detection. The New England Journal of Statistics in Data Science, 2(2), 229-260.
    [^2]: Gordon, L., & Pollak, M. (1994). An efficient sequential nonparametric scheme for detecting a change of
    distribution. The Annals of Statistics, 22(2), 763-804.

    """

    _drift_detected: bool

    def __init__(
        self, run_length: float = 10_000.0, window: int = 500, warm_up: int = 30, phi: float = 0.3, seed: int = 0
    ) -> None:
        super().__init__()
        self.run_length = run_length
        self.window = window
        self.warm_up = warm_up
        self.phi = phi
        self.seed = seed
        self._updates = 0
        self._squares = self._products = self._differences = 0.0
        self._reset()

    def _reset(self) -> None:
        """Forget the ranks and the evidence; the autocorrelation stays."""
        super()._reset()
        self._start = self._updates
        self._values = np.full(self.window, np.nan)
        self._score: float | None = None
        self._difference: float | None = None
        self._evidence = np.zeros(len(BETS))
        self._rise = np.ones(len(BETS))
        self._changes = np.full(len(BETS), self._updates)

    def update(self, x: int | float) -> None:
        if self._drift_detected:
            self._reset()
        known = min(self._updates - self._start, self.window)
        innovation = self._whiten(self._normal_score(x, known), known)
        self._values[(self._updates - self._start) % self.window] = x
        if known >= self.warm_up:
            self._bet(innovation)
            self._drift_detected = self.evidence >= self.run_length
        self._updates += 1

    def restart(self) -> None:
        """Begin as after a drift: what comes next is the new normal."""
        self._reset()

    @property
    def evidence(self) -> float:
        """The e-value: the mean over all bets. Drift is detected when it reaches `run_length`."""
        return float(self._evidence.mean())

    @property
    def direction(self) -> int:
        """+1 where the evidence is for greater values, -1 for smaller ones."""
        return 1 if BETS[self._evidence.argmax()] > 0 else -1

    @property
    def updates(self) -> int:
        """Values seen so far; they are numbered from 0, across drifts."""
        return self._updates

    @property
    def change(self) -> int:
        """The number of the first value after the estimated change: where the CUSUM of the strongest bet last began."""
        return int(self._changes[self._evidence.argmax()])

    @property
    def candidates(self) -> list[int]:
        """All that `change` may become without a further restart of a CUSUM, ascending."""
        return sorted(set(self._changes.tolist()))

    @property
    def autocorrelation(self) -> float:
        """φ, shrunk to its first guess while there is little to learn it from."""
        if self._differences < _PHI_PRIOR:
            return self.phi
        estimate = 1 + 2 * self._products / (self._squares + 1e-12)
        phi = (estimate * self._differences + self.phi * _PHI_PRIOR) / (self._differences + _PHI_PRIOR)
        return min(max(phi, 0.0), _PHI_MAX)

    def _normal_score(self, x: float, known: int) -> float:
        """The sequential rank of x as a standard normal quantile; uniform ranks whatever the distribution."""
        less = int(np.count_nonzero(self._values < x))
        equal = int(np.count_nonzero(self._values == x))
        rank = (less + uniform(self.seed, self._updates) * (equal + 1)) / (known + 1)
        return NormalDist().inv_cdf(min(max(rank, 1e-12), 1 - 1e-12))

    def _whiten(self, score: float, known: int) -> float:
        """The innovation of the AR(1) process of scores; learns φ from it afterwards."""
        before, self._score = self._score, score
        if before is None:
            return score
        phi = self.autocorrelation
        if known >= _RANKS_BEFORE_PHI:
            self._learn(score - before)
        return (score - phi * before) / math.sqrt(1 - phi * phi)

    def _learn(self, difference: float) -> None:
        """Moments of the differences, forgotten at the rate of one in `_PHI_MEMORY`."""
        self._squares += difference * difference
        self._products += difference * (self._difference or 0.0)
        self._difference = difference
        self._differences += 1
        if self._differences > _PHI_MEMORY:
            self._squares *= 1 - 1 / _PHI_MEMORY
            self._products *= 1 - 1 / _PHI_MEMORY
            self._differences = _PHI_MEMORY

    def _bet(self, innovation: float) -> None:
        """Shiryaev-Roberts evidence of each bet, and the CUSUM beside it that dates the change."""
        gain = np.exp(BETS * innovation - BETS * BETS / 2)
        self._evidence = np.minimum((1 + self._evidence) * gain, _CAP)
        self._changes[self._rise <= 1] = self._updates
        self._rise = np.minimum(np.maximum(self._rise, 1) * gain, _CAP)

    def dump(self) -> dict[str, Any]:
        """All state as JSON values; the parameters are the business of whoever loads it."""
        known = min(self._updates - self._start, self.window)
        return {
            "updates": self._updates,
            "start": self._start,
            "values": self._values[:known].tolist(),
            "score": self._score,
            "difference": self._difference,
            "moments": [self._squares, self._products, self._differences],
            "evidence": self._evidence.tolist(),
            "rise": self._rise.tolist(),
            "changes": self._changes.tolist(),
            "drift_detected": self._drift_detected,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        """Go on exactly where `dump` was taken from a detector with the same parameters."""
        self._updates, self._start = dumped["updates"], dumped["start"]
        self._values = np.full(self.window, np.nan)
        self._values[: len(dumped["values"])] = dumped["values"]
        self._score, self._difference = dumped["score"], dumped["difference"]
        self._squares, self._products, self._differences = dumped["moments"]
        self._evidence, self._rise = np.array(dumped["evidence"]), np.array(dumped["rise"])
        self._changes = np.array(dumped["changes"])
        self._drift_detected = dumped["drift_detected"]
