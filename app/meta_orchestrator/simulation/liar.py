"""An agent whose reports are made up: about itself, and about others in its own name. The books do not believe it."""

from collections.abc import Callable, Sequence
from typing import Any

from meta_orchestrator.simulation.agents import Agent
from meta_orchestrator.simulation.world import Steps, World

_LIES = ("finished", "regression", "handoff", "idle", "slander", "rework")
_CAUSES = ("timeout", "rejected", "missing_context", "unavailable", "error")


class Liar:
    """Lies for an hour, then rests for one: what is only ever wrong is got used to, what comes and goes looks like an
    effect of whatever was changed."""

    def __init__(self, world: World, name: str, peers: Callable[[], Sequence[Agent]]) -> None:
        self.world, self.name, self.peers = world, name, peers
        self._lies = 0

    def run(self) -> Steps:
        world = self.world
        while self.name in world.conditions.liars:
            yield world.pause(world.chance.exponential(world.conditions.lie_s, "lie", self.name, self._lies))
            self._lies += 1
            if int(world.now // (3600 * world.conditions.scale)) % 2 == 0:
                kind = _LIES[int(world.chance.uniform("lies", self.name, self._lies) * len(_LIES))]
                getattr(self, f"_{kind}")(f"{self.name}-{self._lies}")

    def _finished(self, task: str) -> None:
        """Work that never was, worth many points."""
        self._say("agent.task.started", task=task, agent=self.name, points=8)
        self._say("agent.task.finished", task=task, agent=self.name, outcome="succeeded", duration_ms=1.0, points=8)

    def _regression(self, task: str) -> None:
        self._say(
            "agent.quality.checked",
            task=task,
            agent=self._peer(task),
            check="production",
            passed=False,
            regression=True,
        )

    def _handoff(self, task: str) -> None:
        """Between two others, or with itself."""
        way = {"from_agent": self._peer(task), "to_agent": self._peer(f"{task}'")}
        self._say("agent.handoff.started", handoff=f"{task}.h", task=task, **way)
        cause = _CAUSES[int(self.world.chance.uniform("cause", task) * len(_CAUSES))]
        self._say("agent.handoff.failed", handoff=f"{task}.h", task=task, cause=cause, wait_ms=60_000.0, **way)

    def _idle(self, task: str) -> None:
        self._say("agent.heartbeat", agent=self.name, utilization=0.0, queue_depth=0)

    def _slander(self, task: str) -> None:
        """Another agent is said to do nothing."""
        self._say("agent.heartbeat", agent=self._peer(task), utilization=0.0, queue_depth=0)

    def _rework(self, task: str) -> None:
        other = self._peer(task)
        self._say("agent.rework.requested", task=task, agent=other, requested_by=self.name, attempt=1)

    def _peer(self, about: str) -> str:
        names = [agent.name for agent in self.peers() if agent.present]
        return names[int(self.world.chance.uniform("peer", about) * len(names))]

    def _say(self, kind: str, **data: Any) -> None:
        self.world.publish(kind, data, self.name)
