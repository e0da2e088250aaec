"""From sums of ticks to disjoint batches of about as many events each, so that one is worth as much as another."""

from dataclasses import dataclass
from typing import Any

_MEMORY = 32
"""Batches that the pace of a metric by time is known from."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Sums over (`start_us`, the tick that closed it]."""

    start_us: int
    numerator: float
    denominator: float

    @property
    def value(self) -> float:
        """Six digits: more is noise, and would only be stored."""
        return float(f"{self.numerator / self.denominator:.6g}")


class CountedBatches:
    """For a mean or a rate: a batch is closed when it holds `size` events, however long that takes."""

    def __init__(self, size: float) -> None:
        self.size = size
        self.clear()

    def clear(self) -> None:
        """Throw the open batch away."""
        self._start_us: int | None = None
        self._numerator = self._denominator = self._events = 0.0

    def add(self, start_us: int, numerator: float, denominator: float, events: float) -> Batch | None:
        """Add the sums of a slice that begins after `start_us`; the batch that it closes, if any."""
        if self._start_us is None:
            self._start_us = start_us
        self._numerator += numerator
        self._denominator += denominator
        self._events += events
        return self._close(self._start_us) if self._full() else None

    def _full(self) -> bool:
        return self._events >= self.size

    def _close(self, start_us: int) -> Batch | None:
        batch = Batch(start_us, self._numerator, self._denominator)
        self.clear()
        return batch

    def dump(self) -> dict[str, Any]:
        return {"start_us": self._start_us, "sums": [self._numerator, self._denominator, self._events]}

    def load(self, dumped: dict[str, Any]) -> None:
        self._start_us = dumped["start_us"]
        self._numerator, self._denominator, self._events = dumped["sums"]


class TimedBatches(CountedBatches):
    """For a count by time (the denominator, in seconds): a batch lasts as long as `size` / 4 events took before.

    So it ends where nothing happens, too; a count tells as much by fewer events than a rate does. Its length is fixed
    before it begins (what is in it must not decide when it ends), and moves only when it is off by more than a factor
    of two. The first batch ends by count; it is learnt from, not handed on.
    """

    def __init__(self, size: float) -> None:
        self._length_s = self._past_events = self._past_s = 0.0
        super().__init__(size / 4)

    def _full(self) -> bool:
        return self._denominator >= self._length_s if self._length_s else super()._full()

    def _close(self, start_us: int) -> Batch | None:
        first = not self._length_s
        self._learn()
        batch = super()._close(start_us)
        return None if first else batch

    def _learn(self) -> None:
        """The pace of events, forgotten at the rate of one batch in `_MEMORY`, and the length that follows from it."""
        fade = 1 - 1 / _MEMORY
        self._past_events = self._past_events * fade + self._events
        self._past_s = self._past_s * fade + self._denominator
        wanted = self.size * self._past_s / self._past_events
        if not 0.5 <= self._length_s / wanted <= 2:
            self._length_s = wanted

    def dump(self) -> dict[str, Any]:
        return super().dump() | {"pace": [self._length_s, self._past_events, self._past_s]}

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        self._length_s, self._past_events, self._past_s = dumped["pace"]
