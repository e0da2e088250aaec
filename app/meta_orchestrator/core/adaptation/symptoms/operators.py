"""People have to step in: work was sent back, or handed on, more often than is allowed, or a vote ended in nothing."""

from math import floor

from scipy.special import pdtr

from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.trigger import triggers
from meta_orchestrator.core.moment import Moment

LEAST = 3
"""Interventions of a kind: fewer are an accident."""


def rework(moment: Moment) -> Symptom | None:
    """They are called because work was sent back too often."""
    return _called(moment, "rework", "rework_exceeded", "work was sent back more often than is allowed")


def no_agreement(moment: Moment) -> Symptom | None:
    """They are called because the last round came to no agreement: one more might, and cost less than a person."""
    return _called(moment, "no_agreement", "no_agreement", "the last vote on something found no agreement")


def stuck(moment: Moment) -> Symptom | None:
    """They are called because a handoff went round or nobody took it."""
    return _called(moment, "stuck", "handoff_stuck", "a handoff was stuck")


def _called(moment: Moment, name: str, why: str, words: str) -> Symptom | None:
    """More often than is tolerated, for each finished task; calls are as random as a Poisson count.

    The exact test, since most teams see a few calls where one or two would be tolerated; faded counts vary less than
    Poisson's, so it is rather too strict than too lenient.
    """
    response, target = moment.response, moment.policy.targets.interventions
    calls = response.calls.recent.get(why, 0.0) if response else 0.0
    tasks = response.calls.tasks if response else 0.0
    if calls < LEAST or calls <= target * tasks:
        return None
    sure = float(pdtr(floor(calls) - 1, target * tasks))
    return Symptom(
        name=name,
        reason=f"people had to step in about {calls:.0f} times in some {tasks:.0f} tasks because {words}",
        metric="manual_interventions",
        gap=calls / (target * tasks) - 1 if tasks and target else 1.0,
        certainty=sure,
        samples=round(tasks),
        needed=moment.policy.samples.rate,
        expected={"manual_interventions": -0.3},
        evidence={"interventions": calls, "tasks": tasks, "target": target},
        trigger=triggers(moment),
    )
