"""Did it help? Kept only if what was aimed at is better, all in all is better, and no guard is worse.

Inconclusive means taken back. A verdict may come ahead of the review, but then by evidence that bears a look at every
tick.
"""

from meta_orchestrator.core.ledger import Trial
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.conclude import Verdict, conclude, take_back
from meta_orchestrator.core.validation.judge import Judgement, judge
from meta_orchestrator.core.validation.lesson import finding, lesson
from meta_orchestrator.messages.fields import SECOND


def reviewed(moment: Moment, trial: Trial) -> Verdict | None:
    """The verdict, at the first tick from the time of review on, or earlier if all is clear; a freeze holds it up."""
    if trial.applied_us is None or moment.ledger.is_frozen(moment.tick_us):
        return None
    due = moment.tick_us >= trial.review_us
    if not due and not _has_measured(moment, trial):
        return None
    judgement = judge(moment, trial)
    return _concluded(moment, trial, judgement) if due or _is_clear(moment, judgement) else None


def _has_measured(moment: Moment, trial: Trial) -> bool:
    """Long enough for a verdict ahead of time."""
    times = moment.policy.trial
    least_us = round((times.settle_s + times.measure_s) * SECOND)
    return trial.applied_us is not None and moment.tick_us >= trial.applied_us + least_us


def _is_clear(moment: Moment, judgement: Judgement) -> bool:
    """Whether waiting for the review would change nothing."""
    times, gates = moment.policy.trial, judgement.gates
    if _doubt(moment, judgement) is None:
        return bool(gates) and all(gate.says_better(times.alpha) for gate in gates)
    return judgement.p_better <= times.reject_at and any(gate.says_worse(times.guard_alpha) for gate in gates)


def _concluded(moment: Moment, trial: Trial, judgement: Judgement) -> Verdict:
    doubt, learnt = _doubt(moment, judgement), lesson(moment, judgement)
    found = finding(moment, judgement)
    if doubt is None:
        named = {"change": trial.change, "version": trial.version}
        return conclude(moment, trial, "kept", f"it helped: {found}", **named, **learnt)
    explanation = f"{doubt} ({found})"
    back = take_back(moment, trial, "review", f"taken back: {explanation}")
    return conclude(moment, trial, "rolled_back", explanation, change=back.change, version=back.version, **learnt)


def _doubt(moment: Moment, judgement: Judgement) -> str | None:
    """Why the change may not stay; None if it may."""
    if judgement.worse:
        return f"{', '.join(judgement.worse)} got worse"
    if judgement.feedback.speaks_against:
        return f"{judgement.feedback.raters} agents rated it {judgement.feedback.mean:.2f} on average"
    if judgement.target not in judgement.comparisons:
        return f"nothing was measured of {judgement.target}"
    keep_at = moment.policy.trial.keep_at
    if judgement.p_better < keep_at:
        return f"better with a probability of {judgement.p_better:.0%} only, {keep_at:.0%} are needed"
    return None
