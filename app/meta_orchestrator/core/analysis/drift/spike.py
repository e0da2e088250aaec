"""One value beyond all that came before: a flag of its own, since a drift stays and a spike goes."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from meta_orchestrator.core.analysis.drift.packing import packed_floats, unpacked_floats

_TAIL = 0.05
"""Share of the past deviations that the tail is fitted to."""

_NINES = 6.0
"""The score is 1 at a probability of ten to the minus this."""


def tail_probability(past: NDArray[np.float64], x: float) -> float:
    """P(a value is as far from the median as x), by a Pareto tail through the farthest of the past deviations.

    The tail's index is Hill's estimate (1975), so a series that is given to extremes needs a greater one to surprise.
    """
    median = np.median(past)
    deviations = np.sort(np.abs(past - median))
    count = max(int(_TAIL * len(past)), 5)
    floor = max(float(deviations[-count - 1]), 1e-12 + 1e-6 * abs(float(median)))
    distance = abs(x - float(median))
    if distance <= floor:
        return float((len(past) + 1 - np.searchsorted(deviations, distance)) / (len(past) + 1))
    index = count / (float(np.log(np.maximum(deviations[-count:] / floor, 1)).sum()) + 1)
    return float((count + 1) / (len(past) + 1) * (distance / floor) ** -index)


def score_of(probability: float) -> float:
    """0 where nothing is unusual, 1 where it is one in a million."""
    return min(max(-math.log10(max(probability, 1e-300)) / _NINES, 0.0), 1.0)


def spike_score(before: NDArray[np.float64], after: NDArray[np.float64]) -> float | None:
    """How unusual the most unusual of some values is, 0..1; None where too little is known to say."""
    if len(before) < 20 or not len(after):
        return None
    farthest = after[np.abs(after - np.median(before)).argmax()]
    return score_of(len(after) * tail_probability(before, float(farthest)))


class Spike(base.DriftDetector):  # type: ignore[misc]
    """Flags a value that is improbable by the tail of the last `window` values; `score` (0..1) says how much so.

    After a flag it rests: what follows within `rest` values belongs to the same spike and scores 0.

    Parameters
    ----------
    probability
        A value is flagged that is less probable than this: about one in five hundred of ordinary ones is, too, so a
        spike is a hint, and no alarm.
    window
        Number of past values that the tail is known from.
    warm_up
        Number of values that are only learnt from.
    rest
        Number of values after a flag that are not flagged.

    Examples
    --------
    >>> import random
    >>> from meta_orchestrator.core.analysis.drift import Spike

    >>> rng = random.Random(12345)
    >>> spike = Spike(probability=1e-4)
    >>> for i in range(1000):
    ...     spike.update(rng.gauss(0, 1) + 15 * (i == 700))
    ...     if spike.drift_detected:
    ...         print(f"Spike at {i}, score {spike.score:.1f}")
    Spike at 700, score 1.0

    """

    _drift_detected: bool

    def __init__(self, probability: float = 0.002, window: int = 1000, warm_up: int = 100, rest: int = 100) -> None:
        super().__init__()
        self.probability = probability
        self.window = window
        self.warm_up = warm_up
        self.rest = rest
        self.score = 0.0
        self._values = np.zeros(window)
        self._updates = 0
        self._rests_until = 0

    def update(self, x: int | float) -> None:
        past = self._values[: min(self._updates, self.window)]
        rests = self._updates < max(self.warm_up, self._rests_until)
        probability = 1.0 if rests else tail_probability(past, x)
        self.score = score_of(probability)
        self._drift_detected = probability <= self.probability
        if self._drift_detected:
            self._rests_until = self._updates + self.rest + 1
        self._values[self._updates % self.window] = x
        self._updates += 1

    def dump(self) -> dict[str, Any]:
        """All state as JSON values; the parameters are the business of whoever loads it."""
        return {
            "updates": self._updates,
            "rests_until": self._rests_until,
            "score": self.score,
            "values": packed_floats(self._values[: min(self._updates, self.window)]),
            "drift_detected": self._drift_detected,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        """Go on exactly where `dump` was taken from a detector with the same parameters."""
        values = unpacked_floats(dumped["values"])
        self._values[: len(values)] = values
        self._updates, self._rests_until = dumped["updates"], dumped["rests_until"]
        self.score, self._drift_detected = dumped["score"], dumped["drift_detected"]
