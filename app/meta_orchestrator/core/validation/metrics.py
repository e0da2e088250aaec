"""Names and units of metrics: History sums them per row, people read them per hour, per window or in milliseconds."""

from math import expm1

from meta_orchestrator.core.collection.history import RATIOS
from meta_orchestrator.messages.outputs import Evidence
from meta_orchestrator.policy import Policy

LATENCY = "consensus_latency_log"
TYPICAL_LATENCY = "consensus_latency_ms"
"""The geometric mean; History keeps ln(1 + ms), whose mean is far steadier than a p95."""
SHARES = frozenset(
    {
        "consensus_success_rate",
        "dissent_rate",
        "handoff_failure_rate",
        "quality_regression_rate",
        "rework_percentage",
    }
)
RATES = frozenset({"development_velocity", "coordination_failures", "manual_interventions"})
"""Per second."""
UTILIZATION = "agent_utilization"
PLACES = "places_taken"
"""In the evidence of a trouble that all places for tasks are taken."""
PROMPT = frozenset({"consensus_success_rate", "handoff_failure_rate"})
"""Aims that a trial shows: the rest follows the load, which only the model takes out, or comes seldom or late."""
LATE = frozenset({"quality_regression_rate"})
"""Aims that follow a change by hours: what shows itself at first was done before it."""


def is_prompt(metric: str, evidence: Evidence) -> bool:
    """Whether a trial shows what it is for: with all places taken, the load plays no part in how busy agents are."""
    return metric in PROMPT or (metric == UTILIZATION and PLACES in evidence)


def internal(metric: str) -> str | None:
    """The name in `history.RATIOS` of a metric that a policy names; None if History does not hold it."""
    name = LATENCY if metric in (TYPICAL_LATENCY, "consensus_latency_p95_ms") else metric
    return name if name in RATIOS else None


def public(metric: str) -> str:
    return TYPICAL_LATENCY if metric == LATENCY else metric


def shown(metric: str, value: float, policy: Policy) -> float:
    """A value in the unit that people know from `metrics.snapshot`."""
    if metric == LATENCY:
        return expm1(value)
    return value * _factor(metric, policy)


def _factor(metric: str, policy: Policy) -> float:
    return {
        "development_velocity": 3600.0,
        "coordination_failures": policy.time.window_s,
        "manual_interventions": policy.time.window_s,
        "rework_percentage": 100.0,
    }.get(metric, 1.0)
