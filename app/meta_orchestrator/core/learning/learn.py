"""What a verdict teaches: how long a parameter rests, and what is known about it."""

from meta_orchestrator.core.adaptation.response import watch
from meta_orchestrator.core.learning.reset import reset
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.conclude import Verdict
from meta_orchestrator.messages.fields import SECOND

MOST_DOUBLED = 8


def learn(moment: Moment, verdict: Verdict | None) -> None:
    """Take what happened and the verdict to heart; then go back to the baseline if an escalation asks for it."""
    watch(moment)
    if verdict:
        _count(moment, verdict)
        _rest(moment, verdict)
    reset(moment)


def _count(moment: Moment, verdict: Verdict) -> None:
    lessons = moment.ledger.lessons.setdefault(verdict.parameter, {})
    name = verdict.why or verdict.ending
    lessons[name] = lessons.get(name, 0) + 1


def _rest(moment: Moment, verdict: Verdict) -> None:
    """Each failure in a row doubles the rest. Nobody answered: nothing is learnt."""
    ledger, name = moment.ledger, verdict.parameter
    if verdict.why == "rejected":
        ledger.rejections[name] = ledger.rejections.get(name, 0) + 1
    if verdict.ending == "kept":
        ledger.failures.pop(name, None)
    elif verdict.ending == "rolled_back" or verdict.why == "rejected":
        ledger.failures[name] = ledger.failures.get(name, 0) + 1
        times = min(2 ** ledger.failures[name], MOST_DOUBLED)
        ledger.rests_until_us[name] = moment.tick_us + round(times * moment.policy.pace.cooldown_s * SECOND)
