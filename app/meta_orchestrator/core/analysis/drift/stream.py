"""One metric of one project on its way from the rows of History to a drift."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from meta_orchestrator.core.analysis.drift.batches import Batch, CountedBatches, TimedBatches
from meta_orchestrator.core.analysis.drift.rank_esr import RankESR
from meta_orchestrator.core.analysis.drift.uniform import seed_of
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.messages.outputs import Drift

AWAKE_S = "awake_s"
"""A column beside those of History: seconds of work since the row before."""


@dataclass(frozen=True)
class Metric:
    """What a stream watches: columns of History, and how its batch values read in the metric's unit."""

    name: str
    numerator: str
    denominator: str
    events: str
    in_unit: Callable[[float], float]
    statistic: str
    batches: type[CountedBatches] = CountedBatches


def _percent(share: float) -> float:
    return 100 * share


def _an_hour(a_second: float) -> float:
    return 3600 * a_second


METRICS = (
    Metric("consensus_latency_ms", "latency_log_sum", "latency_count", "latency_count", math.expm1, "geometric mean"),
    Metric("consensus_success_rate", "rounds_decided", "rounds_closed", "rounds_closed", float, "rate"),
    Metric("handoff_failure_rate", "handoffs_failed", "handoffs_ended", "handoffs_ended", float, "rate"),
    Metric("quality_regression_rate", "tasks_regressed", "tasks_finished", "tasks_finished", float, "rate"),
    Metric("rework_percentage", "tasks_reworked", "tasks_worked", "tasks_worked", _percent, "percentage"),
    Metric("development_velocity", "points", AWAKE_S, "tasks_finished", _an_hour, "points an hour", TimedBatches),
)
"""Latency is watched as its mean logarithm: a shift of everything shows in 14 batches there, in 41 in the p95. Velocity
counts the time in which the team was at work: a gap between rows is at most 10 min of it, as with liveness."""


class Stream:
    """Batches of a metric → detector → `drift.detected`, dated and in numbers that a person can check."""

    def __init__(self, metric: Metric, size: float, run_length: float) -> None:
        self.metric = metric
        self.batches = metric.batches(size)
        self.detector = RankESR(run_length=run_length, seed=seed_of(metric.name))
        self._total = [0.0, 0.0]
        self._marks: dict[int, tuple[int, float, float]] = {}
        """Possible change point (number of a batch) → its time and the sums before it, since the last restart."""

    def restart(self) -> None:
        """What comes next is the new normal."""
        self.batches.clear()
        self.detector.restart()
        self._forget()

    def _forget(self) -> None:
        self._total = [0.0, 0.0]
        self._marks = {}

    def feed(self, start_us: int, row: Mapping[str, float]) -> Drift | None:
        """Take the sums of a slice that begins after `start_us`; the drift that they complete, if any."""
        metric = self.metric
        batch = self.batches.add(start_us, row[metric.numerator], row[metric.denominator], row[metric.events])
        return self._judge(batch) if batch else None

    def _judge(self, batch: Batch) -> Drift | None:
        self._marks[self.detector.updates] = (batch.start_us, self._total[0], self._total[1])
        self._total = [self._total[0] + batch.numerator, self._total[1] + batch.denominator]
        self.detector.update(batch.value)
        self._marks = {n: self._marks[n] for n in self.detector.candidates if n in self._marks}
        if not self.detector.drift_detected:
            return None
        drift = self._drift()
        self._forget()
        return drift

    def _drift(self) -> Drift:
        detector, total = self.detector, self._total
        since_us, *old = self._marks[detector.change]
        before = self.metric.in_unit(old[0] / old[1])
        after = self.metric.in_unit((total[0] - old[0]) / (total[1] - old[1]))
        return Drift(
            metric=self.metric.name,
            direction="up" if after > before else "down",
            before=before,
            after=after,
            since=format_time_us(since_us),
            detector="rank_esr",
            evidence={
                "e_value": detector.evidence,
                "run_length": detector.run_length,
                "batches_after": detector.updates - detector.change,
                "batch_size": self.batches.size,
                "autocorrelation": detector.autocorrelation,
                "statistic": self.metric.statistic,
            },
        )

    def dump(self) -> dict[str, Any]:
        marks = [[number, *mark] for number, mark in self._marks.items()]
        return {"batches": self.batches.dump(), "detector": self.detector.dump(), "total": self._total, "marks": marks}

    def load(self, dumped: dict[str, Any]) -> None:
        self.batches.load(dumped["batches"])
        self.detector.load(dumped["detector"])
        self._total = list(dumped["total"])
        self._marks = {number: (start_us, a, b) for number, start_us, a, b in dumped["marks"]}
