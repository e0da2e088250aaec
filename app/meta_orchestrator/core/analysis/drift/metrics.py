"""Which metrics of a project are watched, and how."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from meta_orchestrator.core.analysis.drift.batches import CountedBatches, TimedBatches

AWAKE_S = "awake_s"
"""A column beside those of History: seconds of work since the row before."""


@dataclass(frozen=True)
class Metric:
    """Columns of History, the scale on which a batch's value varies evenly, and how it reads in the metric's unit."""

    name: str
    numerator: str
    denominator: str
    events: str
    even: Callable[[float], float]
    in_unit: Callable[[float], float]
    statistic: str
    batches: type[CountedBatches] = CountedBatches


def _arcsine(share: float) -> float:
    """Variance-stabilising for a share (Anscombe 1948)."""
    return math.asin(math.sqrt(min(max(share, 0.0), 1.0)))


def _root_an_hour(a_second: float) -> float:
    """Variance-stabilising for a count."""
    return math.sqrt(_an_hour(max(a_second, 0.0)))


def _percent(share: float) -> float:
    return 100 * share


def _an_hour(a_second: float) -> float:
    return 3600 * a_second


def _rate(name: str, numerator: str, denominator: str) -> Metric:
    return Metric(name, numerator, denominator, denominator, _arcsine, float, "rate")


METRICS = (
    Metric(
        "consensus_latency_ms",
        "latency_log_sum",
        "latency_count",
        "latency_count",
        even=float,
        in_unit=math.expm1,
        statistic="geometric mean",
    ),
    _rate("consensus_success_rate", "rounds_decided", "rounds_closed"),
    _rate("dissent_rate", "votes_against", "votes"),
    _rate("handoff_failure_rate", "handoffs_failed", "handoffs_ended"),
    _rate("quality_regression_rate", "tasks_regressed", "tasks_finished"),
    Metric(
        "rework_percentage",
        "tasks_reworked",
        "tasks_worked",
        "tasks_worked",
        even=_arcsine,
        in_unit=_percent,
        statistic="percentage",
    ),
    Metric(
        "development_velocity",
        "points",
        AWAKE_S,
        "tasks_finished",
        even=_root_an_hour,
        in_unit=_an_hour,
        statistic="points an hour",
        batches=TimedBatches,
    ),
)
"""Latency is watched as its mean logarithm: a shift of everything shows in 14 batches there, in 41 in the p95. Velocity
counts the time in which the team was at work: a gap between rows is at most 10 min of it, as with liveness."""
