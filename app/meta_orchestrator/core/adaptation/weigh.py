"""The chooser with a model: of all remedies of what looks wrong, the one that promises most.

By the mean of the belief, not by a draw from it. Thompson sampling (Thompson 1933; Russo et al. 2018) pays for trying
what is unsure with what is learnt from it; a trial of half an hour measures an effect of 1-5 % give or take 8 %, so
next to nothing was learnt, and the draws were paid for (measured: utility .9 % below that of the rules alone).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from meta_orchestrator.core.adaptation.account import accounted
from meta_orchestrator.core.adaptation.limits import AFTER_MODE, first_refusal
from meta_orchestrator.core.adaptation.model import ResponseModel
from meta_orchestrator.core.adaptation.recall import is_contested, strengths_for
from meta_orchestrator.core.adaptation.remedies import against
from meta_orchestrator.core.adaptation.rules import main_remedies
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.wish import Wish, has_effect, remedy
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import SECOND


def is_time(moment: Moment) -> bool:
    """Once a batch: between two of them nothing new is believed."""
    batch_us, ticks = round(moment.policy.adaptation.batch_s * SECOND), moment.history.ticks
    return len(ticks) < 2 or ticks[-2] // batch_us != moment.tick_us // batch_us


def most_promising(moment: Moment, symptoms: Mapping[str, Symptom]) -> list[Wish]:
    """The best that may go out and the best that may only be recommended; if there is neither, what holds them back."""
    options = weighed(moment, symptoms)
    free = [wish for wish in options if _refused_by(moment, wish) is None]
    asked = [wish for wish in options if _may_be_asked(moment, wish)]
    chosen = [accounted(moment, some[0], options) for some in (free, asked) if some]
    return chosen or [_valued_as(wish, options) for wish in main_remedies(moment, symptoms)]


def weighed(moment: Moment, symptoms: Mapping[str, Symptom]) -> list[Wish]:
    """Each remedy with its expected gain, the largest first.

    Where little was learnt that is what the rules would do, and where trials have spoken it knows better.
    """
    response = moment.response
    if response is None or not moment.ledger.config:
        return []
    own = {(wish.parameter, wish.to) for wish in main_remedies(moment, symptoms)}
    options = [_valued(moment, wish, response.model, symptoms) for wish in remedies(moment, symptoms)]
    marked = [_marked(moment, wish, (wish.parameter, wish.to) in own) for wish in options]
    return sorted(marked, key=lambda wish: (-wish.gain.mean if wish.gain else 0.0, wish.parameter))


def _marked(moment: Moment, wish: Wish, own: bool) -> Wish:
    """Whether it is a main remedy, and whether trials have spoken against it."""
    now = moment.ledger.config.get(wish.parameter)
    back = now is not None and wish.to is not None and is_contested(moment, wish.parameter, now, wish.to)
    return replace(wish, is_main=own and not back, is_back=back)


def remedies(moment: Moment, symptoms: Mapping[str, Symptom]) -> list[Wish]:
    """One wish for each parameter and direction, told by the symptom that speaks loudest for it."""
    loudest: dict[tuple[str, int], tuple[float, Wish]] = {}
    for name, symptom in symptoms.items():
        for parameter, direction, strength in against(moment.policy, name):
            voice = strength * symptom.strength
            if has_effect(moment, parameter, direction) and voice > loudest.get((parameter, direction), (0.0, None))[0]:
                loudest[parameter, direction] = voice, remedy(moment, symptom, parameter, direction)
    return [wish for _, wish in loudest.values()]


def _valued(moment: Moment, wish: Wish, model: ResponseModel, symptoms: Mapping[str, Symptom]) -> Wish:
    """What the model makes of it; a value that does not exist, or that nobody supports, brings nothing."""
    config = moment.ledger.config
    if wish.to is None or wish.parameter not in config:
        return wish
    strengths = strengths_for(moment, wish, symptoms)
    move = model.features({**config, wish.parameter: wish.to}, strengths) - model.features(config, strengths)
    return replace(wish, gain=model.gain(move))


def _valued_as(wish: Wish, options: Sequence[Wish]) -> Wish:
    """With what the model makes of it, so that its doubt holds the wish back."""
    return next((it for it in options if (it.parameter, it.to) == (wish.parameter, wish.to)), wish)


def _refused_by(moment: Moment, wish: Wish) -> str | None:
    refusal = first_refusal(wish, moment.ledger, moment.policy, moment.tick_us)
    return refusal.by if refusal else None


def _may_be_asked(moment: Moment, wish: Wish) -> bool:
    """A recommendation that would be heard: nothing but the mode holds it back, and none waits.

    An owner is not asked to try what is only unsure.
    """
    if wish.parameter in moment.ledger.waiting or _refused_by(moment, wish) != "mode":
        return False
    if wish.gain and wish.gain.mean <= moment.policy.adaptation.least_gain:
        return False
    return first_refusal(wish, moment.ledger, moment.policy, moment.tick_us, AFTER_MODE) is None
