"""The figures of an arm against the static team: of a scenario, or of several put together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from meta_orchestrator.core.adaptation.parameters import is_looser
from meta_orchestrator.drivers.evaluation.arms import BEST, STATIC
from meta_orchestrator.drivers.evaluation.counterfactual import Judged
from meta_orchestrator.drivers.evaluation.evaluation import Evaluation
from meta_orchestrator.drivers.evaluation.intervals import Interval, Pair, relative_change, share
from meta_orchestrator.drivers.evaluation.runs import FAULT_AT_H, Config, Run
from meta_orchestrator.policy import Policy
from meta_orchestrator.simulation.scenarios import SCENARIOS
from meta_orchestrator.simulation.truth import Span

SMOOTH_H = 3
"""Hours of the mean by which a recovery is told from a good hour."""
HALF_WAY = 0.5
"""Recovered is who is this far from the static team's utility to the best one's."""
NO_GAP = 0.01
"""Of the utility: where the best fixed configuration gains less than this there is nothing to recover."""
POOLED, OTHERS = "all faulty", "all others"
Count = Callable[[Span], float]

COUNTS: dict[str, Count] = {
    "velocity": lambda span: span["points"],
    "failures": lambda span: span.coordination_failures,
    "utilization": lambda span: span.productive * span["capacity_s"],
    "interventions": lambda span: span.interventions,
    "utility": lambda span: span.utility,
}
"""What is compared; all but the utility are sums over the time from the fault on."""


@dataclass(frozen=True)
class Row:
    """Relative changes against the static team with their 95 % intervals; None where nothing was there to change."""

    name: str
    arm: str
    changes: dict[str, Interval | None]
    right: Interval | None
    """Share of the decisions that were right, of those that are clear."""
    decisions: int
    """Judged ones, the unclear included."""
    unclear: int
    changes_a_day: float
    most_changes_a_day: float
    """Of the busiest run."""
    loosened: int
    """Configurations in force in which a safety parameter was looser than its baseline."""
    gap: Interval | None
    """Share of the way to the best fixed configuration's utility."""
    recovery_h: float | None
    """From the fault until half of that way was made, and stayed so for three hours."""


def rows(done: Evaluation) -> list[Row]:
    """By arm: each scenario, all faulty ones together, and all others."""
    made, names = [], done.plan.scenarios
    faulty = [name for name in names if SCENARIOS[name].is_faulty]
    pooled = {POOLED: faulty, OTHERS: [name for name in names if name not in faulty]}
    for arm in done.policies:
        made += [_row(done, arm, name, [name]) for name in names]
        made += [_row(done, arm, which, some) for which, some in pooled.items() if len(some) > 1]
    return made


def low_utilization(done: Evaluation, scenario: str, policy: Policy) -> bool:
    """Whether the fault leaves the team clearly less of its capacity for productive work than it had before."""
    before = [hours for run in done.of(STATIC, scenario) for hours in run.hours[1:FAULT_AT_H]]
    after = [run.faulty for run in done.of(STATIC, scenario)]
    return _mean(after, "productive") < (1 - policy.pace.dead_band) * _mean(before, "productive")


def _mean(spans: Sequence[Span], name: str) -> float:
    return sum(float(getattr(span, name)) for span in spans) / len(spans)


def _row(done: Evaluation, arm: str, name: str, scenarios: Sequence[str]) -> Row:
    policy = done.policies[arm]
    runs = [run for scenario in scenarios for run in done.of(arm, scenario)]
    judged = [one for one in done.judged if one.arm == arm and one.scenario in scenarios]
    clear = [one for one in judged if one.finding != "unclear"]
    a_day = [run.count("changed") / (len(run.hours) / 24) for run in runs]
    changes = {
        what: relative_change(_pairs(done, arm, _where(done, what, scenarios, policy), of))
        for what, of in COUNTS.items()
    }
    return Row(
        name,
        arm,
        changes,
        share(_right(clear), len(clear)),
        len(judged),
        len(judged) - len(clear),
        sum(a_day) / len(a_day),
        max(a_day),
        sum(_loosened(run, policy) for run in runs),
        _gap(done, arm, scenarios),
        _recovery_h(done, arm, scenarios[0]) if len(scenarios) == 1 else None,
    )


def _where(done: Evaluation, what: str, scenarios: Sequence[str], policy: Policy) -> Sequence[str]:
    """Utilization is asked to rise where it was low."""
    return [name for name in scenarios if what != "utilization" or low_utilization(done, name, policy)]


def _pairs(done: Evaluation, arm: str, scenarios: Sequence[str], of: Count) -> list[Pair]:
    return [
        Pair(name, of(run.faulty), of(done.runs[STATIC, name, run.seed].faulty))
        for name in scenarios
        for run in done.of(arm, name)
    ]


def _right(judged: Sequence[Judged]) -> int:
    return sum(one.finding == "right" for one in judged)


def _loosened(run: Run, policy: Policy) -> int:
    baseline = SCENARIOS[run.scenario].baseline()
    return sum(_is_unsafe(config, baseline, policy) for _, config in run.applied)


def _is_unsafe(config: Config, baseline: Config, policy: Policy) -> bool:
    return any(
        parameter.safety and name in config and is_looser(parameter, config[name], baseline[name])
        for name, parameter in policy.parameters.items()
    )


def _gap(done: Evaluation, arm: str, scenarios: Sequence[str]) -> Interval | None:
    """(adaptive - static) / (best - static), over scenarios in which there is a gap."""
    pairs = []
    for name in scenarios:
        for run, best in zip(done.of(arm, name), done.of(BEST, name), strict=False):
            start = done.runs[STATIC, name, run.seed].faulty.utility
            pairs.append(Pair(name, run.faulty.utility - start, best.faulty.utility - start))
    level = sum(run.faulty.utility for name in scenarios for run in done.of(STATIC, name))
    if sum(pair.before for pair in pairs) < NO_GAP * level:
        return None
    found = relative_change(pairs)
    return found and Interval(found.value + 1, found.low + 1, found.high + 1)


def _recovery_h(done: Evaluation, arm: str, scenario: str) -> float | None:
    if not done.of(BEST, scenario):
        return None
    static, best, own = (_course(done.of(name, scenario)) for name in (STATIC, BEST, arm))
    if best.mean() - static.mean() < NO_GAP * static.mean():
        return None
    there = own >= static + HALF_WAY * (best - static)
    return float(np.argmax(there)) + SMOOTH_H / 2 if there.any() else None


def _course(runs: Sequence[Run]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The utility from the fault on, over the seeds, smoothed."""
    mean = np.mean([[span.utility for span in run.hours[FAULT_AT_H:]] for run in runs], axis=0)
    smoothed: np.ndarray[tuple[int], np.dtype[np.float64]] = np.convolve(mean, np.ones(SMOOTH_H) / SMOOTH_H, "valid")
    return smoothed
