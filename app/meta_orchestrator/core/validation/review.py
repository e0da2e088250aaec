"""Did it help? Kept only if the model says so, what was measured does not contradict, and no guard is worse.

The model is the response model of adaptation: it takes the load out, where a bare before and after is confounded by it.
Where there is none, both the aim and all in all must be better. A review at which the model leans to neither side is
put off for a while; what is inconclusive then is taken back. A verdict may come ahead of the review, but then by
evidence that bears a look at every tick.
"""

from typing import Any

from meta_orchestrator.core.adaptation.publish import publish
from meta_orchestrator.core.adaptation.recall import is_contested
from meta_orchestrator.core.adaptation.response import believed
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Trial
from meta_orchestrator.core.validation.compare import LEAST_PAIRS
from meta_orchestrator.core.validation.conclude import Verdict, conclude, named, take_back
from meta_orchestrator.core.validation.guards import sides
from meta_orchestrator.core.validation.judge import Judgement, judge
from meta_orchestrator.core.validation.late import keep_watch
from meta_orchestrator.core.validation.lesson import finding, lesson
from meta_orchestrator.core.validation.metrics import LATE, UTILIZATION, is_prompt
from meta_orchestrator.core.validation.periods import pairs
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.wording import short_text

LEANS = 0.5
"""Of two equal doubts the one that what helps elsewhere will help here is the smaller."""


def reviewed(moment: Moment, trial: Trial) -> Verdict | None:
    """The verdict, at the first tick from the time of review on, or earlier if all is clear; a freeze holds it up."""
    if trial.applied_us is None or moment.ledger.is_frozen(moment.tick_us):
        return None
    due = moment.tick_us >= trial.review_us
    if not due and not _has_measured(moment, trial):
        return None
    judgement = judge(moment, trial)
    if due and _is_put_off(moment, trial, judgement):
        return None
    return _concluded(moment, trial, judgement) if due or _is_clear(moment, trial, judgement) else None


def _is_put_off(moment: Moment, trial: Trial, judgement: Judgement) -> bool:
    """The model has seen too little, or leans to neither side, and some more time may tell."""
    if moment.tick_us >= _longest_us(moment, trial) or judgement.worse:
        return False
    if judgement.posterior is None:
        return moment.response is not None and believed(trial) is not None
    times = moment.policy.trial
    if not _shows_its_aim(moment, trial, judgement):
        return judgement.p_target > 1 - times.keep_at
    return 1 - times.believe_at < judgement.p_better < keep_threshold(moment, trial, judgement)


def _longest_us(moment: Moment, trial: Trial) -> int:
    """A switchback ends with its timetable."""
    more_s = 0.0 if trial.periods else moment.policy.trial.put_off_s
    return trial.review_us + round(more_s * SECOND)


def _has_measured(moment: Moment, trial: Trial) -> bool:
    """Long enough for a verdict ahead of time."""
    times = moment.policy.trial
    if trial.periods:
        return len(pairs(trial)[0]) > LEAST_PAIRS
    least_us = trial.settle_us + round(times.measure_s * SECOND)
    return trial.applied_us is not None and moment.tick_us >= trial.applied_us + least_us


def _is_clear(moment: Moment, trial: Trial, judgement: Judgement) -> bool:
    """Whether waiting for the review would change nothing."""
    times, gates = moment.policy.trial, judgement.gates
    if moment.response and judgement.posterior is None:
        return False
    if _doubt(moment, trial, judgement) is None:
        soon = trial.proposal.metric not in LATE
        return soon and bool(gates) and all(gate.says_better(times.alpha) for gate in gates)
    return judgement.p_better <= times.reject_at and any(gate.says_worse(times.guard_alpha) for gate in gates)


def _concluded(moment: Moment, trial: Trial, judgement: Judgement) -> Verdict:
    doubt, found = _doubt(moment, trial, judgement), finding(moment, judgement)
    if doubt is None:
        in_force = _put_in_force(moment, trial, f"kept: {found}")
        keep_watch(moment, trial, sides(moment, trial)[0])
        learnt = lesson(moment, judgement)
        return conclude(moment, trial, "kept", f"{_praise(judgement)}: {found}", **in_force, **learnt)
    explanation = f"{doubt} ({found})"
    back = take_back(moment, trial, "review", f"taken back: {explanation}")
    return conclude(moment, trial, "rolled_back", explanation, **named(back), **lesson(moment, judgement))


def _praise(judgement: Judgement) -> str:
    """What was aimed at may have moved the other way under another load, or cannot be compared."""
    helped = judgement.target in judgement.comparisons and judgement.p_target >= 0.5
    return "it helped" if helped else "it helps all in all"


def _put_in_force(moment: Moment, trial: Trial, reason: str) -> dict[str, Any]:
    """After a switchback the old value may be in force; else the version of the trial is what is kept."""
    parameter = trial.proposal.parameter
    if moment.ledger.config[parameter] == trial.proposal.to:
        return {"change": trial.changes[-1], "version": moment.ledger.version}
    return named(publish(moment, "kept", "review", {parameter: trial.proposal.to}, reason, trial=trial.proposal.id))


def _doubt(moment: Moment, trial: Trial, judgement: Judgement) -> str | None:
    """Why the change may not stay; None if it may."""
    if judgement.worse:
        return f"{', '.join(judgement.worse)} got worse"
    if judgement.feedback.speaks_against:
        return f"{judgement.feedback.raters} agents rated it {judgement.feedback.mean:.2f} on average"
    if judgement.target not in judgement.comparisons and judgement.posterior is None:
        return f"nothing was measured of {judgement.target}"
    contradicted = [gate for gate in judgement.gates if gate.says_worse(moment.policy.trial.alpha)]
    if contradicted:
        return "what was measured got worse"
    return _unsure(moment, trial, judgement)


def _unsure(moment: Moment, trial: Trial, judgement: Judgement) -> str | None:
    """Why it is not sure enough that it helps; None if it is."""
    if not _shows_its_aim(moment, trial, judgement):
        needed = _aim_needed(moment, trial)
        return f"{judgement.target} better with a probability of {short_text(judgement.p_target, needed)}"
    keep_at = keep_threshold(moment, trial, judgement)
    if judgement.p_better < keep_at:
        return f"better with a probability of {short_text(judgement.p_better, keep_at)}"
    return None


def _shows_its_aim(moment: Moment, trial: Trial, judgement: Judgement) -> bool:
    """What a trial shows at once must be seen: a remedy that does not move what it is for is none here, whatever is
    believed of it."""
    return not _is_prompt(trial, judgement) or judgement.p_target >= _aim_needed(moment, trial)


def _aim_needed(moment: Moment, trial: Trial) -> float:
    """How sure the aim must be: each try after one that failed may err half as often, so that what does not help is
    kept with twice the chance of a single trial at the most, however often it is tried (alpha spending; Lan and DeMets,
    Biometrika 70, 1983). That who may hold more is busier is hardly in doubt beforehand, so it need only show.
    """
    times, failures = moment.policy.trial, moment.ledger.failures.get(trial.proposal.parameter, 0)
    sure = times.believe_at if trial.proposal.metric == UTILIZATION else times.keep_at
    return 1 - (1 - sure) * 0.5**failures


def _is_prompt(trial: Trial, judgement: Judgement) -> bool:
    return is_prompt(trial.proposal.metric, trial.proposal.evidence) and judgement.target in judgement.comparisons


def keep_threshold(moment: Moment, trial: Trial, judgement: Judgement) -> float:
    """A model that knows of the load may be believed sooner than a bare comparison of before and during; sooner still
    where what was aimed at has shown itself, since all in all is much noisier than that, or where time is up.

    But not where what was kept is turned back, or was once: the first way may follow what helps elsewhere, but where
    trials have disagreed a step must be shown to help here.
    """
    times, proposal = moment.policy.trial, trial.proposal
    contested = is_contested(moment, proposal.parameter, proposal.from_, proposal.to)
    if contested or judgement.posterior is None:
        return times.keep_at
    if _is_prompt(trial, judgement):
        return times.aim_at
    return LEANS if moment.tick_us >= _longest_us(moment, trial) else times.believe_at
