"""How a project went on, for plots: latency of votes, failed handoffs and velocity over time, and what happened when.

Buckets of one window; of more than `MOST` two and two become one, so a log of years takes no more memory than a day.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from meta_orchestrator.drivers.report.spread import Spread
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import HOUR_US, parse_time_us
from meta_orchestrator.messages.outputs import ConfigChange, Drift
from meta_orchestrator.policy import Policy

MOST = 512
POINTS = 60
"""Points of a line: more are noise to the eye."""
MOSTLY, DOUBLED = 0.5, 4
"""A line is drawn in stretches of which this share has a value; they are doubled this often in search of it."""
MARKS = 200
"""Drifts and changes that are drawn at the most."""


@dataclass
class Bucket:
    """Sums of a stretch of time."""

    points: float = 0.0
    handoffs: int = 0
    failed: int = 0
    latencies_ms: list[Spread] = field(default_factory=list)

    def join(self, other: "Bucket") -> None:
        self.points += other.points
        self.handoffs += other.handoffs
        self.failed += other.failed
        self.latencies_ms += other.latencies_ms


Stretches: TypeAlias = tuple[int, dict[int, Bucket]]
Value: TypeAlias = Callable[[Bucket, int], float | None]


class Course:
    """One project's."""

    def __init__(self, policy: Policy) -> None:
        self.samples = policy.samples
        self.bucket_us = policy.time.window_us
        self.buckets: dict[int, Bucket] = {}
        self.drifts: list[tuple[int, str]] = []
        """(since, metric)."""
        self.changes_us: list[int] = []

    def observe(self, event: Event) -> None:
        """One line of the journal."""
        kind, data = event[3], event[4]
        if kind in ("agent.handoff.completed", "agent.handoff.failed"):
            bucket = self._bucket(event[0])
            bucket.handoffs += 1
            bucket.failed += kind == "agent.handoff.failed"
        elif kind == "agent.task.finished" and data["outcome"] == "succeeded":
            self._bucket(event[0]).points += _points(data)
        elif kind == "consensus.round.closed":
            spread = Spread()
            spread.add(data["latency_ms"])
            self._bucket(event[0]).latencies_ms.append(spread)

    def output(self, event: CloudEvent) -> None:
        if isinstance(event.data, Drift) and len(self.drifts) < MARKS:
            self.drifts.append((parse_time_us(event.data.since), event.data.metric))
        elif isinstance(event.data, ConfigChange) and len(self.changes_us) < MARKS:
            self.changes_us.append(event.time_us)

    def lines(self) -> dict[str, list[tuple[int, float]]]:
        """Metric → (middle of a stretch in us, its value), in the shortest stretches in which it mostly has values."""
        if not self.buckets:
            return {}
        fewest = -(-(max(self.buckets) - min(self.buckets) + 1) // POINTS)
        tried = [self._stretches(fewest * 2**doubled) for doubled in range(DOUBLED)]
        lines = {metric: _densest([_line(stretches, value) for stretches in tried]) for metric, value in self._values()}
        return {metric: line for metric, line in lines.items() if len(line) > 1}

    def _values(self) -> Iterator[tuple[str, Value]]:
        """Metrics, and what a stretch says of each: None of too few."""
        yield "consensus_latency_p95_ms", lambda bucket, _: _p95(bucket, self.samples.p95)
        yield "handoff_failure_rate", lambda bucket, _: _rate(bucket, self.samples.rate)
        yield "development_velocity", lambda bucket, length_us: bucket.points * HOUR_US / length_us

    def _stretches(self, many: int) -> Stretches:
        """So many buckets as one: (length in us, by place)."""
        joined: dict[int, Bucket] = {}
        for place, bucket in self.buckets.items():
            joined.setdefault(place // many, Bucket()).join(bucket)
        return self.bucket_us * many, joined

    def _bucket(self, time_us: int) -> Bucket:
        found = self.buckets.get(time_us // self.bucket_us)
        if found is not None:
            return found
        if len(self.buckets) >= MOST:
            self._coarser()
        return self.buckets.setdefault(time_us // self.bucket_us, Bucket())

    def _coarser(self) -> None:
        old, self.buckets = self.buckets, {}
        self.bucket_us *= 2
        for place, bucket in old.items():
            self.buckets.setdefault(place // 2, Bucket()).join(bucket)
        for bucket in self.buckets.values():
            bucket.latencies_ms = [Spread.together(bucket.latencies_ms)]


def _points(data: dict[str, Any]) -> float:
    """A task whose points nobody named is worth one."""
    points = data.get("points")
    return 1.0 if points is None else float(points)


def _line(stretches: Stretches, value: Value) -> tuple[float, list[tuple[int, float]]]:
    """The points that there are, and their share."""
    length_us, joined = stretches
    known = [(place, value(bucket, length_us)) for place, bucket in sorted(joined.items())]
    points = [(place * length_us + length_us // 2, found) for place, found in known if found is not None]
    return len(points) / len(known), points


def _densest(lines: Sequence[tuple[float, list[tuple[int, float]]]]) -> list[tuple[int, float]]:
    """The first that mostly has values, else nothing that could be drawn."""
    return next((points for share, points in lines if share >= MOSTLY), [])


def _p95(bucket: Bucket, least: int) -> float | None:
    spread = Spread.together(bucket.latencies_ms)
    return spread.quantile(0.95) if spread.count >= least else None


def _rate(bucket: Bucket, least: int) -> float | None:
    return bucket.failed / bucket.handoffs if bucket.handoffs >= least else None
