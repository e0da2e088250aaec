"""What a trial has shown so far: the aim, what was expected to move, the guards, and all of it together."""

from dataclasses import dataclass

from meta_orchestrator.core.collection.history import RATIOS
from meta_orchestrator.core.ledger import Trial
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.compare import Comparison, before_trial, compare, during_trial
from meta_orchestrator.core.validation.evidence import Estimate, Rows
from meta_orchestrator.core.validation.feedback import Feedback, feedback_of
from meta_orchestrator.core.validation.gate import Gate, gate, planned_ticks
from meta_orchestrator.core.validation.guards import guard_metrics, worse_is_up
from meta_orchestrator.core.validation.metrics import internal
from meta_orchestrator.core.validation.overall import overall


@dataclass(frozen=True)
class Judgement:
    """What a trial showed; `before` and `during` are the rows that were compared."""

    before: Rows
    during: Rows
    comparisons: dict[str, Comparison]
    """Name in `history.RATIOS` → before and during."""
    target: str
    overall: Estimate | None
    """The gain in the objective."""
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
        return self.overall.certainty_above(0) if self.overall else 0.5

    @property
    def p_better(self) -> float:
        """Better in what was aimed at and better all in all: as sure as the less sure of the two."""
        return min(self.p_target, self.p_overall)

    @property
    def e_value(self) -> float:
        """Evidence for better that bears a look at every tick: of the weaker of the two."""
        return min((it.e_value for it in self.gates), default=1.0)


def judge(moment: Moment, trial: Trial) -> Judgement:
    """Everything that a verdict rests on."""
    before, during = before_trial(moment, trial), during_trial(moment, trial)
    target, guards = trial.proposal.metric, guard_metrics(trial)
    comparisons = compared(trial, [target, *expected_metrics(trial), *guards], before, during)
    total = overall(moment, before, during)
    effects = [it.improvement for name, it in comparisons.items() if name == target] + ([total] if total else [])
    looked = len(before), len(during), planned_ticks(moment, trial)
    sure = moment.policy.trial.guard_at
    return Judgement(
        before=before,
        during=during,
        comparisons=comparisons,
        target=target,
        overall=total,
        gates=tuple(gate(effect, *looked) for effect in effects),
        worse=[it.name for name, it in comparisons.items() if name in guards and 1 - it.p_better >= sure],
        feedback=feedback_of(moment, trial),
    )


def expected_metrics(trial: Trial) -> list[str]:
    return [metric for name in trial.proposal.expected if (metric := internal(name))]


def compared(trial: Trial, metrics: list[str], before: Rows, during: Rows) -> dict[str, Comparison]:
    """Each metric that has a value on both sides."""
    found = {}
    for metric in dict.fromkeys(metrics):
        sign = worse_is_up(metric) if RATIOS[metric][2] else _towards(trial, metric)
        comparison = compare(before, during, metric, sign)
        if comparison:
            found[metric] = comparison
    return found


def _towards(trial: Trial, metric: str) -> int:
    """A metric that should be neither high nor low is better where the change was meant to move it."""
    return -1 if trial.proposal.expected.get(metric, 1.0) < 0 else 1
