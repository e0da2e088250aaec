"""Handoffs as moves of tasks: the path of each task, the last moves, and who hands on to whom by habit."""

import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from meta_orchestrator.core.analysis.antipatterns.custom import Custom
from meta_orchestrator.core.analysis.antipatterns.log import Log
from meta_orchestrator.core.analysis.antipatterns.names import Names, Numbering
from meta_orchestrator.messages.event import Event

STARTED, COMPLETED, FAILED = "agent.handoff.started", "agent.handoff.completed", "agent.handoff.failed"
TYPES = (STARTED, COMPLETED, FAILED)

CAPACITY = 1_000
"""Moves that are remembered one by one (up to twice as many); older ones live on as custom."""
TASKS = 1_000
"""Tasks whose path is remembered; the longest unmoved one is forgotten first."""
PATH = 12
"""Agents of a path that are remembered."""
HANDOFFS = 4
"""Handoffs of a task that are known again if their completion is told twice."""


class Move(NamedTuple):
    """A task went from one agent to another. `earlier`: agents it had been at before `from_agent`, last visit first."""

    time_us: int
    task: str
    number: int
    """Of the move in the life of the task, from 1."""
    from_agent: str
    to_agent: str
    earlier: tuple[str, ...]


class Path:
    """Where a task has been since its handoffs last joined up, and the handoffs that were counted."""

    __slots__ = ("agents", "handoffs", "moves")

    def __init__(self, agents: list[str], handoffs: list[int], moves: int) -> None:
        self.agents = agents
        self.handoffs = handoffs
        self.moves = moves

    def earlier(self) -> tuple[str, ...]:
        """Agents before the last one, by last visit, each once."""
        if len(self.agents) == 1:
            return ()
        last = self.agents[-1]
        return tuple(dict.fromkeys(agent for agent in self.agents[-2::-1] if agent != last))

    def go(self, handoff: int, to_agent: str) -> None:
        self.agents = [*self.agents, to_agent][-PATH:]
        self.handoffs = [*self.handoffs, handoff][-HANDOFFS:]
        self.moves += 1


class Moves:
    """The book of handoffs of a project, shared by the antipatterns that read paths.

    A move is counted when its handoff completes; in a log that only knows started ones, when it starts. A handoff
    moves its task once. One that goes to where the task is already is no move.
    """

    def __init__(self) -> None:
        self.log: Log[Move] = Log(CAPACITY)
        self.log.learners.append(self._learn)
        self.paths: OrderedDict[str, Path] = OrderedDict()
        self.custom = Custom()
        """Of the moves that left the log."""
        self.ill: list[Callable[[int], bool]] = []
        """Of each reader: was something wrong at that time? Then it is nobody's custom."""
        self._ends = False
        self._read: Event | None = None
        self._move: Move | None = None

    def read(self, event: Event) -> Move | None:
        """The move that an event makes, if any. Each reader may ask for the same event, one after the other."""
        if event is not self._read:
            self._read, self._move = event, self._take(event)
        return self._move

    def _take(self, event: Event) -> Move | None:
        if event[3] == FAILED or (event[3] == STARTED and self._ends):
            self._ends = True
            return None
        self._ends = self._ends or event[3] == COMPLETED
        data = event[4]
        handoff, task = zlib.crc32(data["handoff"].encode()), data["task"]
        origin, target = data["from_agent"], data["to_agent"]
        path = self._path(task, origin)
        if origin == target or handoff in path.handoffs:
            return None
        if path.agents[-1] != origin:  # it got there without a handoff: a path begins anew
            path.agents = [origin]
        move = Move(event[0], task, path.moves + 1, origin, target, path.earlier())
        path.go(handoff, target)
        self.log.add(move)
        return move

    def _path(self, task: str, origin: str) -> Path:
        path = self.paths.get(task)
        if path is not None:
            self.paths.move_to_end(task)
            return path
        if len(self.paths) == TASKS:
            self.paths.popitem(last=False)
        path = self.paths[task] = Path([origin], [], 0)
        return path

    def _learn(self, leaving: Sequence[Move]) -> None:
        for move in leaving:
            if not any(ill(move.time_us) for ill in self.ill):
                self.custom.add(move.from_agent, move.to_agent)
        self.custom = self.custom.halved()

    def dump(self) -> dict[str, Any]:
        numbering = Numbering()
        number = numbering.of
        log = self.log.dump(
            lambda move: [*number((move.task, move.from_agent, move.to_agent)), move.number, number(move.earlier)]
        )
        tasks = number(self.paths)
        paths = [
            [task, path.moves, path.handoffs, number(path.agents)]
            for task, path in zip(tasks, self.paths.values(), strict=True)
        ]
        custom = [[*number(pair), handoffs] for *pair, handoffs in self.custom.dump()]
        return {"names": numbering.names(), "log": log, "paths": paths, "custom": custom, "ends": self._ends}

    def load(self, dumped: dict[str, Any]) -> None:
        names = Names(dumped["names"])
        self.log.load(dumped["log"], lambda time_us, packed: _move(names, time_us, *packed))
        self.paths = OrderedDict(
            (names.names[task], Path(list(names.of(agents)), handoffs, moves))
            for task, moves, handoffs, agents in dumped["paths"]
        )
        self.custom = Custom.load((*names.of(pair), handoffs) for *pair, handoffs in dumped["custom"])
        self._ends = dumped["ends"]


def _move(names: Names, time_us: int, task: int, origin: int, target: int, number: int, earlier: list[int]) -> Move:
    name = names.names
    return Move(time_us, name[task], number, name[origin], name[target], names.of(earlier))
