"""Metrics that must not get worse while a change is on trial: judged at every tick, by what bears so many looks."""

from dataclasses import dataclass, replace

import numpy as np

from meta_orchestrator.core.collection.history import RATIOS
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Trial
from meta_orchestrator.core.validation.compare import Comparison, before_trial, compare, during_trial
from meta_orchestrator.core.validation.conclude import Verdict, conclude, named, take_back
from meta_orchestrator.core.validation.evidence import Estimate, Rows
from meta_orchestrator.core.validation.gate import gate, planned_ticks
from meta_orchestrator.core.validation.metrics import internal, shown
from meta_orchestrator.core.validation.onset import since_onset
from meta_orchestrator.messages.wording import number_text


@dataclass(frozen=True)
class Looked:
    """What is compared: rows on both sides, the ticks `before` stands for, and the ticks that are planned."""

    before: Rows
    during: Rows
    ticks: int
    planned: float


def guarded(moment: Moment, trial: Trial) -> Verdict | None:
    """Take the change back at once if an announced guard is clearly worse; a freeze does not hold this up."""
    if trial.applied_us is None:
        return None
    before, during = sides(moment, trial)
    found = worst(moment, trial, Looked(before, during, len(before), planned_ticks(moment, trial)))
    if found is None:
        return None
    return safety_rollback(moment, trial, found, f"while {trial.proposal.parameter} was on trial")


def sides(moment: Moment, trial: Trial) -> tuple[Rows, Rows]:
    """Ticks under the old value and under the new one; of a switchback the measured parts of its periods."""
    before = before_trial(moment, trial)
    if not trial.periods:
        return before, during_trial(moment, trial, settled=False)
    measured = [
        (it.tried, moment.history.between(it.from_us, min(it.end_us, moment.tick_us)))
        for it in trial.periods
        if it.from_us is not None
    ]
    old, new = ([rows for tried, rows in measured if tried is side] for side in (False, True))
    return np.concatenate([before, *old]), np.concatenate([before[:0], *new])


def worst(moment: Moment, trial: Trial, looked: Looked, tests: int = 1) -> Comparison | None:
    """The first guard that is clearly worse, if one is; `tests` share the allowed error."""
    metrics = guard_metrics(trial)
    for metric in metrics:
        comparison = compare_guard(moment, looked.before, looked.during, metric)
        if comparison and _is_clearly_worse(moment, comparison, looked, tests * len(metrics)):
            return comparison
    return None


def compare_guard(moment: Moment, before: Rows, during: Rows, metric: str) -> Comparison | None:
    """A guard with what it was by the time of the change: what had got worse before is not charged to that."""
    better = better_sign(metric)
    return compare(since_onset(moment.policy, before, metric, -better), during, metric, better)


def guard_metrics(trial: Trial) -> list[str]:
    """Names in `history.RATIOS` of the guards that the change announced."""
    metrics = [internal(guard["metric"]) for guard in trial.published.get("rollback_if", [])]
    return [metric for metric in metrics if metric]


def better_sign(metric: str) -> int:
    """The sign by which better is up; a metric without a direction guards against falling."""
    return RATIOS[metric][2] or 1


def safety_rollback(moment: Moment, trial: Trial, comparison: Comparison, when: str) -> Verdict:
    """The value from before the trial again, now."""
    before, after = (_shown(moment, comparison, side) for side in (comparison.before, comparison.after))
    reason = f"{comparison.name} went from {number_text(before)} to {number_text(after)} {when}"
    back = take_back(moment, trial, "guard", reason)
    verdict = conclude(
        moment,
        trial,
        "rolled_back",
        f"{reason}: clearly worse, taken back at once",
        **named(back),
        measured={comparison.name: comparison.measured(moment.policy)},
        samples={comparison.name: round(comparison.after.samples)},
        evidence={"sure_worse": 1 - comparison.p_better},
    )
    return replace(verdict, guarded=True)


def _is_clearly_worse(moment: Moment, comparison: Comparison, looked: Looked, tests: int) -> bool:
    """Beyond the margin by more than chance allows to somebody who looks at every tick and at all guards."""
    policy = moment.policy
    if min(comparison.before.samples, comparison.after.samples) < policy.samples.rate:
        return False
    margin = policy.trial.guard_margin * abs(comparison.before.value)
    beyond = replace(comparison.improvement, value=comparison.improvement.value + margin)
    found = gate(beyond, looked.ticks, len(looked.during), looked.planned)
    return found.says_worse(policy.trial.guard_alpha / tests)


def _shown(moment: Moment, comparison: Comparison, side: Estimate) -> float:
    return shown(comparison.metric, side.value, moment.policy)
