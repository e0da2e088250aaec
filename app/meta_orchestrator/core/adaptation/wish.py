"""What somebody would like to change, before anything limits it."""

from dataclasses import dataclass

from meta_orchestrator.core.adaptation.belief import Gain
from meta_orchestrator.core.adaptation.parameters import Direction, stepped
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import Value


@dataclass(frozen=True)
class Wish:
    """One parameter's move and what speaks for it.

    `to` is None where no further value exists. `gain` is what the response model believes of it, `drawn` what a trial
    might make of that belief.
    """

    parameter: str
    to: Value | None
    why: Symptom
    gain: Gain | None = None
    drawn: float = 0.0


def remedy(moment: Moment, symptom: Symptom, parameter: str, direction: Direction) -> Wish:
    """One step of a parameter against a symptom."""
    return Wish(parameter, next_value(moment, parameter, direction), symptom)


def has_effect(moment: Moment, parameter: str) -> bool:
    """How votes are held is of no account where nobody has voted for as long as is remembered."""
    return not parameter.startswith("consensus.") or bool(moment.history.rows[:, INDEX["rounds_closed"]].any())


def next_value(moment: Moment, parameter: str, direction: Direction) -> Value | None:
    """One step from what is in force, or from the default where nobody has said what is."""
    known = moment.policy.parameters[parameter]
    now = moment.ledger.config.get(parameter, known.default)
    return None if now is None else stepped(known, now, direction)
