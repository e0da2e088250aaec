"""Short runs of the simulated team, for tests."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import simpy

from meta_orchestrator.simulation.conditions import Conditions
from meta_orchestrator.simulation.configuration import BASELINE
from meta_orchestrator.simulation.team import Fault, Team

HOUR_S = 3600.0
Message = tuple[float, str, dict[str, Any], str]


class Run:
    """A team that has worked for some hours; `books` are those of the time after the first hour."""

    def __init__(
        self, hours: float, seed: int, conditions: Conditions, config: dict[str, Any], faults: tuple[Fault, ...]
    ):
        env = simpy.Environment()
        self.messages: list[Message] = []
        publish = lambda kind, data, source: self.messages.append((env.now, kind, data, source))  # noqa: E731
        self.team = Team(env, publish, seed, conditions, faults, BASELINE | config)
        env.run(until=HOUR_S)
        before, open_before = (env.now, self.team.truth.at(env.now)), self.team.flow.open.area(env.now)
        busy_before = {agent.name: agent.busy.area(env.now) for agent in self.team.agents}
        env.run(until=HOUR_S * (1 + hours))
        self.seconds = HOUR_S * hours
        self.span = self.team.truth.since(before, env.now)
        self.books = dict(self.span.totals)
        self.open = (self.team.flow.open.area(env.now) - open_before) / self.seconds
        self.busy = {
            a.name: (a.busy.area(env.now) - busy_before.get(a.name, 0)) / self.seconds for a in self.team.agents
        }

    def __getitem__(self, name: str) -> float:
        return self.books.get(name, 0.0)

    @property
    def lead_s(self) -> float:
        return self["lead_s"] / self["left"]

    def count(self, kind: str) -> int:
        return sum(message[1] == kind for message in self.messages)


def run(
    hours: float = 4,
    seed: int = 1,
    config: dict[str, Any] | None = None,
    faults: tuple[Fault, ...] = (),
    **conditions: Any,
) -> Run:
    return Run(hours, seed, replace(Conditions(), **conditions), config or {}, faults)


@lru_cache(maxsize=1)
def usual() -> Run:
    """The team as it is, under its baseline."""
    return run()
