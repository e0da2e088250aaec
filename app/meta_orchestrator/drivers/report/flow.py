"""How work moved: between whom, how often straight back, how long it waited, who did how much of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from meta_orchestrator.drivers.report.spread import Spread
from meta_orchestrator.messages.event import Event

MOST_AGENTS = 50_000
MOST_PAIRS = 200_000
MOST_TASKS = 100_000
SHOWN_TASKS = 5


@dataclass
class AgentFlow:
    finished: int = 0
    """Tasks; an item whose steps are told apart is none."""
    durations_ms: Spread = field(default_factory=Spread)
    waits_ms: Spread = field(default_factory=Spread)
    """Of the handoffs that it received."""
    reworked: int = 0
    """Times its work was asked for again."""


@dataclass
class PairFlow:
    """Two agents, both directions together."""

    handoffs: int = 0
    returns: int = 0
    """Handoffs that undid the one before them of the same task."""
    failed: int = 0


@dataclass
class TaskFlow:
    name: str
    handoffs: int = 0
    returns: int = 0
    reworks: int = 0
    last: tuple[str, str] | None = None
    """(from, to) of its last handoff."""

    @property
    def trouble(self) -> tuple[int, int, int]:
        """The more, the worse."""
        return self.returns, self.reworks, self.handoffs


class Flow:
    """One project's lines, in the order of the file."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.first_us: int | None = None
        self.last_us: int | None = None
        self.agents: dict[str, AgentFlow] = {}
        self.pairs: dict[tuple[str, str], PairFlow] = {}
        self.causes: Counter[str] = Counter()
        self.worst: list[TaskFlow] = []
        """Of those that were counted, the most troubled first."""
        self.handoffs = self.returns = self.reworks = 0
        self.steps = self.items = 0
        self.tasks = self.bounced = self.redone = 0
        """Tasks (steps left out), those with an A-B-A, those with rework: each when no more is heard of it."""
        self.rounds_repeated = 0
        self._returned = bytearray()
        """Of each handoff, in their order, whether it went straight back."""
        self._open: dict[str, TaskFlow] = {}
        self._items: dict[str, None] = {}

    def observe(self, event: Event) -> None:
        """One line."""
        self.counts[event[3]] += 1
        self.first_us = event[0] if self.first_us is None else min(self.first_us, event[0])
        self.last_us = event[0] if self.last_us is None else max(self.last_us, event[0])
        take = _TAKE.get(event[3])
        if take is not None:
            take(self, event[4])

    def close(self) -> None:
        """What is still open at the end counts as it is."""
        for name in list(self._open):
            self._over(name)

    @property
    def waits_ms(self) -> Spread:
        """Of all handoffs."""
        return Spread.together(agent.waits_ms for agent in self.agents.values())

    def returned(self) -> tuple[float, float]:
        """The share of handoffs that went straight back, in their first half and in the second."""
        middle = len(self._returned) // 2
        halves = self._returned[:middle], self._returned[middle:]
        first, second = (sum(half) / len(half) if half else 0.0 for half in halves)
        return first, second

    def _started(self, data: dict[str, Any]) -> None:
        item = data.get("item")
        if item and item != data["task"]:
            self._items[item] = None
            _keep(self._items, MOST_TASKS)

    def _finished(self, data: dict[str, Any]) -> None:
        name = data["task"]
        is_item = name in self._items
        self._items.pop(name, None)
        self.items += is_item
        if not is_item:
            agent = self._agent(data["agent"])
            agent.finished += 1
            agent.durations_ms.add(data["duration_ms"])
        if data.get("points") == 0:
            self.steps += 1
        elif data["outcome"] == "succeeded" or is_item:
            self._task(name)

    def _passed(self, data: dict[str, Any]) -> None:
        """A handoff that arrived."""
        self.handoffs += 1
        way = data["from_agent"], data["to_agent"]
        pair, task = self._pair(way), self._task(data["task"])
        pair.handoffs += 1
        task.handoffs += 1
        returned = task.last == way[::-1]
        self._returned.append(returned)
        self.returns += returned
        pair.returns += returned
        task.returns += returned
        task.last = way
        self._agent(way[1]).waits_ms.add(data["wait_ms"])

    def _failed(self, data: dict[str, Any]) -> None:
        self.causes[data["cause"]] += 1
        self._pair((data["from_agent"], data["to_agent"])).failed += 1

    def _rework(self, data: dict[str, Any]) -> None:
        self.reworks += 1
        self._task(data["task"]).reworks += 1
        self._agent(data["agent"]).reworked += 1

    def _closed(self, data: dict[str, Any]) -> None:
        self.rounds_repeated += data["attempt"] > 1

    def _agent(self, name: str) -> AgentFlow:
        if name not in self.agents and len(self.agents) >= MOST_AGENTS:
            name = "(others)"
        return self.agents.setdefault(name, AgentFlow())

    def _pair(self, way: tuple[str, str]) -> PairFlow:
        pair = (min(way), max(way))
        if pair not in self.pairs and len(self.pairs) >= MOST_PAIRS:
            pair = ("(others)", "(others)")
        return self.pairs.setdefault(pair, PairFlow())

    def _task(self, name: str) -> TaskFlow:
        task = self._open.setdefault(name, TaskFlow(name))
        if len(self._open) > MOST_TASKS:
            self._over(next(iter(self._open)))
        return task

    def _over(self, name: str) -> None:
        """Count a task and forget it, unless it is one of the worst."""
        task = self._open.pop(name)
        self.tasks += 1
        self.bounced += task.returns > 0
        self.redone += task.reworks > 0
        if task.returns or task.reworks:
            self.worst.append(task)
            self.worst.sort(key=lambda one: (*(-number for number in one.trouble), one.name))
            del self.worst[SHOWN_TASKS:]


def _keep(table: dict[str, None], most: int) -> None:
    while len(table) > most:
        del table[next(iter(table))]


_TAKE: dict[str, Callable[[Flow, dict[str, Any]], None]] = {
    "agent.task.started": Flow._started,
    "agent.task.finished": Flow._finished,
    "agent.handoff.completed": Flow._passed,
    "agent.handoff.failed": Flow._failed,
    "agent.rework.requested": Flow._rework,
    "consensus.round.closed": Flow._closed,
}
