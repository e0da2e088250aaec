"""Handoffs fail, and mostly because nobody took them in time."""

from meta_orchestrator.core.adaptation.symptoms.look import look
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom, seen
from meta_orchestrator.core.adaptation.trigger import triggers
from meta_orchestrator.core.moment import Moment

METRIC = "handoff_failure_rate"
MOST = 0.5
"""Of the failures that are timeouts."""


def timeouts(moment: Moment) -> Symptom | None:
    """More failures than are tolerated, most of them timeouts."""
    failing = look(moment, "handoffs_failed", "handoffs_ended", moment.policy.targets.handoff_failure_rate)
    late = look(moment, "handoffs_timed_out", "handoffs_failed", MOST)
    if not failing.is_wrong or not late.is_wrong:
        return None
    return seen(
        "timeouts",
        moment,
        failing,
        "handoffs",
        METRIC,
        f"{failing.value:.0%} of handoffs fail, {late.value:.0%} of these because they time out",
        expected={METRIC: -0.2, "coordination_failures": -0.1},
        evidence={"timeout_share": late.value},
        trigger=triggers(moment, moment.findings.drifts.get(METRIC)),
    )
