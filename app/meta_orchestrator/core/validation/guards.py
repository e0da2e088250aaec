"""Metrics that must not get worse while a change is on trial: judged at every tick, by what bears so many looks."""

from dataclasses import replace

from meta_orchestrator.core.collection.history import RATIOS
from meta_orchestrator.core.ledger import Trial
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.compare import Comparison, before_trial, compare, during_trial
from meta_orchestrator.core.validation.conclude import Verdict, conclude, take_back
from meta_orchestrator.core.validation.evidence import Estimate
from meta_orchestrator.core.validation.gate import gate, planned_ticks
from meta_orchestrator.core.validation.metrics import internal, shown
from meta_orchestrator.messages.wording import number_text


def guarded(moment: Moment, trial: Trial) -> Verdict | None:
    """Take the change back at once if an announced guard is clearly worse; a freeze does not hold this up."""
    if trial.applied_us is None:
        return None
    before, during = before_trial(moment, trial), during_trial(moment, trial, settled=False)
    metrics = guard_metrics(trial)
    for metric in metrics:
        comparison, alpha = compare(before, during, metric, worse_is_up(metric)), moment.policy.trial.guard_alpha
        looked = len(before), len(during)
        if comparison and _is_clearly_worse(moment, trial, comparison, looked, alpha / len(metrics)):
            return _safety_rollback(moment, trial, comparison)
    return None


def guard_metrics(trial: Trial) -> list[str]:
    """Names in `history.RATIOS` of the guards that the change announced."""
    metrics = [internal(guard["metric"]) for guard in trial.published.get("rollback_if", [])]
    return [metric for metric in metrics if metric]


def worse_is_up(metric: str) -> int:
    """The sign by which better is up; a metric without a direction guards against falling."""
    return RATIOS[metric][2] or 1


def _is_clearly_worse(
    moment: Moment, trial: Trial, comparison: Comparison, looked: tuple[int, int], alpha: float
) -> bool:
    """Beyond the margin by more than chance allows to somebody who looks at every tick."""
    policy = moment.policy
    if min(comparison.before.samples, comparison.after.samples) < policy.samples.rate:
        return False
    margin = policy.trial.guard_margin * abs(comparison.before.value)
    beyond = replace(comparison.change, value=comparison.sign * comparison.change.value + margin)
    return gate(beyond, *looked, planned_ticks(moment, trial)).says_worse(alpha)


def _safety_rollback(moment: Moment, trial: Trial, comparison: Comparison) -> Verdict:
    before, after = (_shown(moment, comparison, side) for side in (comparison.before, comparison.after))
    move = f"{comparison.name} went from {number_text(before)} to {number_text(after)}"
    reason = f"{move} while {trial.proposal.parameter} was on trial"
    back = take_back(moment, trial, "guard", reason)
    return conclude(
        moment,
        trial,
        "rolled_back",
        f"{reason}: clearly worse, taken back at once",
        change=back.change,
        version=back.version,
        measured={comparison.name: comparison.measured(moment.policy)},
        samples={comparison.name: round(comparison.after.samples)},
        evidence={"sure_worse": 1 - comparison.p_better},
    )


def _shown(moment: Moment, comparison: Comparison, side: Estimate) -> float:
    return shown(comparison.metric, side.value, moment.policy)
