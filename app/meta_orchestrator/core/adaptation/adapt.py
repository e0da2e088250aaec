"""From what was found to what is changed: symptoms, wishes, limits, then a trial, a recommendation or a refusal."""

from dataclasses import replace

from meta_orchestrator.core.adaptation.account import with_symptoms
from meta_orchestrator.core.adaptation.begin import begin, recommend
from meta_orchestrator.core.adaptation.limits import AFTER_MODE, Refusal, first_refusal
from meta_orchestrator.core.adaptation.publish import asked, name_proposal, tell
from meta_orchestrator.core.adaptation.rules import main_remedies
from meta_orchestrator.core.adaptation.symptoms import symptoms_at
from meta_orchestrator.core.adaptation.weigh import is_time, most_promising
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Proposal
from meta_orchestrator.core.validation.compare import baseline_s
from meta_orchestrator.core.validation.onset import present_since_us
from meta_orchestrator.messages.fields import SECOND


def adapt(moment: Moment) -> None:
    """Each wish is answered. The first that passes is in flight for those after it.

    A parameter on trial is not wished for: its review is the answer. Where nothing has happened since the last tick
    there is nothing to judge anew.
    """
    if moment.history.ticks[-1:] != [moment.tick_us] and not moment.findings.insights:
        return
    trial = moment.ledger.trial
    for wish in wishes(moment):
        if trial is None or wish.parameter != trial.proposal.parameter:
            answer(moment, wish)


def wishes(moment: Moment) -> list[Wish]:
    """What the chooser of the policy would change; the model chooses once a batch, the rules at every tick."""
    by_model = moment.policy.adaptation.chooser == "model"
    if by_model and not is_time(moment):
        return []
    symptoms = symptoms_at(moment)
    choose = most_promising if by_model else main_remedies
    if not symptoms:
        return []
    return [with_baseline(moment, with_symptoms(moment, wish, symptoms)) for wish in choose(moment, symptoms)]


def with_baseline(moment: Moment, wish: Wish) -> Wish:
    """With how much its trial could be compared with, if one could begin now."""
    if moment.ledger.trial:
        return wish
    return replace(wish, baseline_s=baseline_s(moment, present_since_us(moment, wish.why)))


def answer(moment: Moment, wish: Wish) -> None:
    """Change, recommend or refuse."""
    refusal = first_refusal(wish, moment.ledger, moment.policy, moment.tick_us)
    if refusal is None:
        begin(moment, _proposal(moment, wish), "rule")
    elif refusal.by == "mode":
        _ask(moment, wish, refusal.sentence)
    else:
        _refuse(moment, wish, refusal)


def _ask(moment: Moment, wish: Wish, why: str) -> None:
    """Only what would go out if the owner let it is worth the owner's time, and only once."""
    later = first_refusal(wish, moment.ledger, moment.policy, moment.tick_us, AFTER_MODE)
    if wish.parameter in moment.ledger.waiting:
        _refuse(moment, wish, Refusal("mode", "a proposal about it already waits for approval"))
    elif later:
        _refuse(moment, wish, Refusal("mode", f"{why}, and not now: {later.sentence}"))
    else:
        recommend(moment, _proposal(moment, wish), why)


def _refuse(moment: Moment, wish: Wish, refusal: Refusal) -> None:
    """Say why not, unless the same was said within the hour."""
    last = moment.ledger.refusals.get(wish.parameter)
    pause_us = round(moment.policy.pace.refusal_repeat_s * SECOND)
    if last and last[0] == refusal.by and moment.tick_us < last[1] + pause_us:
        return
    moment.ledger.refusals[wish.parameter] = (refusal.by, moment.tick_us)
    tell(
        moment,
        "refused",
        asked(moment, name_proposal(moment, wish.parameter, wish.to), wish.parameter, wish.to),
        f"{_wished(wish)} was wished for because {wish.why.reason}, but {refusal.sentence}",
        evidence=wish.why.evidence,
        expected=wish.why.expected,
        refused_by=refusal.by,
    )


def _wished(wish: Wish) -> str:
    return f"{wish.parameter} → {wish.to}" if wish.to is not None else f"A further step of {wish.parameter}"


def _proposal(moment: Moment, wish: Wish) -> Proposal:
    assert wish.to is not None  # noqa: S101 - `bounds` comes before anything that leads here
    return Proposal(
        id=name_proposal(moment, wish.parameter, wish.to),
        parameter=wish.parameter,
        from_=moment.ledger.config[wish.parameter],
        to=wish.to,
        reason=wish.why.reason,
        metric=wish.why.metric,
        expected=wish.why.expected,
        evidence=wish.why.evidence,
        trigger=wish.why.trigger,
    )
