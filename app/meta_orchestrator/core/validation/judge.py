"""What a trial has shown so far: the aim, what was expected to move, the guards, and all of it together."""

from dataclasses import dataclass
from math import inf

from meta_orchestrator.core.adaptation.belief import Gain
from meta_orchestrator.core.adaptation.response import posterior_gain
from meta_orchestrator.core.collection.history import RATIOS
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Trial
from meta_orchestrator.core.validation.compare import (
    Comparison,
    before_trial,
    compare,
    compare_pairs,
    during_trial,
)
from meta_orchestrator.core.validation.evidence import Estimate, Rows
from meta_orchestrator.core.validation.feedback import Feedback, feedback_of
from meta_orchestrator.core.validation.gate import Gate, gate, planned_ticks
from meta_orchestrator.core.validation.guards import better_sign, compare_guard, guard_metrics
from meta_orchestrator.core.validation.metrics import internal
from meta_orchestrator.core.validation.overall import overall, overall_in_pairs
from meta_orchestrator.core.validation.periods import pairs


@dataclass(frozen=True)
class Judgement:
    """What a trial showed; `before` and `during` are the rows that were compared."""

    before: Rows
    during: Rows
    comparisons: dict[str, Comparison]
    """Name in `history.RATIOS` → before and during."""
    target: str
    overall: Estimate | None
    """The gain in the objective, as it was measured."""
    posterior: Gain | None
    """The same with the load taken out and with what was known before: what the response model makes of it."""
    gates: tuple[Gate, ...]
    """Of the aim and of all in all, as far as they are known."""
    worse: list[str]
    """Guards that are worse."""
    feedback: Feedback

    @property
    def p_target(self) -> float:
        comparison = self.comparisons.get(self.target)
        return comparison.p_better if comparison else 0.5

    @property
    def p_overall(self) -> float:
        if self.posterior:
            return self.posterior.p_positive
        return self.overall.certainty_above(0) if self.overall else 0.5

    @property
    def p_better(self) -> float:
        """Of the model, which knows of the load; without one as sure as the less sure of the aim and all in all."""
        return self.p_overall if self.posterior else min(self.p_target, self.p_overall)

    @property
    def e_value(self) -> float:
        """Evidence for better that bears a look at every tick: of the weaker of the two."""
        return min((it.e_value for it in self.gates), default=1.0)


def judge(moment: Moment, trial: Trial) -> Judgement:
    """Everything that a verdict rests on."""
    before, during = pairs(trial) if trial.periods else (before_trial(moment, trial), during_trial(moment, trial))
    target, guards = trial.proposal.metric, guard_metrics(trial)
    comparisons = _compared(moment, trial, before, during) | _compared_aim(trial, before, during)
    total = (overall_in_pairs if trial.periods else overall)(moment, before, during)
    effects = [comparisons[target].improvement] if target in comparisons else []
    effects += [total] if total else []
    looked = _looked(moment, trial, before, during)
    sure = 1 - (1 - moment.policy.trial.guard_at) / max(len(guards), 1)  # they share the chance of a false alarm
    return Judgement(
        before=before,
        during=during,
        comparisons=comparisons,
        target=target,
        overall=total,
        posterior=posterior_gain(moment, trial),
        gates=tuple(gate(effect, *looked) for effect in effects),
        worse=[it.name for name, it in comparisons.items() if name in guards and 1 - it.p_better >= sure],
        feedback=feedback_of(moment, trial),
    )


def _looked(moment: Moment, trial: Trial, before: Rows, during: Rows) -> tuple[float, float, float]:
    """Ticks on both sides and the planned ones; of pairs only these, since each brings both sides."""
    if trial.periods:
        return inf, len(during), len(trial.periods) // 2
    return len(before), len(during), planned_ticks(moment, trial)


def expected_metrics(trial: Trial) -> list[str]:
    return [metric for name in trial.proposal.expected if (metric := internal(name))]


def _compared(moment: Moment, trial: Trial, before: Rows, during: Rows) -> dict[str, Comparison]:
    """What was expected to move and the guards, each that has a value on both sides."""
    guards = guard_metrics(trial)
    found = {metric: _compare(trial, metric, before, during) for metric in expected_metrics(trial)}
    for metric in guards:
        found[metric] = (
            compare_pairs(before, during, metric, better_sign(metric))
            if trial.periods
            else compare_guard(moment, before, during, metric)
        )
    return {metric: comparison for metric, comparison in found.items() if comparison}


def _compared_aim(trial: Trial, before: Rows, during: Rows) -> dict[str, Comparison]:
    comparison = _compare(trial, trial.proposal.metric, before, during)
    return {trial.proposal.metric: comparison} if comparison else {}


def _compare(trial: Trial, metric: str, before: Rows, during: Rows) -> Comparison | None:
    sign = better_sign(metric) if RATIOS[metric][2] else _towards(trial, metric)
    return (compare_pairs if trial.periods else compare)(before, during, metric, sign)


def _towards(trial: Trial, metric: str) -> int:
    """A metric that should be neither high nor low is better where the change was meant to move it."""
    return -1 if trial.proposal.expected.get(metric, 1.0) < 0 else 1
