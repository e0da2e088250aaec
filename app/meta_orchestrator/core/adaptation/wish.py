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

    `to` is None where no further value exists. `gain` is what the response model believes of it. The main remedy of a
    trouble is tried on less than others, a step back from what was kept on more. `baseline_s` is how much its trial
    could be compared with, None where that was not asked.
    """

    parameter: str
    to: Value | None
    why: Symptom
    gain: Gain | None = None
    is_main: bool = False
    is_back: bool = False
    baseline_s: float | None = None


def remedy(moment: Moment, symptom: Symptom, parameter: str, direction: Direction) -> Wish:
    """One step of a parameter against a symptom."""
    return Wish(parameter, next_value(moment, parameter, direction), symptom)


ENOUGH = {"workflow.review_depth": 2}
"""More is no remedy: two reviewers find nearly all that many would (Rigby and Bird, "Convergent contemporary software
peer review practices", 2013), and each takes the time of one who could work."""


def has_effect(moment: Moment, parameter: str, direction: Direction) -> bool:
    """How votes are held is of no account where nobody has voted for as long as is remembered; and of some things there
    is enough, unless the policy itself says what they help against."""
    if parameter.startswith("consensus."):
        return bool(moment.history.rows[:, INDEX["rounds_closed"]].any())
    now, enough = moment.ledger.config.get(parameter), ENOUGH.get(parameter)
    if direction < 0 or enough is None or not isinstance(now, int | float):
        return True
    return now < enough or bool(moment.policy.parameters[parameter].helps)


def next_value(moment: Moment, parameter: str, direction: Direction) -> Value | None:
    """One step from what is in force, or from the default where nobody has said what is."""
    known = moment.policy.parameters[parameter]
    now = moment.ledger.config.get(parameter, known.default)
    return None if now is None else stepped(known, now, direction)
