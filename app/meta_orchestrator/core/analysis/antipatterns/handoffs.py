"""What ping_pong and handoff_cycle share: a move is a chance to come back to where the task has been before."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from meta_orchestrator.core.analysis.antipatterns.custom import Custom
from meta_orchestrator.core.analysis.antipatterns.excess import Chance
from meta_orchestrator.core.analysis.antipatterns.moves import TYPES, Move, Moves
from meta_orchestrator.core.analysis.antipatterns.unusual import Look, Unusual
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import Value, format_time_us
from meta_orchestrator.messages.outputs import Antipattern, Evidence
from meta_orchestrator.policy import Policy

LIMIT = "workflow.max_handoffs"


class Returns(Unusual[Move, Custom]):
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

    def null(self, past: Sequence[Move], window: Sequence[Move]) -> Custom:
        custom = self.moves.custom.copy()
        for move in past:
            custom.add(move.from_agent, move.to_agent)
        if custom.total >= self.policy.analysis.min_events:
            for move in window:
                custom.hear_of(move.to_agent)
        else:  # no past: the window itself with its destinations shuffled
            for move in window:
                custom.add(move.from_agent, move.to_agent)
        return custom

    def chances(self, records: Iterable[Move], null: Custom) -> list[Chance]:
        return [self._chance(move, targets, null) for move in records if (targets := self.targets(move))]

    def _chance(self, move: Move, targets: tuple[str, ...], custom: Custom) -> Chance:
        expected = sum([custom.share(move.from_agent, agent) for agent in targets])
        hit = int(move.to_agent in targets)
        return Chance(move.time_us, move.task, self.key(move), expected, hit, self.subject(move))

    def over_limit(self, look: Look[Move]) -> Antipattern | None:
        """Tasks that used up `workflow.max_handoffs` in the window, at least half of their moves being returns."""
        if not self.most_handoffs:
            return None
        long = {move.task: move for move in look.window if move.number >= self.most_handoffs}
        moves = Counter(move.task for move in look.window if move.task in long)
        backs = [move for move in look.window if move.task in long and self.returns(move)]
        returns = Counter(move.task for move in backs)
        tasks = sorted((task for task in long if 2 * returns[task] >= moves[task]), key=lambda task: -long[task].number)
        if not tasks:
            return None
        most = long[tasks[0]].number
        backs = [move for move in backs if move.task in tasks]
        return Antipattern(
            kind=self.kind,
            agents=sorted({agent for move in backs for agent in self.subject(move)}),
            tasks=tasks,
            since=format_time_us(backs[0].time_us),
            severity=min(1.0, most / (2 * self.most_handoffs)),
            evidence={"handoffs": most, "max_handoffs": self.most_handoffs, "tasks_at_limit": len(tasks)},
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
