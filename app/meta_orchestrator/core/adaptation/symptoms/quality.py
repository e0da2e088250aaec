"""Regressions escape; or hardly any do while work slows down or waits."""

from meta_orchestrator.core.adaptation.symptoms.look import look
from meta_orchestrator.core.adaptation.symptoms.places import crowding
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom, seen
from meta_orchestrator.core.adaptation.trigger import triggers
from meta_orchestrator.core.moment import Moment

METRIC = "quality_regression_rate"
VERY_LOW = 0.25
"""Of the target: so few regressions that a review may be saved."""


def regressions(moment: Moment) -> Symptom | None:
    """More of them than are tolerated."""
    found = look(moment, "tasks_regressed", "tasks_finished", moment.policy.targets.quality_regression_rate)
    if not found.is_wrong:
        return None
    reason = f"{found.value:.1%} of tasks regress where {found.target:.0%} are tolerated"
    expected = {METRIC: -0.2, "development_velocity": -0.05}
    trigger = triggers(moment, moment.findings.drifts.get(METRIC))
    return seen("regressions", moment, found, "tasks", METRIC, reason, expected=expected, trigger=trigger)


def slow_and_clean(moment: Moment) -> Symptom | None:
    """Care could be saved, which is for an owner to say."""
    target = VERY_LOW * moment.policy.targets.quality_regression_rate
    found = look(moment, "tasks_regressed", "tasks_finished", target, "below")
    slower = moment.findings.drifts.get("development_velocity")
    fallen = slower is not None and slower.direction == "down"
    if not found.is_wrong or not (fallen or crowding(moment)):
        return None
    reason = (
        f"only {found.value:.1%} of tasks regress, and {'velocity has fallen' if fallen else 'work waits for agents'}"
    )
    more = {"mends": "development_velocity", "expected": {"development_velocity": 0.05}}
    return seen("slow_and_clean", moment, found, "tasks", METRIC, reason, trigger=triggers(moment, slower), **more)
