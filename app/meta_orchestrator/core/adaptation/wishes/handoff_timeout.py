"""Handoffs fail, and mostly because nobody took them in time: give them longer."""

from meta_orchestrator.core.adaptation.trigger import triggers
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.adaptation.wishes.look import look, next_value
from meta_orchestrator.core.moment import Moment

PARAMETER = "workflow.handoff_timeout_s"
MOST = 0.5
"""Of the failures that are timeouts."""


def handoff_timeout(moment: Moment) -> Wish | None:
    """One step longer."""
    failing = look(moment, "handoffs_failed", "handoffs_ended", moment.policy.targets.handoff_failure_rate)
    timeouts = look(moment, "handoffs_timed_out", "handoffs_failed", MOST)
    if not failing.is_wrong or not timeouts.is_wrong:
        return None
    return Wish(
        parameter=PARAMETER,
        to=next_value(moment, PARAMETER, +1),
        reason=f"{failing.value:.0%} of handoffs fail, {timeouts.value:.0%} of these because they time out",
        metric="handoff_failure_rate",
        gap=failing.gap,
        certainty=failing.certainty,
        samples=failing.samples,
        needed=moment.policy.analysis.min_events,
        expected={"handoff_failure_rate": -0.2, "coordination_failures": -0.1},
        evidence={
            "handoff_failure_rate": failing.value,
            "target": failing.target,
            "timeout_share": timeouts.value,
            "handoffs": failing.samples,
            "looked_back_s": failing.seconds,
        },
        trigger=triggers(moment, moment.findings.drifts.get("handoff_failure_rate")),
    )
