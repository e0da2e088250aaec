"""In which length of window the rates have values (CONTRACT §4.4: a rate of a few events is null, whatever it is).

The window of the loop is fixed; a sparse log leaves its rates null. Here each rate is counted in buckets of that
window's length, which are then put together into longer and longer windows side by side.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.policy import Policy

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
LADDER_S = (
    *(n * _MINUTE for n in (5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 4, 8, 12)),
    *(n * _DAY for n in (1, 2, 3, 7, 14, 28, 91, 182, 365)),
)
"""Lengths that people think in."""
ENOUGH = 0.5
"""A rate "has values" in a length of window if it has one in this share of the windows with anything to count."""
NEEDED = {"quality_regression_rate": "agent.quality.checked", "rework_percentage": "agent.rework.requested"}
"""Rates whose denominator alone is no reason to name them."""


@dataclass(frozen=True)
class RateView:
    """One rate over a log."""

    metric: str
    whole: float | None
    """Over the whole log; a quantile has none here."""
    count: int
    """Its denominator over the whole log."""
    least: int
    """Its denominator must reach this for a value."""
    share_at_window: float
    """Share of the loop's own windows (those with anything to count) in which it has a value."""
    length_us: int | None
    """The shortest window in which it has values; None if there is none."""
    worst: float | None
    """The worst value in such windows side by side, and when that began."""
    worst_us: int | None


class Windows:
    """Numerators and denominators of each rate, in buckets of one window."""

    def __init__(self, policy: Policy) -> None:
        self.window_us, self.history_us = policy.time.window_us, policy.time.history_us
        self.least = {"consensus_latency_p95_ms": policy.samples.p95}
        self.default_least = policy.samples.rate
        self.least_tested = policy.analysis.min_events
        self.kinds: set[str] = set()
        self.parts: dict[str, Counter[int]] = {}
        self.wholes: dict[str, Counter[int]] = {}

    def observe(self, event: Event) -> None:
        """One line."""
        place = event[0] // self.window_us
        self.kinds.add(event[3])
        for metric, part, whole in _counted(event[3], event[4]):
            self.parts.setdefault(metric, Counter())[place] += part
            self.wholes.setdefault(metric, Counter())[place] += whole

    def rates(self) -> list[RateView]:
        """Every rate for which there was anything to count. Where nobody ever checks or asks for rework, that
        there was none says nothing."""
        counted = (metric for metric in sorted(self.wholes) if self.wholes[metric].total())
        return [self._rate(metric) for metric in counted if NEEDED.get(metric, "") in {"", *self.kinds}]

    def testable_in_us(self) -> int | None:
        """The shortest look-back, from the policy's on, that mostly has enough for the tests; None if none has."""
        found = (n * self.window_us for n in self._lengths() if n * self.window_us >= self.history_us)
        return next((length_us for length_us in found if (self.testable(length_us) or 0) >= ENOUGH), None)

    def testable(self, lookback_us: int) -> float | None:
        """Share of stretches as long as a look-back that hold enough handoffs or votes for the tests of the analysis,
        the better of the two; None where there are neither."""
        length = max(1, lookback_us // self.window_us)
        counted = [
            self.wholes[metric]
            for metric in ("handoff_failure_rate", "consensus_success_rate")
            if metric in self.wholes
        ]
        return max((_share(self._grouped(wholes, length), self.least_tested) for wholes in counted), default=None)

    def _rate(self, metric: str) -> RateView:
        least, valued = self.least.get(metric, self.default_least), metric != "consensus_latency_p95_ms"
        count = self.wholes[metric].total()
        whole = self.parts[metric].total() / count if valued else None
        length = next(
            (n for n in self._lengths() if _share(self._grouped(self.wholes[metric], n), least) >= ENOUGH), None
        )
        worst, worst_us = self._worst(metric, length, least) if length and valued else (None, None)
        at_window = _share(self.wholes[metric], least)
        length_us = length * self.window_us if length else None
        return RateView(metric, whole, count, least, at_window, length_us, worst, worst_us)

    def _length(self, metric: str, least: int) -> int | None:
        """The shortest length of window, in buckets, in which enough windows have enough to count."""
        wholes = self.wholes[metric]
        return next((n for n in self._lengths() if _share(self._grouped(wholes, n), least) >= ENOUGH), None)

    def _lengths(self) -> Iterator[int]:
        """Lengths of windows to try, in buckets."""
        yield 1
        yield from (n for s in LADDER_S if (n := -(-s * SECOND // self.window_us)) > 1)

    def _worst(self, metric: str, length: int, least: int) -> tuple[float | None, int | None]:
        """(greatest value, when its window began); for a success rate the least value."""
        sign = -1 if metric == "consensus_success_rate" else 1
        parts, wholes = self._grouped(self.parts[metric], length), self._grouped(self.wholes[metric], length)
        found = [(parts[place] / whole, place) for place, whole in sorted(wholes.items()) if whole >= least]
        value, place = max(found, key=lambda pair: sign * pair[0])
        return value, place * length * self.window_us

    @staticmethod
    def _grouped(buckets: Counter[int], length: int) -> Counter[int]:
        grouped: Counter[int] = Counter()
        for place, number in buckets.items():
            grouped[place // length] += number
        return grouped


def _share(wholes: Counter[int], least: int) -> float:
    """Of windows with anything to count, those with enough."""
    filled = [number for number in wholes.values() if number]
    return sum(number >= least for number in filled) / len(filled) if filled else 0.0


def _counted(kind: str, data: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """(metric, part, whole) that an event adds. Each event counts; the loop knows tasks and handoffs."""
    if kind in ("agent.handoff.completed", "agent.handoff.failed"):
        yield "handoff_failure_rate", kind == "agent.handoff.failed", 1
    elif kind == "agent.task.finished" and data.get("points") != 0:
        yield "rework_percentage", 0, 1
        yield "quality_regression_rate", 0, 1
    elif kind == "agent.rework.requested":
        yield "rework_percentage", data["attempt"] == 1, 0
    elif kind == "agent.quality.checked":
        yield "quality_regression_rate", data["regression"], 0
    elif kind == "consensus.round.closed":
        yield "consensus_success_rate", data["outcome"] in ("accepted", "rejected"), 1
        yield "consensus_latency_p95_ms", 0, 1
