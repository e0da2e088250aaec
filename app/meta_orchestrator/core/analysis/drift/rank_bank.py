"""The rank e-SR detector for many streams at once: the same law as for one, at the price of a few."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from meta_orchestrator.core.analysis.drift.bets import LEVELS, level_gains, spread_gains, weights
from meta_orchestrator.core.analysis.drift.evidence import Evidence, Which
from meta_orchestrator.core.analysis.drift.uniform import uniforms
from meta_orchestrator.core.analysis.drift.whitening import Whitening

_RANKS_BEFORE_PHI = 10
"""Scores of the first few ranks are too coarse to learn an autocorrelation from."""


class RankBank:
    """Streams of values → normal scores of sequential ranks → innovations → evidence."""

    def __init__(self, seeds: Sequence[int], window: int, warm_up: int, phi: float, spread: bool = False) -> None:
        streams = len(seeds)
        self.seeds = np.array(seeds, np.uint64)
        self.window, self.warm_up, self.spread = window, warm_up, spread
        self.updates, self.start = np.zeros((2, streams), np.int64)
        """Values seen so far, and the number of the first one since the last restart."""
        self.values = np.full((streams, window), np.nan)
        self.whitening = Whitening(streams, phi)
        self.evidence = Evidence(streams, weights(spread))

    def update(self, which: Which, x: NDArray[np.float64]) -> None:
        """One value each for some streams, which are named once."""
        numbers = self.updates[which]
        known = np.minimum(numbers - self.start[which], self.window)
        scores = self._scores(which, x, known)
        innovations = self.whitening.innovations(which, scores, known >= _RANKS_BEFORE_PHI)
        self.values[which, (numbers - self.start[which]) % self.window] = x
        ready = known >= self.warm_up
        self.evidence.add(which[ready], self._gains(innovations[ready]), numbers[ready])
        self.updates[which] += 1

    def restart(self, which: Which) -> None:
        """What comes next is the new normal; the autocorrelation stays."""
        self.start[which] = self.updates[which]
        self.values[which] = np.nan
        self.whitening.clear(which)
        self.evidence.clear(which, self.updates[which])

    @property
    def e_values(self) -> NDArray[np.float64]:
        """The evidence of each stream, shape (streams,).

        Less where the autocorrelation is great: an error of φ leaves one of about error / (1 - φ²) between innovations.
        """
        phi = self.whitening.phi(np.arange(len(self.seeds)))
        return self.evidence.means * (1 - phi * phi)

    def _scores(self, which: Which, x: NDArray[np.float64], known: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sequential ranks as normal quantiles: uniform whatever the distribution; ties are broken at random."""
        values = self.values[which]
        less, equal = (values < x[:, None]).sum(axis=1), (values == x[:, None]).sum(axis=1)
        chance = uniforms(self.seeds[which], self.updates[which])
        ranks = (less + chance * (equal + 1)) / (known + 1)
        scores: NDArray[np.float64] = ndtri(np.clip(ranks, 1e-12, 1 - 1e-12))
        return scores

    def _gains(self, innovations: NDArray[np.float64]) -> NDArray[np.float64]:
        gains = level_gains(innovations, LEVELS)
        return np.hstack([gains, spread_gains(innovations)]) if self.spread else gains
