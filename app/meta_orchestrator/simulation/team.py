"""The team: everything put together, work that arrives, faults that befall it."""

from collections.abc import Mapping
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
from meta_orchestrator.simulation.flow import Flow
from meta_orchestrator.simulation.operators import Operators
from meta_orchestrator.simulation.truth import Truth
from meta_orchestrator.simulation.work import new_task
from meta_orchestrator.simulation.world import Publish, Steps, World


@dataclass(frozen=True)
class Fault:
    """At `at_s` some conditions change by themselves, agents go, agents come."""

    at_s: float
    changes: Mapping[str, Any] = field(default_factory=dict)
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
        self.world = World(env, Chance(seed), conditions or Conditions(), Configuration.of(self.config), publish)
        self.agents: list[Agent] = []
        self.pools = {kind: Pool(self.world, ()) for kind in ("planner", "coder", "reviewer", "tester")}
        self.council = Council(self.world, [])
        self.flow = Flow(self.world, self.pools, self.council, Operators(self.world))
        for member in self.world.conditions.roster:
            self._join(member)
        env.process(self._arrivals())
        for fault in faults:
            env.process(self._befall(fault))

    @property
    def truth(self) -> Truth:
        return self.world.truth

    def apply(self, config: Mapping[str, Value]) -> None:
        """Obey: from now on this configuration counts."""
        self.world.configuration = Configuration.of(self.config | dict(config))
        self.config |= config
        for pool in self.pools.values():
            pool.serve()

    def _join(self, member: Member) -> None:
        agent = Agent(self.world, member)
        self.agents.append(agent)
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
        self.world.publish("agent.deregistered", {"agent": agent.name}, agent.name)

    def _arrivals(self) -> Steps:
        world = self.world
        for number in count(1):
            yield world.pause(world.chance.exponential(world.conditions.interarrival_s, "arrival", number))
            self.flow.take_in(new_task(number, world.now, world.chance, world.conditions))

    def _befall(self, fault: Fault) -> Steps:
        yield self.world.pause(fault.at_s)
        self.world.conditions = replace(self.world.conditions, **fault.changes)
        for agent in self.agents:
            if agent.name in fault.leave and agent.present:
                self._leave(agent)
        for member in fault.join:
            self._join(member)

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
