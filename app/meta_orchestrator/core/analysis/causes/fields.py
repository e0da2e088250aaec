"""What is summed of agents, handoff causes and rounds by criticality, and which metric is made of what."""

from dataclasses import dataclass
from typing import Literal

AGENT = (
    "events",
    "votes",
    "votes_against",
    "handoffs_ended",  # as receiver
    "handoffs_failed",
    "busy_s",
    "capacity_s",
    "finished",  # tasks, without steps
    "points",
    "regressed",  # by whoever finished the task
    "reworked",
    "worked",  # finished or to be redone
    "ended",  # tasks and steps, whatever the outcome
    "took_log",  # of ln(1 + duration_ms)
    "took_log_squares",
    "awaited_s",  # for which handoffs to it were on their way
    "failed",  # tasks and steps that ended otherwise than `succeeded`
)
ROUND = ("closed", "decided", "latency_log", "latency_log_squares")
CAUSES = ("timeout", "rejected", "missing_context", "unavailable", "error", "other")
CRITICALITIES = ("minor", "normal", "major", "critical", "unknown")
AGENT_AT = {name: n for n, name in enumerate(AGENT)}
ROUND_AT = {name: n for n, name in enumerate(ROUND)}

Law = Literal["share", "mean", "pace"]
"""How sums scatter: counts out of counts; a mean with known squares; counts by time."""


@dataclass(frozen=True)
class Parts:
    """A metric as sums over groups: numerator over denominator (over the time at work without one)."""

    numerator: str
    denominator: str | None
    law: Law
    squares: str | None = None
    unit: float = 1.0
    """So much of numerator and denominator counts as one trial (of a share)."""


_LATENCY = Parts("latency_log", "closed", "mean", "latency_log_squares")
_DECIDED = Parts("decided", "closed", "share")
_BUSY = Parts("busy_s", "capacity_s", "share", unit=300.0)
_TOOK = Parts("took_log", "ended", "mean", "took_log_squares")

BY_AGENT: dict[str, Parts] = {
    "dissent_rate": Parts("votes_against", "votes", "share"),
    "handoff_failure_rate": Parts("handoffs_failed", "handoffs_ended", "share"),
    "quality_regression_rate": Parts("regressed", "finished", "share"),
    "rework_percentage": Parts("reworked", "worked", "share"),
    "development_velocity": Parts("points", None, "pace"),
    "coordination_failures": Parts("handoffs_failed", None, "pace"),
    "agent_utilization": _BUSY,
    "utilization": _BUSY,
    "task_latency_ms": _TOOK,
    "task_latency_p95_ms": _TOOK,
}
BY_CRITICALITY: dict[str, Parts] = {
    "consensus_latency_ms": _LATENCY,
    "consensus_latency_p95_ms": _LATENCY,
    "consensus_success_rate": _DECIDED,
}
BY_CAUSE = ("handoff_failure_rate", "coordination_failures", "handoff_failure_causes")
"""Metrics of which failed handoffs are a part."""

BY_TIME = ("development_velocity", "task_latency_ms", "task_latency_p95_ms", "task_duration_ms")
"""Metrics that get worse where somebody takes more time."""
