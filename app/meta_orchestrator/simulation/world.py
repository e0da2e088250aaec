"""What all parts of the team share."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import simpy

from meta_orchestrator.simulation.chance import Chance
from meta_orchestrator.simulation.conditions import Conditions
from meta_orchestrator.simulation.configuration import Configuration
from meta_orchestrator.simulation.truth import Truth

Publish: TypeAlias = Callable[[str, dict[str, Any], str], None]
"""(type, data, source) of one message of CONTRACT §3; the time is now."""
Steps: TypeAlias = Generator[simpy.Event, Any, None]
"""A SimPy process, or a part of one."""


@dataclass
class World:
    """Clock, luck, conditions and configuration of one team. The last two are replaced, never changed."""

    env: simpy.Environment
    chance: Chance
    conditions: Conditions
    configuration: Configuration
    publish: Publish
    truth: Truth

    @property
    def now(self) -> float:
        return float(self.env.now)

    def pause(self, seconds: float) -> simpy.Event:
        return self.env.timeout(seconds)

    @contextmanager
    def blocked(self, task: str, agent: str, waiting_for: list[str], tasks: tuple[str, ...] = ()) -> Iterator[None]:
        """The agent can do nothing about the task while others look at it, or before other tasks are done."""
        data: dict[str, Any] = {"task": task, "agent": agent, "waiting_for": waiting_for}
        self.publish("agent.task.blocked", data | ({"waiting_for_tasks": list(tasks)} if tasks else {}), agent)
        yield
        self.publish("agent.task.unblocked", {"task": task, "agent": agent}, agent)

    def since_ms(self, start: float) -> float:
        """Milliseconds from a moment until now, to the microsecond."""
        return round((self.now - start) * 1e3, 3)
