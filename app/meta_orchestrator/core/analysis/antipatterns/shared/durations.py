"""How long does something last by custom, and how long must it last to be a surprise?"""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from meta_orchestrator.messages.fields import SECOND

PER_DOUBLING = 8
"""Bins for each doubling of a duration: 9 % wide, so small beside what a tail is uncertain by."""
TAIL = (0.01, 0.05)
"""The longest share of the durations, from which the tail is extrapolated: between these, so that it holds `PLENTY`."""
PLENTY = 50
LEAST = 100
"""Durations before which nothing is said: five of them in the tail."""
MOST = 20_000
"""Durations after which all counts are halved: custom may change."""
LONGEST_LOG = 700.0
"""Beyond it `exp` is no number any more; and no clock runs for so long."""

_LONGEST = 60 * PER_DOUBLING  # bins; longer than any clock


class Durations:
    """A histogram of durations with logarithmic bins, and a Pareto tail beyond it.

    Within the data a quantile is read off; beyond it the tail falls like x^(-1/xi), with xi by Hill (Annals of
    Statistics, 1975) from the longest of them. Real tails of waiting and working times are lighter, so this errs
    towards patience.
    """

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()
        self.count = 0

    def add(self, duration_us: int) -> None:
        self._bins[_bin(duration_us)] += 1
        self.count += 1
        if self.count > MOST:
            self._bins = Counter({place: n // 2 for place, n in self._bins.items() if n > 1})
            self.count = self._bins.total()

    @property
    def known(self) -> bool:
        """Whether there is enough of a past to tell what is long."""
        return self.count >= LEAST

    def exceeded_by(self, share: float) -> float:
        """The duration, in us, that this share of all are longer than; infinite where the past is too short to tell."""
        if not self.known:
            return math.inf
        tail = min(max(PLENTY / self.count, TAIL[0]), TAIL[1])
        if share >= tail:
            return self._quantile(share)
        start_us = self._quantile(tail)
        return start_us * math.exp(min(math.log(tail / share) * self._hill(start_us), LONGEST_LOG))

    def _quantile(self, share: float) -> float:
        """The upper end of the bin that leaves at most this share beyond it."""
        beyond = 0
        for place in sorted(self._bins, reverse=True):
            beyond += self._bins[place]
            if beyond > share * self.count:
                return _upper_us(place)
        return 0.0

    def _hill(self, start_us: float) -> float:
        """Mean logarithm of what is beyond the start of the tail, over the start; with its standard error on top."""
        first = _bin(round(start_us))
        tail = {place: n for place, n in self._bins.items() if place > first}
        count = max(sum(tail.values()), 1)
        mean = sum(math.log(_upper_us(place) / start_us) * n for place, n in tail.items()) / count
        return max(mean, math.log(2) / PER_DOUBLING) * (1 + 1 / math.sqrt(count))

    def dump(self) -> list[list[int]]:
        return sorted([place, n] for place, n in self._bins.items())

    @classmethod
    def load(cls, dumped: Iterable[Any]) -> "Durations":
        durations = cls()
        durations._bins.update(dict(dumped))
        durations.count = durations._bins.total()
        return durations


def _bin(duration_us: int) -> int:
    """The bin of a duration; the first one holds all up to a second."""
    if duration_us <= SECOND:
        return 0
    return min(_LONGEST, math.ceil(math.log2(duration_us / SECOND) * PER_DOUBLING - 1e-9))


def _upper_us(place: int) -> float:
    return float(SECOND * 2 ** (place / PER_DOUBLING))
