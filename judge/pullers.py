"""A team of another making than the product's own simulation, for `judge.stranger`.

Planners pull from a full backlog as soon as they may hold one more; a task is worked on in pieces with waits for the
outside between them, needs longer the more its agent holds, and keeps its place until the next one has room. Handoffs
take a lognormal time and are lost now and then, votes take the voters' time, each reviewer finds half of the defects
that are left, and what escapes comes back as repairs.
"""

import random
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

Config = dict[str, Any]
Say = Callable[[str, Config], None]
Acts = Generator[simpy.Event, Any, None]
"""What takes time."""
CREW = {"planner": 2, "coder": 5, "reviewer": 3, "tester": 2}
CRITICALITIES = {"minor": 45, "normal": 30, "major": 20, "critical": 5}
RISKS = {"minor": 0.2, "normal": 0.4, "major": 0.7, "critical": 1.0}
BASELINE: Config = {
    "consensus.frequency": "critical_changes_only",
    "consensus.threshold.minor": 0.5,
    "consensus.threshold.normal": 0.6,
    "consensus.threshold.major": 0.67,
    "consensus.threshold.critical": 0.75,
    "consensus.max_rounds": 3,
    "workflow.wip_limit": 3,
    "workflow.handoff_timeout_s": 120,
    "workflow.max_rework": 3,
    "workflow.review_depth": 2,
    "quality.min_pass_rate": 0.9,
}


@dataclass
class World:
    """What the team cannot choose. `switching`: so much longer does work take for each further task in hand."""

    outside_s: float = 300.0
    switching: float = 0.12
    latency_s: float = 25.0
    lost: float = 0.02
    defects: float = 0.25
    vote_s: float = 40.0
    approval: float = 0.93
    slow: dict[str, float] = field(default_factory=dict)


@dataclass
class Agent:
    name: str
    kind: str
    attention: simpy.PriorityResource
    held: int = 0
    busy_s: float = 0.0


@dataclass
class Task:
    number: int
    criticality: str
    points: int
    luck: random.Random
    agent: Agent
    defective: bool = False
    attempts: int = 0
    handoffs: int = 0
    began_s: float = 0.0

    @property
    def name(self) -> str:
        return f"task-{self.number}"


class Pullers:
    """`say(type, data)` hears every event; `counts` is what came of it."""

    def __init__(self, env: simpy.Environment, say: Say, seed: int, config: Config, world: World) -> None:
        self.env, self.say, self.seed, self.world = env, say, seed, world
        self.config, self.counts = BASELINE | config, Counter[str]()
        self.agents = [
            Agent(f"{kind}-{number}", kind, simpy.PriorityResource(env))
            for kind, many in CREW.items()
            for number in range(many)
        ]
        self.freed, self.tasks, self.version = env.event(), 0, 0
        say("orchestrator.registered", {"orchestrator": "pullers", "supports": dict(self.config)})
        self._register()
        for agent in self.agents:
            env.process(self._beat(agent))
            if agent.kind == "planner":
                env.process(self._pull(agent))

    def obey(self, version: int, config: Config, change: str) -> None:
        if version > self.version:
            self.version, self.config = version, self.config | config
            self.say("config.applied", {"change": change, "version": version})
            self._register()
            self._free()

    def _register(self) -> None:
        for agent in self.agents:
            limit = self.config["workflow.wip_limit"]
            self.say("agent.registered", {"agent": agent.name, "agent_type": agent.kind, "capacity": limit})

    def _beat(self, agent: Agent) -> Acts:
        while True:
            before = agent.busy_s
            yield self.env.timeout(60)
            done = min((agent.busy_s - before) / 60, 1.0)
            beat = {"agent": agent.name, "agent_type": agent.kind, "utilization": round(done, 4)}
            self.say("agent.heartbeat", beat | {"queue_depth": len(agent.attention.queue)})

    def _pull(self, agent: Agent) -> Acts:
        while True:
            while agent.held < self.config["workflow.wip_limit"]:
                self.tasks += 1
                self.env.process(self._life(self._new(agent)))
            yield self.freed

    def _new(self, agent: Agent) -> Task:
        agent.held += 1
        luck = random.Random(f"{self.seed}/{self.tasks}")
        criticality = luck.choices(list(CRITICALITIES), list(CRITICALITIES.values()))[0]
        return Task(self.tasks, criticality, luck.choice([1, 2, 3, 3, 5]), luck, agent, began_s=float(self.env.now))

    def _life(self, task: Task) -> Acts:
        """From the plan to the end."""
        self._started(task)
        yield from self._visit(task, 150)
        coder = yield from self._hand_over(task, "coder")
        task.defective = task.luck.random() < self.world.defects
        yield from self._visit(task, 140 + 120 * task.points)
        if self._is_voted_on(task):
            yield from self._vote(task)
        while True:
            yield from self._hand_over(task, "reviewer")
            passed = yield from self._review(task)
            if passed:
                yield from self._hand_over(task, "tester")
                passed = yield from self._test(task)
            if passed or self._too_often(task):
                break
            yield from self._hand_over(task, "coder", coder)
            yield from self._visit(task, 70 + 60 * task.points)
            task.defective = task.defective and task.luck.random() < 0.5
        self._finish(task, coder)

    def _work(self, agent: Agent, seconds: float, priority: int = 5) -> Acts:
        """Of one agent at one thing at a time."""
        with agent.attention.request(priority) as turn:
            yield turn
            seconds *= self.world.slow.get(agent.name, 1.0) * (1 + self.world.switching * max(agent.held - 1, 0))
            while seconds > 0:  # in pieces, so that heartbeats tell it as it goes
                piece = min(seconds, 30.0)
                yield self.env.timeout(piece)
                agent.busy_s, seconds = agent.busy_s + piece, seconds - piece

    def _visit(self, task: Task, seconds: float, pieces: int = 3) -> Acts:
        seconds *= task.luck.lognormvariate(0, 0.3)
        for _ in range(pieces):
            yield from self._work(task.agent, seconds / pieces)
            yield self.env.timeout(task.luck.expovariate(1 / self.world.outside_s))

    def _hand_over(self, task: Task, kind: str, back_to: Agent | None = None) -> Generator[simpy.Event, Any, Agent]:
        """To whoever holds least, as soon as somebody has room; back to who knows it in any case."""
        failures = 0
        while True:
            to = back_to or (yield from self._room(kind))
            to.held += back_to is not None
            failures = failures + 1 if not (yield from self._arrives(task, to)) else 0
            if not failures:
                return to
            if failures == 4:
                yield from self._call(task, "handoff_stuck", 300)

    def _room(self, kind: str) -> Generator[simpy.Event, Any, Agent]:
        while True:
            room = [it for it in self.agents if it.kind == kind and it.held < self.config["workflow.wip_limit"]]
            if room:
                to = min(room, key=lambda it: it.held)
                to.held += 1
                return to
            yield self.freed

    def _arrives(self, task: Task, to: Agent) -> Generator[simpy.Event, Any, bool]:
        """One handoff; whether it was taken over in time."""
        task.handoffs += 1
        sent: Config = {"handoff": f"{task.name}-{task.handoffs}", "task": task.name}
        sent |= {"from_agent": task.agent.name, "to_agent": to.name}
        latency_s = self.world.latency_s * task.luck.lognormvariate(0, 0.7)
        timeout_s = self.config["workflow.handoff_timeout_s"]
        fails = task.luck.random() < self.world.lost or latency_s > timeout_s
        self.say("agent.handoff.started", sent)
        took_s = timeout_s if fails else latency_s
        yield self.env.timeout(took_s)
        wait = {"wait_ms": round(took_s * 1000)}
        if fails:
            self.counts["failures"] += 1
            self.say("agent.handoff.failed", sent | wait | {"cause": "timeout"})
            self._leave(to)
            yield from self._work(task.agent, 45, 3)
            return False
        self.say("agent.handoff.completed", sent | wait)
        self._leave(task.agent)
        task.agent = to
        self._started(task)
        return True

    def _is_voted_on(self, task: Task) -> bool:
        frequency = self.config["consensus.frequency"]
        if frequency.startswith("adaptive_threshold"):
            return RISKS[task.criticality] >= float(frequency[19:-1])
        return frequency != "critical_changes_only" or task.criticality in ("major", "critical")

    def _vote(self, task: Task) -> Acts:
        for attempt in range(1, self.config["consensus.max_rounds"] + 1):
            agreed = yield from self._round(task, attempt, attempt == self.config["consensus.max_rounds"])
            if agreed:
                return
            self.counts["failures"] += 1
            yield from self._work(task.agent, 60, 3)
        yield from self._call(task, "no_agreement", 300)

    def _round(self, task: Task, attempt: int, last: bool) -> Generator[simpy.Event, Any, bool]:
        voters = task.luck.sample([it for it in self.agents if it.kind != "tester" and it is not task.agent], 5)
        name, opened_s = f"{task.name}-round-{attempt}", self.env.now
        threshold = self.config[f"consensus.threshold.{task.criticality}"]
        asked: Config = {"round": name, "item": task.name, "criticality": task.criticality, "attempt": attempt}
        asked |= {"eligible": [it.name for it in voters], "threshold": threshold}
        self.say("consensus.round.opened", asked)
        votes = [task.luck.random() < self.world.approval for _ in voters]
        cast = zip(voters, votes, strict=True)
        yield self.env.all_of([self.env.process(self._cast(name, *one)) for one in cast])
        agreed = bool(sum(votes) / len(votes) >= threshold)
        closed: Config = {"round": name, "item": task.name, "outcome": "accepted" if agreed else "rejected"}
        closed |= {"latency_ms": round((self.env.now - opened_s) * 1000), "attempt": attempt, "final": agreed or last}
        self.say("consensus.round.closed", closed)
        return agreed

    def _cast(self, name: str, voter: Agent, approves: bool) -> Acts:
        yield from self._work(voter, self.world.vote_s, 1)
        choice = "approve" if approves else "reject"
        self.say("consensus.vote.cast", {"round": name, "agent": voter.name, "choice": choice})

    def _review(self, task: Task) -> Generator[simpy.Event, Any, bool]:
        depth = self.config["workflow.review_depth"]
        yield from self._visit(task, 25 + 130 * depth, 2)
        return self._checked(task, "review", passed=not (task.defective and task.luck.random() < 1 - 0.5**depth))

    def _test(self, task: Task) -> Generator[simpy.Event, Any, bool]:
        yield from self._visit(task, 170, 2)
        failing = 0.22 if task.defective else 0.03
        share = sum(task.luck.random() >= failing for _ in range(10)) / 10
        return self._checked(task, "tests", passed=share >= self.config["quality.min_pass_rate"] - 1e-9)

    def _checked(self, task: Task, check: str, *, passed: bool, regression: bool = False) -> bool:
        found: Config = {"task": task.name, "agent": task.agent.name, "check": check, "passed": passed}
        self.say("agent.quality.checked", found | {"regression": regression})
        if not passed:
            task.attempts += 1
            asked = {"task": task.name, "agent": task.agent.name, "requested_by": task.agent.name, "reason": check}
            self.say("agent.rework.requested", asked | {"attempt": task.attempts})
        return passed

    def _too_often(self, task: Task) -> bool:
        """An operator lets it pass in the end."""
        if task.attempts <= self.config["workflow.max_rework"]:
            return False
        self._called(task, "rework_exceeded")
        return True

    def _finish(self, task: Task, coder: Agent) -> None:
        self.counts["points"] += task.points
        took = {"duration_ms": round((self.env.now - task.began_s) * 1000), "points": task.points}
        self.say("agent.task.finished", {"task": task.name, "agent": task.agent.name, "outcome": "succeeded"} | took)
        self._leave(task.agent)
        if task.defective:
            self.env.process(self._repair(task, coder))

    def _repair(self, task: Task, coder: Agent) -> Acts:
        """What escaped is met about an hour later and takes the time of who wrote it."""
        yield self.env.timeout(task.luck.expovariate(1 / 3600))
        self.counts["regressions"] += 1
        self._checked(task, "production", passed=False, regression=True)
        yield from self._work(coder, 100 + 110 * task.points, 4)

    def _call(self, task: Task, reason: str, seconds: float) -> Acts:
        self._called(task, reason)
        yield self.env.timeout(seconds)

    def _called(self, task: Task, reason: str) -> None:
        self.counts["calls"] += 1
        kind = "reassign" if reason == "handoff_stuck" else "override"
        self.say("operator.intervened", {"operator": "olga", "kind": kind, "task": task.name, "reason": reason})

    def _started(self, task: Task) -> None:
        begun = {"task": task.name, "agent": task.agent.name, "criticality": task.criticality, "points": task.points}
        self.say("agent.task.started", begun)

    def _leave(self, agent: Agent) -> None:
        agent.held -= 1
        self._free()

    def _free(self) -> None:
        """Whoever waits for room looks again."""
        waiting, self.freed = self.freed, self.env.event()
        waiting.succeed()
