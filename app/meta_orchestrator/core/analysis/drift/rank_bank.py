"""The rank e-SR detector for many streams at once: the same law as for one, at the price of a few."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from meta_orchestrator.core.analysis.drift.bets import LEVELS, level_gains, middle, spread_gains, weights
from meta_orchestrator.core.analysis.drift.evidence import Evidence, Which
from meta_orchestrator.core.analysis.drift.whitening import Whitening

_RANKS_BEFORE_PHI = 10
"""Scores of the first few ranks are too coarse to learn an autocorrelation from."""


class RankBank:
    """Streams of values → normal scores of sequential ranks → innovations → evidence."""

    def __init__(self, streams: int, window: int, warm_up: int, phi: float, spread: bool = False) -> None:
        self.window, self.warm_up, self.spread = window, warm_up, spread
        self.updates, self.start = np.zeros((2, streams), np.int64)
        """Values seen so far, and the number of the first one since the last restart."""
        self.values = np.full((streams, window), np.nan)
        self.whitening = Whitening(streams, phi)
        self.evidence = Evidence(streams, weights(spread))

    def update(self, which: Which, x: NDArray[np.float64]) -> None:
        """One value each for some streams, which are named once."""
        numbers = self.updates[which]
        since = numbers - self.start[which]
        known = np.minimum(since, self.window)
        starts, ends = self._starts(which, since, known), self._ends(which, x, known)
        innovations = self.whitening.innovations(which, middle(*ends), ends, known >= _RANKS_BEFORE_PHI)
        self.values[which, since % self.window] = x
        ready = known >= self.warm_up
        self.evidence.add(which[ready], self._gains(innovations[:, ready]), numbers[ready], starts[ready])
        self.updates[which] += 1

    def restart(self, which: Which) -> None:
        """What comes next is the new normal; the autocorrelation stays."""
        self.start[which] = self.updates[which]
        self.values[which] = np.nan
        self.forget_evidence(which)

    def forget_evidence(self, which: Which) -> None:
        """Bets begin anew; what is known stays."""
        self.whitening.clear(which)
        self.evidence.clear(which, self.updates[which])

    @property
    def e_values(self) -> NDArray[np.float64]:
        """The evidence of each stream, shape (streams,).

        Less where the autocorrelation is great: an error of φ leaves one of about error / (1 - φ²) between innovations.
        """
        phi = self.whitening.phi(np.arange(len(self.updates)))
        return self.evidence.means * (1 - phi * phi)

    def _ends(self, which: Which, x: NDArray[np.float64], known: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sequential ranks as normal quantiles, whatever the distribution: between which two each value is, (2, n)."""
        values = self.values[which]
        less, equal = (values < x[:, None]).sum(axis=1), (values == x[:, None]).sum(axis=1)
        ends: NDArray[np.float64] = ndtri(np.array([less, less + equal + 1]) / (known + 1))
        return ends

    def _starts(self, which: Which, since: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.float64]:
        """How much could be seen of a change that begins now: little where nearly all past values are the same.

        Told by how many of them are equal to the last one. Without it, evidence would grow by 1 at each of many equal
        values: a stream of zeros would alarm after `run_length` of them.
        """
        last = self.values[which, (since - 1) % self.window]
        alike = (self.values[which] == last[:, None]).sum(axis=1) / np.maximum(known, 1)
        starts: NDArray[np.float64] = np.minimum(2 * (1 - alike), 1)
        return starts

    def _gains(self, innovations: NDArray[np.float64]) -> NDArray[np.float64]:
        gains = level_gains(innovations, LEVELS)
        return np.hstack([gains, spread_gains(innovations)]) if self.spread else gains
