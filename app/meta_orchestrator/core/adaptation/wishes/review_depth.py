"""Regressions escape: review deeper. Hardly any do and work slows down: review less, which is for an owner to say."""

from meta_orchestrator.core.adaptation.trigger import triggers
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.adaptation.wishes.look import Look, look, next_value
from meta_orchestrator.core.moment import Moment

PARAMETER = "workflow.review_depth"
VERY_LOW = 0.25
"""Of the target: so few regressions that a review may be saved."""


def review_depth(moment: Moment) -> Wish | None:
    """One reviewer more, or one less."""
    limit = moment.policy.targets.quality_regression_rate
    escaping = look(moment, "tasks_regressed", "tasks_finished", limit)
    if escaping.is_wrong:
        return _deeper(moment, escaping)
    clean = look(moment, "tasks_regressed", "tasks_finished", VERY_LOW * limit, "below")
    slower = moment.findings.drifts.get("development_velocity")
    return _shallower(moment, clean) if clean.is_wrong and slower and slower.direction == "down" else None


def _deeper(moment: Moment, escaping: Look) -> Wish:
    return Wish(
        parameter=PARAMETER,
        to=next_value(moment, PARAMETER, +1),
        reason=f"{escaping.value:.1%} of tasks regress where {escaping.target:.0%} are tolerated",
        metric="quality_regression_rate",
        gap=escaping.gap,
        certainty=escaping.certainty,
        samples=escaping.samples,
        needed=moment.policy.analysis.min_events,
        expected={"quality_regression_rate": -0.2, "development_velocity": -0.05},
        evidence=_evidence(escaping),
        trigger=triggers(moment, moment.findings.drifts.get("quality_regression_rate")),
    )


def _shallower(moment: Moment, clean: Look) -> Wish:
    return Wish(
        parameter=PARAMETER,
        to=next_value(moment, PARAMETER, -1),
        reason=f"only {clean.value:.1%} of tasks regress, and velocity has fallen",
        metric="development_velocity",
        gap=clean.gap,
        certainty=clean.certainty,
        samples=clean.samples,
        needed=moment.policy.analysis.min_events,
        expected={"development_velocity": 0.05},
        evidence=_evidence(clean),
        trigger=triggers(moment, moment.findings.drifts.get("development_velocity")),
    )


def _evidence(found: Look) -> dict[str, int | float | str | None]:
    return {
        "quality_regression_rate": found.value,
        "target": found.target,
        "tasks": found.samples,
        "looked_back_s": found.seconds,
    }
