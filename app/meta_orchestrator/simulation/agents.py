"""Agents: a desk with a limited number of tasks, and attention that does one thing at a time."""

from collections.abc import Iterable

import simpy

from meta_orchestrator.simulation.conditions import Member
from meta_orchestrator.simulation.truth import PRODUCTIVE, Meter
from meta_orchestrator.simulation.work import Piece
from meta_orchestrator.simulation.world import Steps, World

VOTE, REVIEW, WORK = 0, 1, 2
"""What is served first when an agent looks up."""
_NOTHING = 1e-9  # seconds of work that rounding may leave


class Agent:
    """One member of the team."""

    def __init__(self, world: World, member: Member) -> None:
        self.world, self.member, self.name = world, member, member.name
        self.present = True
        self.desk: list[Piece] = []
        self.busy, self.useful_s, self.came = Meter(), 0.0, world.now
        self._attention = simpy.PriorityResource(world.env, member.capacity)
        self._last: str | None = None

    def factor(self, skill: str | None) -> float:
        """What its speed and a missing skill make of a second of work."""
        skilled = skill is None or skill in self.member.skills
        return (1 if skilled else self.world.conditions.unskilled) / self.member.speed

    def work(self, seconds: float, on: str, activity: str, priority: int = WORK) -> Steps:
        """Spend attention on something, slice by slice; what is more urgent comes between two slices."""
        left = seconds
        while left > _NOTHING:
            with self._attention.request(priority) as turn:
                yield turn
                part = min(left, self.world.conditions.slice_s)
                yield from self._spend(self._switch_s(on), "switch")
                yield from self._spend(part, activity)
            left -= part

    def _switch_s(self, on: str) -> float:
        """The time to get into something else: the more lies on the desk, the longer."""
        if self._last == on:
            return 0.0
        self._last = on
        return self.world.conditions.switch_s * max(0, len(self.desk) - 1)

    def _spend(self, seconds: float, activity: str) -> Steps:
        start = self.world.now
        self.busy.move(+1, start)
        try:
            if seconds > 0:
                yield self.world.pause(seconds)
        finally:  # an interrupted vote has cost its time all the same
            self.busy.move(-1, self.world.now)
            self._book(self.world.now - start, activity)

    def _book(self, seconds: float, activity: str) -> None:
        self.world.truth.count(f"worked_s.{activity}", seconds)
        if activity in PRODUCTIVE:
            self.useful_s += seconds


class Pool:
    """The agents of one type, and the pieces that wait for a place on one of their desks."""

    def __init__(self, world: World, agents: Iterable[Agent]) -> None:
        self.world = world
        self.agents = list(agents)
        self._waiting: list[tuple[Piece, simpy.Event]] = []

    @property
    def present(self) -> list[Agent]:
        return [agent for agent in self.agents if agent.present]

    def claim(self, piece: Piece) -> simpy.Event:
        """An event with the agent on whose desk the piece will lie, as soon as one has room for it."""
        event = self.world.env.event()
        self._waiting.append((piece, event))
        self.serve()
        return event

    def place(self, piece: Piece, agent: Agent) -> simpy.Event:
        """Put it on this desk, room or no room: returned work comes back to its author."""
        agent.desk.append(piece)
        return self.world.env.event().succeed(agent)

    def leave(self, piece: Piece, agent: Agent) -> None:
        """Take the piece from the desk."""
        agent.desk.remove(piece)
        self.serve()

    def serve(self) -> None:
        """Give places to those who wait, first come first served as far as somebody suits them."""
        for entry in list(self._waiting) if self._has_room else ():
            piece, event = entry
            agent = self._best(piece)
            if agent is not None:
                self._waiting.remove(entry)
                agent.desk.append(piece)
                if piece.apart is not None:
                    piece.apart.add(agent.name)
                event.succeed(agent)

    def _best(self, piece: Piece) -> Agent | None:
        """Somebody with room, who will be through with it first."""
        limit = self.world.configuration.wip_limit
        free = [agent for agent in self.present if len(agent.desk) < limit and agent.name not in (piece.apart or ())]
        return min(free, key=lambda a: (a.factor(piece.skill) * (len(a.desk) + 1), a.name), default=None)

    @property
    def _has_room(self) -> bool:
        limit = self.world.configuration.wip_limit
        return any(agent.present and len(agent.desk) < limit for agent in self.agents)

    @property
    def waiting(self) -> int:
        return len(self._waiting)
