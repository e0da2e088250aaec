"""A change that nobody applied teaches nothing: it is said once more, then taken back."""

from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Trial
from meta_orchestrator.core.validation.conclude import Verdict, abort, take_back
from meta_orchestrator.core.validation.silence import fall_silent
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.outputs import ConfigChange


def acknowledged(moment: Moment, trial: Trial) -> Verdict | None:
    """End a trial that was rejected, or not acknowledged in two times the wait.

    A rejected value was never in force, so even a freeze lets it be taken back; the wait for an answer waits with the
    freeze, since what is in force is not known.
    """
    if trial.rejected is not None:
        return _rejected(moment, trial)
    due = moment.tick_us >= trial.acknowledge_by_us and not moment.ledger.is_frozen(moment.tick_us)
    if trial.answered_us is not None or not due:
        return None
    if trial.repeated:
        return _unanswered(moment, trial)
    _repeat(moment, trial)
    return None


def _repeat(moment: Moment, trial: Trial) -> None:
    """The same version, word for word."""
    trial.repeated = True
    trial.acknowledge_by_us = moment.tick_us + round(moment.policy.trial.acknowledge_s * SECOND)
    moment.say(ConfigChange.model_validate(trial.published))


def _unanswered(moment: Moment, trial: Trial) -> Verdict:
    waited_s = (moment.tick_us - trial.said_us) / SECOND
    reason = f"version {trial.latest[1]} was published twice and not acknowledged within {waited_s:g} s"
    back = take_back(moment, trial, "orchestrator", reason)
    verdict = abort(moment, trial, "unacknowledged", f"{reason}; taken back, and nothing is learnt from it", back)
    moment.ledger.unacknowledged += 1
    if moment.ledger.unacknowledged >= moment.policy.trial.silent_after:
        fall_silent(moment)
    return verdict


def _rejected(moment: Moment, trial: Trial) -> Verdict:
    parameter, most = trial.proposal.parameter, moment.policy.trial.rejections
    count = moment.ledger.rejections.get(parameter, 0) + 1
    reason = f"the orchestrator rejected version {trial.latest[1]} ({trial.rejected})"
    back = take_back(moment, trial, "orchestrator", reason)
    after = "from now on it is only recommended" if count >= most else f"after {most} it is only recommended"
    return abort(moment, trial, "rejected", f"{reason}; rejection {count} of {parameter}, {after}", back)
