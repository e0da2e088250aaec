"""What somebody would like to change, before anything limits it."""

from dataclasses import dataclass, field

from meta_orchestrator.core.adaptation.belief import Gain
from meta_orchestrator.core.adaptation.parameters import Direction, stepped
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import Value


@dataclass(frozen=True)
class Wish:
    """One parameter's move and what speaks for it.

    `to` is None where no further value exists. `metric` (a name of `history.RATIOS`) is what the change should mend,
    `gap` how far the thing that is wrong is from its target (relative), `certainty` the probability that it is wrong at
    all, `samples` of the `needed` values were looked at. `expected` are relative changes. `gain` is what the response
    model believes of it, `drawn` one draw from that belief.
    """

    parameter: str
    to: Value | None
    reason: str
    metric: str = "development_velocity"
    gap: float = 1.0
    certainty: float = 1.0
    samples: int = 0
    needed: int = 0
    expected: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, int | float | str | None] = field(default_factory=dict)
    trigger: list[str] = field(default_factory=list)
    gain: Gain | None = None
    drawn: float = 0.0


def remedy(moment: Moment, symptom: Symptom, parameter: str, direction: Direction) -> Wish:
    """One step of a parameter against a symptom."""
    return Wish(
        parameter=parameter,
        to=next_value(moment, parameter, direction),
        reason=symptom.reason,
        metric=symptom.metric,
        gap=symptom.gap,
        certainty=symptom.certainty,
        samples=symptom.samples,
        needed=symptom.needed,
        expected=symptom.expected,
        evidence=symptom.evidence,
        trigger=symptom.trigger,
    )


def has_effect(moment: Moment, parameter: str) -> bool:
    """How votes are held is of no account where nobody has voted for as long as is remembered."""
    return not parameter.startswith("consensus.") or bool(moment.history.rows[:, INDEX["rounds_closed"]].any())


def next_value(moment: Moment, parameter: str, direction: Direction) -> Value | None:
    """One step from what is in force, or from the default where nobody has said what is."""
    known = moment.policy.parameters[parameter]
    now = moment.ledger.config.get(parameter, known.default)
    return None if now is None else stepped(known, now, direction)
