"""What a verdict teaches: how long a parameter rests, and what is known about it."""

from meta_orchestrator.core.adaptation.belief import Gain
from meta_orchestrator.core.adaptation.parameters import towards
from meta_orchestrator.core.adaptation.recall import is_contested
from meta_orchestrator.core.adaptation.response import measured_gain, symptoms_of, teach, watch
from meta_orchestrator.core.learning.reset import reset
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Lesson, Proposal, Trial
from meta_orchestrator.core.validation.conclude import Verdict
from meta_orchestrator.messages.fields import SECOND, six_digits

MOST_DOUBLINGS = 20
"""More would not make a rest any longer than what is remembered."""
LESSONS = 30
"""So many are kept for a model that is lost; the topics keep them all."""


def learn(moment: Moment, verdict: Verdict | None) -> None:
    """Take what happened and the verdict to heart; then go back to the baseline if that is due."""
    watch(moment)
    if verdict:
        _rest(moment, verdict)
        if verdict.trial and verdict.ending != "aborted":
            _remember(moment, verdict, verdict.trial)
    reset(moment)


def _rest(moment: Moment, verdict: Verdict) -> None:
    """Each failure in a row doubles the rest, and what helped is not soon reversed. Nobody answered: nothing is
    learnt."""
    ledger, name = moment.ledger, verdict.parameter
    if verdict.why == "rejected":
        ledger.rejections[name] = ledger.rejections.get(name, 0) + 1
    if verdict.ending == "kept":
        ledger.failures.pop(name, None)
        if verdict.trial and name in moment.policy.parameters:
            _rest_way_back(moment, name, verdict.trial.proposal)
    elif verdict.ending == "rolled_back" or verdict.why == "rejected":
        ledger.failures[name] = ledger.failures.get(name, 0) + 1
        _rest_after_failure(moment, name, verdict.trial)


def _rest_after_failure(moment: Moment, name: str, trial: Trial | None) -> None:
    """Twice as long each time; what could not be shown to be wrong of a kept step rests by itself, and for longer."""
    ledger, pace = moment.ledger, moment.policy.pace
    rest_s, rests = pace.cooldown_s, name
    move = (trial.proposal.from_, trial.proposal.to) if trial else None
    if move and is_contested(moment, name, *move):
        rest_s, rests = pace.reverse_s, towards(name, moment.policy.parameters[name], *move)
    rest_s = min(2 ** min(ledger.failures[name], MOST_DOUBLINGS) * rest_s, moment.policy.adaptation.memory_s)
    ledger.rests_until_us[rests] = moment.tick_us + round(rest_s * SECOND)


def _rest_way_back(moment: Moment, name: str, proposal: Proposal) -> None:
    """What helped is not soon reversed, and later the more often that was done: to and fro dies out."""
    ledger, parameter = moment.ledger, moment.policy.parameters[name]
    way = towards(name, parameter, proposal.from_, proposal.to)
    last, times = ledger.turns.get(name, (way, 0))
    times = min(times + (way != last), MOST_DOUBLINGS)
    ledger.turns[name] = way, times
    rest_s = min(moment.policy.pace.reverse_s * 2**times, moment.policy.adaptation.memory_s)
    back = towards(name, parameter, proposal.to, proposal.from_)
    ledger.rests_until_us[back] = moment.tick_us + round(rest_s * SECOND)


def _remember(moment: Moment, verdict: Verdict, trial: Trial) -> None:
    """What was measured, for a model that is lost; a guard knows of harm that the objective may not show."""
    harm = moment.policy.adaptation.harm
    if verdict.guarded:
        teach(moment, trial, Gain(-harm, harm / 2))
    found = Gain(-harm, harm / 2) if verdict.guarded else measured_gain(moment, trial)
    if found:
        proposal = trial.proposal
        numbers = six_digits(found.mean), six_digits(found.sd)
        move = proposal.parameter, proposal.from_, proposal.to
        lesson = Lesson(moment.tick_us, *move, verdict.ending, *numbers, symptoms_of(trial))
        moment.ledger.learnt = [*moment.ledger.learnt, lesson][-LESSONS:]
