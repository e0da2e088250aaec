"""What may look wrong: one file a trouble. `SYMPTOMS` of `remedies.py` is their order of precedence for the rules.

A symptom is None where nothing looks wrong. Where something does, it is told even on thin evidence or for a frozen
parameter: the limits refuse the remedy then, so that people can read why nothing happens.
"""

from collections.abc import Callable

from meta_orchestrator.core.adaptation.symptoms.handoffs import timeouts
from meta_orchestrator.core.adaptation.symptoms.operators import no_agreement, rework, stuck
from meta_orchestrator.core.adaptation.symptoms.places import crowding, overload, starvation
from meta_orchestrator.core.adaptation.symptoms.quality import regressions, slow_and_clean
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.symptoms.votes import slow_votes, undecided
from meta_orchestrator.core.moment import Moment

TROUBLES: tuple[Callable[[Moment], Symptom | None], ...] = (
    regressions,
    timeouts,
    slow_votes,
    no_agreement,
    undecided,
    overload,
    starvation,
    crowding,
    rework,
    stuck,
    slow_and_clean,
)


def symptoms_at(moment: Moment) -> dict[str, Symptom]:
    """Name → symptom, of what looks wrong at this tick."""
    found = (trouble(moment) for trouble in TROUBLES)
    return {symptom.name: symptom for symptom in found if symptom}
