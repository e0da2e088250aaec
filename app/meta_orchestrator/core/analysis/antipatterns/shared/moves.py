"""Handoffs as moves of tasks: the path of each task, and who hands on to whom by habit."""

import zlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Set
from typing import Any, NamedTuple

from meta_orchestrator.core.analysis.antipatterns.shared.custom import Custom, Rows, pairs
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND

STARTED, COMPLETED, FAILED = "agent.handoff.started", "agent.handoff.completed", "agent.handoff.failed"
TYPES = (STARTED, COMPLETED, FAILED)

TASKS = 1_000
"""Tasks whose path is remembered; the longest unmoved one is forgotten first."""
PATH = 8
"""Agents of a path that are remembered."""
PAIRS = 1_000
"""Pairs of agents that are counted in a spell; of more, only who was handed on to."""
READERS = 2
ANYBODY = ""

_NONE: Mapping[str, int] = {}


class Path:
    """Where a task has been since its handoffs last joined up, and what came of it."""

    __slots__ = ("again", "agents", "began_s", "evidence", "handoff", "lap", "moves", "packed", "residuals", "returns")

    def __init__(self, origin: str, time_us: int) -> None:
        self.packed: list[Any] | None = None
        """What is stored, while nothing changes."""
        self.handoff = 0
        """The last one that was counted: known again if its completion is told twice."""
        self.moves = self.again = 0
        """`again`: those to where it had been before, straight back aside."""
        self.begin(origin, time_us)
        self.returns = [0] * READERS
        """By reader: moves that came back."""
        self.residuals = [0.0] * READERS
        """By reader: returns less those expected."""
        self.evidence = [0.0] * READERS
        """By reader: that it is in a loop."""

    def begin(self, origin: str, time_us: int) -> None:
        self.agents, self.began_s = [origin], time_us // SECOND
        self.lap = 1
        """So many of the last agents are those since a cycle was closed. A task that goes round for the second time
        is in its second cycle; read on, each further move would come back to one of the first."""

    def earlier(self) -> tuple[str, ...]:
        """Agents of this lap before the last one, by last visit, each once."""
        if self.lap == 1:
            return ()
        last, *before = self.agents[: -self.lap - 1 : -1]
        return tuple(dict.fromkeys([agent for agent in before if agent != last]))

    def go(self, handoff: int, to_agent: str, is_round: bool, is_again: bool) -> None:
        """On to the next agent, which closes a cycle or not."""
        self.agents = [*self.agents, to_agent][-PATH:]
        self.lap = 1 if is_round else min(self.lap + 1, PATH)
        self.handoff = handoff
        self.moves += 1
        self.again += is_again
        self.packed = None

    def by(self, agent: str) -> Mapping[str, int]:
        """Where that agent handed this task on to, and how often."""
        return Counter(to for at, to in zip(self.agents, self.agents[1:], strict=False) if at == agent)

    def dump(self) -> list[Any]:
        if self.packed is None:
            sums = (*self.returns, *self.residuals, *self.evidence)
            head = (self.moves, self.again, self.began_s, self.handoff, self.lap)
            self.packed = [*head, *(sums if any(sums) else ()), *self.agents]
        return self.packed

    @classmethod
    def load(cls, dumped: list[Any]) -> "Path":
        path = cls("", 0)
        path.moves, path.again, path.began_s, path.handoff, path.lap, *rest = dumped
        if not isinstance(rest[0], str):
            path.returns, path.residuals, path.evidence = (rest[READERS * n : READERS * (n + 1)] for n in range(3))
            rest = rest[3 * READERS :]
        path.agents = rest
        return path


class Move(NamedTuple):
    """A task went from one agent to another."""

    time_us: int
    task: str
    from_agent: str
    to_agent: str
    before: tuple[str, ...]
    """Who had handed it to `from_agent`; nobody at the beginning of a path."""
    earlier: tuple[str, ...]
    """Agents it had been at before `from_agent`, since a cycle was closed, last visit first."""
    own: Mapping[str, int]
    """Where `from_agent` handed this task on to before, as far as that is custom by now: none of its own."""
    path: Path


class Spell:
    """Handoffs of a time that is not custom yet: what happens now must not explain itself."""

    def __init__(self, start_us: int, end_us: int = 0, rows: Rows | None = None) -> None:
        self.start_us, self.end_us = start_us, end_us
        self.rows: Rows = rows or {}
        self._pairs = sum(map(len, self.rows.values()))

    def add(self, from_agent: str, to_agent: str) -> None:
        row = self.rows.get(from_agent)
        if row is None or to_agent not in row:
            row = self.rows.setdefault(from_agent if self._pairs < PAIRS else ANYBODY, {})
            self._pairs += to_agent not in row
        row[to_agent] = row.get(to_agent, 0) + 1


class Moves:
    """The book of handoffs of a project, shared by the antipatterns that read paths.

    A move is counted when its handoff completes; in a log that only knows started ones, when it starts. A handoff
    moves its task once. One that goes to where the task is already is no move.
    """

    def __init__(self) -> None:
        self.paths: OrderedDict[str, Path] = OrderedDict()
        self.custom = Custom()
        self.spells: list[Spell] = []
        """The last one goes on."""
        self.known_us = 0
        """Moves before are custom."""
        self.ill: list[Callable[[int, int], bool]] = []
        """Of each reader: was something wrong between these times? Then it is nobody's custom."""
        self.begins: list[Callable[[], int | None]] = []
        """Of each reader: when does its window begin?"""
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
        time_us, data = event[0], event[4]
        origin, target = data["from_agent"], data["to_agent"]
        path = self._path(data["task"], origin, time_us)
        handoff = zlib.crc32(data["handoff"].encode())
        if origin == target or handoff == path.handoff:
            return None
        if path.agents[-1] != origin:  # it got there without a handoff
            path.begin(origin, time_us)
        before, earlier = tuple(path.agents[-2:-1]), path.earlier()
        own = path.by(origin) if before and path.began_s * SECOND < self.known_us else _NONE
        move = Move(time_us, data["task"], origin, target, before, earlier, own, path)
        path.go(handoff, target, target in earlier[1:], target in path.agents and target not in before)
        self._count(time_us, origin, target)
        return move

    def _path(self, task: str, origin: str, time_us: int) -> Path:
        path = self.paths.get(task)
        if path is not None:
            self.paths.move_to_end(task)
            return path
        if len(self.paths) == TASKS:
            self.paths.popitem(last=False)
        path = self.paths[task] = Path(origin, time_us)
        return path

    def leave(self, finished: Set[str]) -> None:
        """Finished tasks have come to an end of their path."""
        for task in self.paths.keys() & finished:
            del self.paths[task]

    # ---- custom ----

    def _count(self, time_us: int, origin: str, target: str) -> None:
        if not self.spells:
            self.spells.append(Spell(time_us))
        self.spells[-1].add(origin, target)
        self.custom.hear_of(target)

    def turn(self, tick_us: int, length_us: int) -> None:
        """Begin a new spell if the last one has lasted so long; what ended before all windows becomes custom."""
        begins = [begin_us for begins in self.begins if (begin_us := begins()) is not None]
        before_us = min(begins, default=tick_us - length_us)
        if self.spells and tick_us - self.spells[-1].start_us >= length_us:
            self.spells[-1].end_us = tick_us
            if self.spells[-1].rows:
                self.spells.append(Spell(tick_us))
            else:
                self.spells[-1].start_us = tick_us
        while len(self.spells) > 1 and self.spells[0].end_us <= min(before_us, tick_us - length_us):
            self._learn(self.spells.pop(0))

    def _learn(self, spell: Spell) -> None:
        self.known_us = spell.end_us
        wrong = any(ill(spell.start_us, spell.end_us) for ill in self.ill)
        for origin, target, handoffs in pairs(spell.rows):
            if wrong:
                self.custom.hear_of(target, -handoffs)
            else:
                self.custom.add(origin, target, handoffs)
        if self.custom.is_full():
            self.custom = self.custom.halved()
            self._hear_spells()

    def _hear_spells(self) -> None:
        for spell in self.spells:
            for _, target, handoffs in pairs(spell.rows):
                self.custom.hear_of(target, handoffs)

    def dump(self) -> dict[str, Any]:
        return {
            "paths": {task: path.dump() for task, path in self.paths.items()},
            "custom": self.custom.rows,
            "spells": [[spell.start_us, spell.end_us, spell.rows] for spell in self.spells],
            "known_us": self.known_us,
            "ends": self._ends,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        self.paths = OrderedDict((task, Path.load(path)) for task, path in dumped["paths"].items())
        self.custom = Custom.load(dumped["custom"])
        self.spells = [Spell(start_us, end_us, rows) for start_us, end_us, rows in dumped["spells"]]
        self._hear_spells()
        self.known_us = dumped["known_us"]
        self._ends = dumped["ends"]
