"""The simulated team in real time, and its orchestrator, both through the client that anybody would use."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import simpy

from meta_orchestrator.client import Publisher, follow
from meta_orchestrator.simulation.scenarios import SCENARIOS
from meta_orchestrator.simulation.team import Team

PROJECT = "demo"
SCENARIO = SCENARIOS["over_deliberation"]
SCALE = 0.01 / 3
"""Minutes of work become less than a second, a change is through in some five seconds."""
FAULT_AT_S = 40.0
SEED = 1
APPLY_S = 0.5
STEPS = 200
"""Of the simulation, before others get their turn."""


@dataclass
class Stage:
    """The team at work. `applied` are the changes that its orchestrator has put in force: (seconds, version)."""

    publisher: Publisher
    start: float = field(default_factory=time.monotonic)
    applied: list[tuple[float, int]] = field(default_factory=list)
    samples: list[tuple[float, float]] = field(default_factory=list)
    """(seconds, points done by then) from the team's own books."""

    def __post_init__(self) -> None:
        self.env = simpy.Environment()
        self.team: Team = SCENARIO.team(self.env, self._publish, SEED, FAULT_AT_S, SCALE)

    @property
    def seconds(self) -> float:
        """Since the team began."""
        return time.monotonic() - self.start

    @property
    def is_faulty(self) -> bool:
        return float(self.env.now) >= FAULT_AT_S

    async def work(self) -> None:
        """Step by step, each at its time; for ever."""
        while True:
            await asyncio.sleep(max(0.0, self.env.peek() - self.seconds))
            for _ in range(STEPS):
                if self.env.peek() > self.seconds:
                    break
                self.env.step()
            self._keep_books()

    async def obey(self, address: str, trust: Path, heard: Callable[[str], None]) -> None:
        """The orchestrator: name what may be changed, then follow."""
        async with Publisher(broker=address, source="orchestrator", project=PROJECT) as voice:
            await voice.register("orchestrator", self.team.config)
            async for change in follow(PROJECT, broker=address, trust=trust, publisher=voice):
                await asyncio.sleep(APPLY_S)
                self.team.apply(change.config)
                await change.applied()
                self.applied.append((self.seconds, change.version))
                heard(f"The orchestrator has applied and acknowledged version {change.version}.")

    def points_per_hour(self, since_s: float, until_s: float) -> float | None:
        """What the team really got done, by its own books."""
        within = [(at, points) for at, points in self.samples if since_s <= at <= until_s]
        if len(within) < 2 or within[-1][0] - within[0][0] < 1:
            return None
        (first_s, before), (last_s, after) = within[0], within[-1]
        return 3600 * (after - before) / (last_s - first_s)

    def _keep_books(self) -> None:
        now = self.seconds
        if not self.samples or now >= self.samples[-1][0] + 0.5:
            self.samples.append((now, self.team.truth["points"]))

    def _publish(self, kind: str, data: dict[str, Any], source: str) -> None:
        self.publisher.post(kind, data, source=source)
