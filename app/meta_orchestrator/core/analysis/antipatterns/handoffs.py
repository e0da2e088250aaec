"""What ping_pong and handoff_cycle share: a move is a chance to come back to where the task has been before."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from meta_orchestrator.core.analysis.antipatterns.custom import Custom
from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_TASKS
from meta_orchestrator.core.analysis.antipatterns.excess import Chance
from meta_orchestrator.core.analysis.antipatterns.moves import TYPES, Move, Moves
from meta_orchestrator.core.analysis.antipatterns.unusual import Look, Unusual
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import Value, format_time_us
from meta_orchestrator.messages.outputs import Antipattern, Evidence
from meta_orchestrator.policy import Policy

LIMIT = "workflow.max_handoffs"


class Null(NamedTuple):
    """Custom of the past, and which part of it each task made itself: a task must not predict its own loop."""

    custom: Custom
    own: dict[tuple[str, str], Counter[str]]
    """(Task, from agent) → its moves by target."""


_NONE: Counter[str] = Counter()


class Returns(Unusual[Move, Null]):
    """Moves that come back, against a Markov chain of the project's handoffs and its own habit beyond that chain."""

    types = TYPES

    def __init__(self, policy: Policy, moves: Moves | None = None) -> None:
        self.moves = moves or Moves()
        super().__init__(policy, self.moves.log)
        self.moves.ill.append(self.is_ill)
        self.configure({})

    def configure(self, config: Mapping[str, Value]) -> None:
        self.most_handoffs = self.limit(config, LIMIT)

    @abstractmethod
    def targets(self, move: Move) -> tuple[str, ...]:
        """The agents to whom this move would have been a return."""

    @abstractmethod
    def key(self, move: Move) -> str:
        """Whose habit it is."""

    @abstractmethod
    def subject(self, move: Move) -> tuple[str, ...]:
        """Who is to blame if it returns too often."""

    def observe(self, event: Event) -> None:
        move = self.moves.read(event)
        if move and self.most_handoffs and move.number >= self.most_handoffs:
            self._urgent = self._urgent or self.returns(move)

    def returns(self, move: Move) -> bool:
        return move.to_agent in self.targets(move)

    def counts(self, record: Move) -> bool:
        return bool(self.targets(record))

    def null(self, past: Sequence[Move], window: Sequence[Move]) -> Null:
        null = Null(self.moves.custom.copy(), {})
        for move in past:
            null.custom.add(move.from_agent, move.to_agent)
            null.own.setdefault((move.task, move.from_agent), Counter())[move.to_agent] += 1
        for move in window:
            null.custom.hear_of(move.to_agent)
        return null

    def chances(self, records: Iterable[Move], null: Null) -> list[Chance]:
        return [self._chance(move, targets, null) for move in records if (targets := self.targets(move))]

    def _chance(self, move: Move, targets: tuple[str, ...], null: Null) -> Chance:
        own = null.own.get((move.task, move.from_agent), _NONE)
        expected = sum([null.custom.share(move.from_agent, agent, own) for agent in targets])
        hit = int(move.to_agent in targets)
        return Chance(move.time_us, move.task, self.key(move), expected, hit, self.subject(move))

    def over_limit(self, look: Look[Move]) -> Antipattern | None:
        """Tasks that used up `workflow.max_handoffs` just now, at least half of their moves being returns."""
        if not self.most_handoffs:
            return None
        spent = {m.task: m for m in look.window if m.number >= self.most_handoffs and m.time_us > look.recent_us}
        moves = [move for move in self.log.records if move.task in spent] if spent else []
        made, returned = Counter(m.task for m in moves), Counter(m.task for m in moves if self.returns(m))
        tasks = sorted((task for task in spent if 2 * returned[task] >= made[task]), key=lambda t: -spent[t].number)
        backs = [move for move in moves if move.task in tasks and self.returns(move)]
        return self._spent(tasks[:NAMED_TASKS], spent[tasks[0]].number, backs) if tasks else None

    def _spent(self, tasks: list[str], most: int, backs: Sequence[Move]) -> Antipattern:
        limit = self.most_handoffs or 1
        return Antipattern(
            kind=self.kind,
            agents=sorted({agent for move in backs for agent in self.subject(move)}),
            tasks=tasks,
            since=format_time_us(backs[0].time_us),
            severity=min(1.0, most / (2 * limit)),
            evidence={"handoffs": most, "max_handoffs": limit, "tasks_at_limit": len(tasks)},
        )

    def evidence(self, look: Look[Move]) -> Evidence:
        hits = [chance for chance in look.chances if chance.hits]
        worst = Counter(chance.subject for chance in hits).most_common(3)
        return {
            "chances": len(look.chances),
            "tasks": len({chance.cluster for chance in hits}),
            "most_often": ", ".join(f"{self.named(subject)}: {times}" for subject, times in worst),
        }

    def named(self, subject: tuple[str, ...]) -> str:
        return "→".join(subject)
