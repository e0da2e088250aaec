"""All runs of an evaluation, and what they came to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from meta_orchestrator.drivers.evaluation.arms import BEST, STATIC, runner
from meta_orchestrator.drivers.evaluation.clairvoyant import DIRECTIONS, SEEDS, best_config
from meta_orchestrator.drivers.evaluation.counterfactual import Judged, judge
from meta_orchestrator.drivers.evaluation.crew import Crew, Job
from meta_orchestrator.drivers.evaluation.plan import Plan
from meta_orchestrator.drivers.evaluation.runs import FAULT_AT_H, Config, Decided, Run, static
from meta_orchestrator.policy import Policy

CONTROL_COST = 8.0
"""What an hour with a controller costs, in hours without: for the bar, and for what goes first."""
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

    def of(self, arm: str, scenario: str) -> list[Run]:
        """One arm's runs of a scenario, by seed."""
        return [self.runs[arm, scenario, seed] for seed in self.plan.seeds if (arm, scenario, seed) in self.runs]

    @property
    def days(self) -> float:
        """Of one run, from the fault on."""
        return self.plan.hours / 24


def evaluate(plan: Plan, policies: dict[str, Policy], crew: Crew) -> Evaluation:
    """First what depends on nothing, then what follows from it."""
    done = Evaluation(plan, policies)
    first = [*_static_jobs(plan), *_controlled_jobs(plan, policies)]
    search = _search_jobs(plan, next(iter(policies.values())))
    results = crew.run([*first, *search])
    done.best = dict(zip(plan.scenarios, results[len(first) :], strict=False))
    done.runs = {(run.arm, run.scenario, run.seed): run for run in results[: len(first)]}
    chosen = _chosen(done)
    second = [*_judge_jobs(chosen, plan), *_best_jobs(done)]
    results = crew.run(second)
    done.judged = results[: len(chosen)]
    done.runs |= {(run.arm, run.scenario, run.seed): run for run in results[len(chosen) :]}
    return done


def _pairs(plan: Plan) -> Iterator[tuple[str, int]]:
    return ((scenario, seed) for scenario in plan.scenarios for seed in plan.seeds)


def _static_jobs(plan: Plan) -> list[Job]:
    hours = FAULT_AT_H + plan.hours
    return [(hours, static, (scenario, seed, hours, {}, STATIC)) for scenario, seed in _pairs(plan)]


def _controlled_jobs(plan: Plan, policies: dict[str, Policy]) -> list[Job]:
    hours = FAULT_AT_H + plan.hours
    return [
        (CONTROL_COST * hours, runner(arm), (scenario, seed, hours, policy, arm))
        for arm, policy in policies.items()
        for scenario, seed in _pairs(plan)
    ]


def _search_jobs(plan: Plan, policy: Policy) -> list[Job]:
    """About three tries a parameter and round."""
    if not plan.search_rounds:
        return []
    tries = 1 + plan.search_rounds * len(DIRECTIONS) * 1.5 * len(policy.parameters)
    hours = tries * len(SEEDS) * (FAULT_AT_H + plan.search_hours)
    return [(hours, best_config, (name, policy, plan.search_hours, plan.search_rounds)) for name in plan.scenarios]


def _best_jobs(done: Evaluation) -> list[Job]:
    hours = FAULT_AT_H + done.plan.hours
    pairs = _pairs(done.plan) if done.best else ()
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
