"""A trouble that was mended does not show any more, and yet what mended it is still needed.

So a step back from what was kept is weighed with the troubles it was kept against, beside those of now. They fade
within about a day, since conditions change.
"""

from collections.abc import Mapping
from math import exp

from meta_orchestrator.core.adaptation.parameters import towards
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Lesson
from meta_orchestrator.messages.fields import SECOND, Value, six_digits


def strengths_for(moment: Moment, wish: Wish, symptoms: Mapping[str, Symptom]) -> dict[str, float]:
    """Symptom → its strength, 0..1, as far as it matters for a wish."""
    strengths = {name: symptom.strength for name, symptom in symptoms.items()}
    lesson = _taken_back_by(moment, wish)
    if lesson is None:
        return strengths
    left = exp(-(moment.tick_us - lesson.time_us) / SECOND / moment.policy.time.history_s)
    mended = {name: six_digits(left * strength) for name, strength in lesson.symptoms.items()}
    return {name: max(strengths.get(name, 0.0), mended.get(name, 0.0)) for name in sorted(strengths | mended)}


def is_contested(moment: Moment, parameter: str, from_: Value, to: Value) -> bool:
    """Whether a move goes the other way than the parameter was kept last, or trials have disagreed about it before."""
    known = moment.policy.parameters.get(parameter)
    way, turned = moment.ledger.turns.get(parameter, (None, 0))
    if known is None or way is None or _is_forgotten(moment, parameter):
        return False
    return turned > 0 or way != towards(parameter, known, from_, to)


def _is_forgotten(moment: Moment, parameter: str) -> bool:
    """Whether its last kept step is longer ago than anything is remembered: teams change."""
    kept = [it.time_us for it in moment.ledger.learnt if it.parameter == parameter and it.ending == "kept"]
    return bool(kept) and moment.tick_us - kept[-1] > round(moment.policy.adaptation.memory_s * SECOND)


def _taken_back_by(moment: Moment, wish: Wish) -> Lesson | None:
    """The lesson that put the present value in force, if the wish goes the other way."""
    now, known = moment.ledger.config.get(wish.parameter), moment.policy.parameters[wish.parameter]
    kept = (it for it in reversed(moment.ledger.learnt) if it.parameter == wish.parameter and it.ending == "kept")
    lesson = next(kept, None)
    if lesson is None or now is None or wish.to is None or lesson.to != now:
        return None
    came, goes = (towards(wish.parameter, known, *move) for move in ((lesson.from_, lesson.to), (now, wish.to)))
    return lesson if came != goes else None
