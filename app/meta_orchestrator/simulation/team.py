"""The team: everything put together, work that arrives, faults that befall it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import simpy

from meta_orchestrator.messages.fields import Value
from meta_orchestrator.simulation.agents import Agent, Pool
from meta_orchestrator.simulation.chance import Chance
from meta_orchestrator.simulation.conditions import Conditions, Member
from meta_orchestrator.simulation.configuration import BASELINE, Configuration
from meta_orchestrator.simulation.council import Council
from meta_orchestrator.simulation.feedback import Feedback
from meta_orchestrator.simulation.flow import Flow
from meta_orchestrator.simulation.liar import Liar
from meta_orchestrator.simulation.operators import Operators
from meta_orchestrator.simulation.truth import HOUR_S, Truth
from meta_orchestrator.simulation.work import new_task
from meta_orchestrator.simulation.world import Publish, Steps, World

RAMP_STEPS = 24


@dataclass(frozen=True)
class Fault:
    """At `at_s` some conditions change by themselves, at once or little by little; agents go, agents come."""

    at_s: float = 0.0
    changes: Mapping[str, Any] = field(default_factory=dict)
    over_s: float = 0.0
    leave: tuple[str, ...] = ()
    join: tuple[Member, ...] = ()


class Team:
    """`env` is the clock (the driver runs it), `publish` hears every message, `apply` sets the configuration."""

    def __init__(
        self,
        env: simpy.Environment,
        publish: Publish,
        seed: int = 0,
        conditions: Conditions | None = None,
        faults: tuple[Fault, ...] = (),
        config: Mapping[str, Value] | None = None,
    ) -> None:
        self.config: dict[str, Value] = dict(BASELINE if config is None else config)
        self.applied: list[tuple[float, dict[str, Value]]] = []
        """(seconds, the whole configuration from then on), as a run that repeats this one needs it."""
        given = conditions or Conditions()
        truth = Truth(given.demand, given.scale)
        self.world = World(env, Chance(seed), given, Configuration.of(self.config), publish, truth)
        self.agents: list[Agent] = []
        self.pools = {kind: Pool(self.world, ()) for kind in ("planner", "coder", "reviewer", "tester")}
        self.council = Council(self.world, [])
        self.flow = Flow(self.world, self.pools, self.council, Operators(self.world))
        self.feedback = Feedback(self.world)
        for member in given.roster:
            self._join(member)
        for process in (self._arrivals(), self._keep_books(), *map(self._befall, faults)):
            env.process(process)

    @property
    def truth(self) -> Truth:
        return self.world.truth

    def apply(self, config: Mapping[str, Value]) -> None:
        """Obey: from now on this configuration counts."""
        self.world.configuration = Configuration.of(self.config | dict(config))
        self.config |= config
        self.applied.append((self.world.now, dict(self.config)))
        for pool in self.pools.values():
            pool.serve()

    def hear_of(self, change: str, parameters: Iterable[str]) -> None:
        """Tell the agents what was changed: some will say what they think of it."""
        self.feedback.ask(change, parameters, self.agents)

    def _join(self, member: Member) -> None:
        agent = Agent(self.world, member)
        self.agents.append(agent)
        self.truth.capacity.move(member.capacity, self.world.now)
        self.pools[member.type].agents.append(agent)
        if member.type in self.world.conditions.voters:
            self.council.members.append(agent)
        data = {"agent": member.name, "agent_type": member.type, "skills": list(member.skills)}
        self.world.publish("agent.registered", data | {"capacity": member.capacity}, member.name)
        self.pools[member.type].serve()
        if self.world.conditions.heartbeat_s:
            self.world.env.process(self._heartbeats(agent, self.world.conditions.heartbeat_s))

    def _leave(self, agent: Agent) -> None:
        """It takes nothing new; what lies on its desk it brings to an end."""
        agent.present = False
        self.truth.capacity.move(-agent.member.capacity, self.world.now)
        self.world.publish("agent.deregistered", {"agent": agent.name}, agent.name)

    def _arrivals(self) -> Steps:
        world = self.world
        for number in count(1):
            yield world.pause(world.chance.exponential(world.conditions.interarrival_s, "arrival", number))
            self.flow.ask(new_task(number, world.now, world.chance, world.conditions))

    def _keep_books(self) -> Steps:
        """Every hour, and first of all: what it was by then. Times are products, which do not drift as sums do."""
        for hours in count():
            self.truth.mark(self.world.now)
            yield self.world.pause((hours + 1) * HOUR_S * self.truth.scale - self.world.now)

    def _befall(self, fault: Fault) -> Steps:
        yield self.world.pause(fault.at_s)
        for agent in self.agents:
            if agent.name in fault.leave and agent.present:
                self._leave(agent)
        for member in fault.join:
            self._join(member)
        start = {name: getattr(self.world.conditions, name) for name in fault.changes}
        steps = RAMP_STEPS if fault.over_s else 1
        for step in range(1, steps + 1):
            yield self.world.pause(fault.over_s / steps)
            blended = {name: _blend(start[name], end, step / steps) for name, end in fault.changes.items()}
            self.world.conditions = replace(self.world.conditions, **blended)
        for name in fault.changes.get("liars", ()):
            self.world.env.process(Liar(self.world, name, lambda: self.agents).run())

    def _heartbeats(self, agent: Agent, every_s: float) -> Steps:
        """The share of its capacity that the agent was busy since the last one."""
        yield self.world.pause(every_s * self.world.chance.uniform("heartbeat", agent.name))
        while agent.present:
            start, before = self.world.now, agent.busy.area(self.world.now)
            yield self.world.pause(every_s)
            busy_s = agent.busy.area(self.world.now) - before
            share = min(1.0, busy_s / ((self.world.now - start) * agent.member.capacity))
            data = {"agent": agent.name, "utilization": round(share, 6), "queue_depth": len(agent.desk)}
            if agent.present:
                self.world.publish("agent.heartbeat", data | {"agent_type": agent.member.type}, agent.name)


def _blend(start: Any, end: Any, share: float) -> Any:
    """On the way from one value to another; what is no number jumps at the end."""
    if share >= 1 or isinstance(end, tuple):
        return end
    if isinstance(end, Mapping):
        return {name: _blend(start[name], value, share) for name, value in end.items()}
    return start + (end - start) * share
