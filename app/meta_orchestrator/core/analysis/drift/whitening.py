"""Autocorrelation from value to value, learnt on the way and taken out, for many streams at once."""

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.drift.evidence import Which

_PHI_MAX = 0.95
_PRIOR = 20
"""The first guess of φ counts as much as this many differences."""

_MEMORY = 2000
"""Moments are forgotten at the rate of one difference in so many: φ is a habit of the stream, and an error of it costs
both false alarms (autocorrelation .8: 1.3 in 10,000 values; 2.0 at a memory of 500) and time."""


class Whitening:
    """AR(1) of normal scores: φ = 1 + 2 ρ₁(Δz), since differences do not see a shift of the level.

    So a drift does not pass for autocorrelation, and φ need not be learnt anew after it.
    """

    def __init__(self, streams: int, phi: float) -> None:
        self.first_guess = phi
        self.score = np.full(streams, np.nan)
        self.difference = np.zeros(streams)
        self.squares, self.products, self.count = np.zeros((3, streams))

    def clear(self, which: Which) -> None:
        """The next score has none before it; φ stays."""
        self.score[which] = np.nan
        self.difference[which] = 0

    def innovations(
        self, which: Which, scores: NDArray[np.float64], ends: NDArray[np.float64], learn: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """w = (z - φ z') / √(1 - φ²) of the two ends that each score is between, shape (2, streams).

        Learns from the scores afterwards, where `learn` says so.
        """
        before, self.score[which] = self.score[which], scores
        known = ~np.isnan(before)
        phi = np.where(known, self.phi(which), 0)
        step = np.where(known, scores - before, 0)
        self._learn(which[known & learn], step[known & learn])
        innovations: NDArray[np.float64] = (ends - phi * np.where(known, before, 0)) / np.sqrt(1 - phi * phi)
        return innovations

    def phi(self, which: Which) -> NDArray[np.float64]:
        """Shrunk to the first guess while there is little to learn it from."""
        count = self.count[which]
        estimate = 1 + 2 * self.products[which] / (self.squares[which] + 1e-12)
        phi = (estimate * count + self.first_guess * _PRIOR) / (count + _PRIOR)
        within = np.minimum(np.maximum(phi, 0), _PHI_MAX)
        learnt: NDArray[np.float64] = np.where(count < _PRIOR, self.first_guess, within)
        return learnt

    def _learn(self, which: Which, step: NDArray[np.float64]) -> None:
        self.squares[which] += step * step
        self.products[which] += step * self.difference[which]
        self.difference[which] = step
        self.count[which] += 1
        full = which[self.count[which] > _MEMORY]
        self.squares[full] *= 1 - 1 / _MEMORY
        self.products[full] *= 1 - 1 / _MEMORY
        self.count[full] = _MEMORY

    @property
    def state(self) -> NDArray[np.float64]:
        """All of it, shape (5, streams)."""
        return np.stack([self.score, self.difference, self.squares, self.products, self.count])

    @state.setter
    def state(self, state: NDArray[np.float64]) -> None:
        self.score, self.difference, self.squares, self.products, self.count = state.copy()
