"""Did it help? Kept only if what was aimed at is better, all in all is better, and no guard is worse.

Inconclusive means taken back.
"""

from dataclasses import dataclass

from meta_orchestrator.core.adaptation.objective import gain
from meta_orchestrator.core.collection.history import INDEX, RATIOS
from meta_orchestrator.core.ledger import Trial
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.compare import Comparison, before_trial, compare, during_trial
from meta_orchestrator.core.validation.conclude import Verdict, conclude, take_back
from meta_orchestrator.core.validation.evidence import Estimate, Rows
from meta_orchestrator.core.validation.feedback import Feedback, feedback_of
from meta_orchestrator.core.validation.guards import guard_metrics, worse_is_up
from meta_orchestrator.core.validation.metrics import internal
from meta_orchestrator.messages.outputs import Evidence
from meta_orchestrator.messages.wording import number_text, sure_text


@dataclass(frozen=True)
class Judgement:
    """What a trial showed."""

    comparisons: dict[str, Comparison]
    """Name in `history.RATIOS` → before and during."""
    target: str
    overall: Estimate | None
    """The gain in the objective."""
    worse: list[str]
    """Guards that are worse."""
    feedback: Feedback

    @property
    def p_target(self) -> float:
        comparison = self.comparisons.get(self.target)
        return comparison.p_better if comparison else 0.5

    @property
    def p_overall(self) -> float:
        return self.overall.certainty_above(0) if self.overall else 0.5

    @property
    def p_better(self) -> float:
        """Better in what was aimed at and better all in all: as sure as the less sure of the two."""
        return min(self.p_target, self.p_overall)


def reviewed(moment: Moment, trial: Trial) -> Verdict | None:
    """The verdict, at the first tick from the time of review on; it waits for a freeze to end."""
    due = moment.tick_us >= trial.review_us and not moment.ledger.is_frozen(moment.tick_us)
    if trial.applied_us is None or not due:
        return None
    before, during = before_trial(moment, trial), during_trial(moment, trial)
    judgement = judge(moment, trial, before, during)
    doubt = _doubt(moment, judgement)
    lesson = {
        "measured": {it.name: it.measured(moment.policy) for it in judgement.comparisons.values()},
        "p_better": judgement.p_better,
        "samples": _samples(judgement, before, during),
        "evidence": _evidence(judgement),
        "context": _context(moment, before, during),
    }
    if doubt is None:
        named = {"change": trial.change, "version": trial.version}
        return conclude(moment, trial, "kept", f"it helped: {_finding(moment, judgement)}", **named, **lesson)
    explanation = f"{doubt} ({_finding(moment, judgement)})"
    back = take_back(moment, trial, "review", f"taken back: {explanation}")
    return conclude(moment, trial, "rolled_back", explanation, change=back.change, version=back.version, **lesson)


def judge(moment: Moment, trial: Trial, before: Rows, during: Rows) -> Judgement:
    """Compare the aim, what was expected to move, and the guards."""
    target, guards = trial.proposal.metric, guard_metrics(trial)
    expected = [metric for name in trial.proposal.expected if (metric := internal(name))]
    comparisons = {}
    for metric in dict.fromkeys([target, *expected, *guards]):
        sign = worse_is_up(metric) if RATIOS[metric][2] else _towards(trial, metric)
        comparison = compare(before, during, metric, sign)
        if comparison:
            comparisons[metric] = comparison
    sure = moment.policy.trial.guard_at
    worse = [it.name for it in comparisons.values() if it.metric in guards and 1 - it.p_better >= sure]
    overall = gain(during, before, moment.policy.weights(moment.project))
    return Judgement(comparisons, target, overall, worse, feedback_of(moment, trial))


def _towards(trial: Trial, metric: str) -> int:
    """A metric that should be neither high nor low is better where the change was meant to move it."""
    return -1 if trial.proposal.expected.get(metric, 1.0) < 0 else 1


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


def _finding(moment: Moment, judgement: Judgement) -> str:
    """What was aimed at, in numbers."""
    comparison = judgement.comparisons.get(judgement.target)
    if comparison is None:
        return "too little happened"
    measured = comparison.measured(moment.policy)
    move = f"{comparison.name} {number_text(measured.before)} → {number_text(measured.after)}"
    overall = f"all in all {sure_text(judgement.p_overall)}"
    return f"{move}, better with a probability of {sure_text(judgement.p_target)}, {overall}"


def _evidence(judgement: Judgement) -> Evidence:
    feedback, overall = judgement.feedback, judgement.overall
    return {
        "p_target": judgement.p_target,
        "p_overall": judgement.p_overall,
        "gain": overall.value if overall else None,
        "gain_error": overall.error if overall else None,
        "raters": feedback.raters,
        "mean_rating": feedback.mean,
    }


def _samples(judgement: Judgement, before: Rows, during: Rows) -> dict[str, int]:
    """Ticks on both sides, and values during the trial."""
    values = {it.name: round(it.after.samples) for it in judgement.comparisons.values()}
    return {"ticks_before": len(before), "ticks_during": len(during)} | values


def _context(moment: Moment, before: Rows, during: Rows) -> Evidence:
    """Under what load and with which other settings it was learnt."""
    load: Evidence = {}
    for name in ("tasks_finished", "rounds_closed", "handoffs_ended"):
        for when, rows in (("before", before), ("during", during)):
            seconds = float(rows[:, INDEX["seconds"]].sum())
            load[f"{name}_per_hour_{when}"] = float(rows[:, INDEX[name]].sum()) * 3600 / seconds if seconds else None
    return load | dict(sorted(moment.ledger.config.items()))
