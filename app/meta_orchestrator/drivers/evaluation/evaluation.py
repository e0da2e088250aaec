"""All runs of an evaluation, and what they came to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from random import Random

from meta_orchestrator.drivers.evaluation.arms import BEST, STATIC, runner
from meta_orchestrator.drivers.evaluation.clairvoyant import DIRECTIONS, SEEDS, best_config
from meta_orchestrator.drivers.evaluation.counterfactual import Judged, judge
from meta_orchestrator.drivers.evaluation.crew import Crew, Job
from meta_orchestrator.drivers.evaluation.plan import Plan
from meta_orchestrator.drivers.evaluation.runs import FAULT_AT_H, Config, Decided, Run, static
from meta_orchestrator.policy import Policy

CONTROL_COST = 8.0
"""What an hour with a controller costs, in hours without: for the bar."""
OTHERS = 3
ENDS = ("kept", "rolled_back")
"""Verdicts that say that a change was good, or was not."""


@dataclass
class Evaluation:
    """`runs[arm, scenario, seed]`; `best` is the clairvoyant's configuration of a scenario."""

    plan: Plan
    policies: dict[str, Policy]
    runs: dict[tuple[str, str, int], Run] = field(default_factory=dict)
    judged: list[Judged] = field(default_factory=list)
    best: dict[str, Config] = field(default_factory=dict)
    unfinished: int = 0
    """Jobs that were begun for nothing or not at all, because a person stopped it."""

    def of(self, arm: str, scenario: str) -> list[Run]:
        """One arm's runs of a scenario, by seed."""
        return [self.runs[arm, scenario, seed] for seed in self.plan.seeds if (arm, scenario, seed) in self.runs]

    @property
    def days(self) -> float:
        """Of one run, from the fault on."""
        return self.plan.hours / 24


def evaluate(plan: Plan, policies: dict[str, Policy], crew: Crew) -> Evaluation:
    """First what depends on nothing, then what follows from it. Of one that is stopped all counts that can be compared:
    pairs of which every arm has its run."""
    first = _first_jobs(plan, policies)
    results = crew.run(first)
    done = Evaluation(plan, policies, unfinished=results.count(None))
    done.best = {given[0]: one for (_, do, given), one in zip(first, results, strict=True) if one and do is best_config}
    done.runs = _paired(plan, policies, (one for one in results if isinstance(one, Run)))
    done.plan = replace(plan, scenarios=tuple(name for name in plan.scenarios if done.of(STATIC, name)))
    second = [*_judge_jobs(_chosen(done), plan), *_best_jobs(done)]
    results = crew.run(second)
    done.unfinished += results.count(None)
    done.judged = [one for one in results if isinstance(one, Judged)]
    if not crew.stopped:  # else the best would have other seeds than those that it is compared with
        done.runs |= {(run.arm, run.scenario, run.seed): run for run in results if isinstance(run, Run)}
    return done


def _pairs(plan: Plan) -> Iterator[tuple[str, int]]:
    return ((scenario, seed) for scenario in plan.scenarios for seed in plan.seeds)


def _paired(plan: Plan, policies: dict[str, Policy], runs: Iterable[Run]) -> dict[tuple[str, str, int], Run]:
    """Those of pairs of which no arm is missing, in the order of the plan: what is drawn by lot depends on it."""
    found = {(run.arm, run.scenario, run.seed): run for run in runs}
    arms = (STATIC, *policies)
    whole = [pair for pair in _pairs(plan) if all((arm, *pair) in found for arm in arms)]
    return {(arm, *pair): found[arm, *pair] for arm in arms for pair in whole}


def _first_jobs(plan: Plan, policies: dict[str, Policy]) -> list[Job]:
    """The first pair of every scenario, the searches (the longest ones), the other pairs: whoever stops it early has
    seen a little of everything, and no core waits long for the last one."""
    rounds = [_pair_jobs(plan, policies, seed) for seed in plan.seeds]
    return [*rounds[0], *_search_jobs(plan, next(iter(policies.values()))), *chain.from_iterable(rounds[1:])]


def _pair_jobs(plan: Plan, policies: dict[str, Policy], seed: int) -> Iterator[Job]:
    """Of each scenario with one seed."""
    hours = FAULT_AT_H + plan.hours
    for scenario in plan.scenarios:
        for arm, policy in policies.items():
            yield CONTROL_COST * hours, runner(arm), (scenario, seed, hours, policy, arm)
        yield hours, static, (scenario, seed, hours, {}, STATIC)


def _search_jobs(plan: Plan, policy: Policy) -> list[Job]:
    """About three tries a parameter and round."""
    if not plan.search_rounds:
        return []
    tries = 1 + plan.search_rounds * len(DIRECTIONS) * 1.5 * len(policy.parameters)
    hours = tries * len(SEEDS) * (FAULT_AT_H + plan.search_hours)
    return [(hours, best_config, (name, policy, plan.search_hours, plan.search_rounds)) for name in plan.scenarios]


def _best_jobs(done: Evaluation) -> list[Job]:
    hours = FAULT_AT_H + done.plan.hours
    pairs = [(name, seed) for name, seed in _pairs(done.plan) if name in done.best]
    return [(hours, static, (name, seed, hours, done.best[name], BEST)) for name, seed in pairs]


def _chosen(done: Evaluation) -> list[tuple[Run, Decided]]:
    """Of each arm all decisions, or as many as the plan can afford: of the first, whose share of right ones is what is
    asked for, three times as many as of those that are only compared with it."""
    first = next(iter(done.policies))
    most = {arm: done.plan.judged if arm == first else done.plan.judged // OTHERS for arm in done.policies}
    return [one for arm, number in most.items() for one in _drawn(done, arm, number)]


def _drawn(done: Evaluation, arm: str, number: int) -> list[tuple[Run, Decided]]:
    """By lot, whose seed is fixed."""
    runs = [run for run in done.runs.values() if run.arm == arm]
    ended = [(run, decided) for run in runs for decided in run.decided if decided.verdict in ENDS]
    lot = Random(1)  # noqa: S311 - a lot that falls the same each time
    return ended if len(ended) <= number else lot.sample(ended, number)


def _judge_jobs(chosen: Sequence[tuple[Run, Decided]], plan: Plan) -> list[Job]:
    return [
        (2 * (decided.at_s / 3600 + plan.judged_hours), judge, (_head(run, decided), decided, plan.judged_hours))
        for run, decided in chosen
    ]


def _head(run: Run, decided: Decided) -> Run:
    """Only what the judge needs: books of hours are large to send."""
    return Run(run.scenario, run.arm, run.seed, applied=[past for past in run.applied if past[0] < decided.at_s])
