"""River's bandits at the same knobs: what a library's learner does with the same metrics and no trials.

An arm of the bandit is one step of one parameter, or none; its reward is by how much the objective rose in the period
after it. Thompson sampling, the best of River's in our comparison.
"""

from collections.abc import Iterator
from statistics import fmean

from river.bandit import ThompsonSampling
from river.proba import Gaussian

from meta_orchestrator.core.adaptation.parameters import Direction, fault, is_looser, stepped
from meta_orchestrator.drivers.closed_loop import START_US, ClosedLoop
from meta_orchestrator.drivers.evaluation.runs import FAULT_AT_H, Config, Decided, Run
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.outputs import MetricsSnapshot
from meta_orchestrator.policy import Policy
from meta_orchestrator.simulation.scenarios import SCENARIOS, Scenario
from meta_orchestrator.simulation.truth import HOUR_S

NOTHING = ("", 0)
Step = tuple[str, int]


def bandit_run(scenario: str, seed: int, hours: int, policy: Policy, arm: str) -> Run:
    """The team whose configuration a bandit moves, once in the time of a trial."""
    loop = _Played(policy, SCENARIOS[scenario], seed)
    loop.run(hours * HOUR_S)
    return Run(scenario, arm, seed, loop.team.truth.hours(), loop.team.applied, loop.decided)


class _Played(ClosedLoop):
    """The loop measures, the bandit decides."""

    def __init__(self, policy: Policy, scenario: Scenario, seed: int) -> None:
        self.policy, self.decided = policy, list[Decided]()
        self.shots: list[MetricsSnapshot] = []
        super().__init__(_watching(policy), scenario, seed, FAULT_AT_H * HOUR_S)
        self.player = _Player(policy, dict(self.team.config), seed)

    def output(self, event: CloudEvent) -> None:
        if isinstance(event.data, MetricsSnapshot):
            since_us, trial = event.time_us - START_US, self.policy.trial
            if since_us % self.policy.time.window_us == 0:
                self.shots.append(event.data)
            if since_us % round(trial.review_s * SECOND) == 0 and since_us >= self.policy.pace.warm_up_s * SECOND:
                self._move()

    def _move(self) -> None:
        """By the mean over the period, which then begins anew."""
        score = fmean(_score(shot, self.policy) for shot in self.shots)
        self.shots.clear()
        before = dict(self.team.config)
        after = self.player.move(before, score)
        for moved in (name for name in after if after[name] != before[name]):
            self.orchestrator.impose({moved: after[moved]})
            self.decided.append(Decided(float(self.env.now), "changed", moved, after, before, "the bandit pulled it"))


class _Player:
    def __init__(self, policy: Policy, baseline: Config, seed: int) -> None:
        self.policy, self.baseline = policy, baseline
        self.bandit = ThompsonSampling(reward_obj=Gaussian(), burn_in=1, seed=seed)
        self.last: tuple[Step, float] | None = None

    def move(self, config: Config, score: float) -> Config:
        """Learn from the last pull and pull again; the configuration from now on."""
        if self.last is not None:
            self.bandit.update(self.last[0], score - self.last[1])
        steps = {NOTHING: config} | dict(self._steps(config))
        pulled: Step = self.bandit.pull(list(steps))
        self.last = pulled, score
        return steps[pulled]

    def _steps(self, config: Config) -> Iterator[tuple[Step, Config]]:
        """All that the policy allows."""
        directions: tuple[Direction, Direction] = (1, -1)
        for name, parameter in self.policy.parameters.items():
            for direction in directions if name in config else ():
                value = stepped(parameter, config[name], direction)
                if value is None or fault(parameter, value):
                    continue
                if not (parameter.safety and is_looser(parameter, value, self.baseline[name])):
                    yield (name, direction), config | {name: value}


def _watching(policy: Policy) -> Policy:
    """The loop only measures."""
    recommended = {name: one.model_copy(update={"mode": "recommend"}) for name, one in policy.parameters.items()}
    return policy.model_copy(update={"parameters": recommended})


def _score(shot: MetricsSnapshot, policy: Policy) -> float:
    """The objective's terms from a snapshot; velocity on a scale on which 100 points an hour are half."""
    weights, done = policy.weights(""), shot.counts.get("agent.task.finished", 0) or 1
    used = [share for share in shot.agent_utilization.values() if share is not None]
    velocity = shot.development_velocity
    return (
        weights.velocity * velocity / (velocity + 100)
        - weights.quality * (shot.quality_regression_rate or 0.0)
        - weights.coordination * shot.coordination_failures / done
        + weights.utilization * (fmean(used) if used else 0.0)
    )
