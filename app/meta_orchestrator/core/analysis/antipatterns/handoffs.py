"""What ping_pong and handoff_cycle share: a move is a chance to come back to where the task has been before."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from meta_orchestrator.core.analysis.antipatterns.counted import DIGITS, LOOKS, Counted
from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_TASKS
from meta_orchestrator.core.analysis.antipatterns.moves import TYPES, Move, Moves, Path
from meta_orchestrator.core.analysis.antipatterns.page import Page
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import Value, format_time_us
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy

LIMIT = "workflow.max_handoffs"


class Returns(Counted):
    """Moves that come back, against a Markov chain of the project's handoffs and its own habit beyond that chain.

    The chain is that of the past before the window, and without the task's own moves: neither a loop nor its task may
    predict itself.
    """

    types = TYPES
    reader: ClassVar[int]
    """Its place in what a path remembers."""

    def __init__(self, policy: Policy, moves: Moves | None = None) -> None:
        super().__init__(policy)
        self.moves = moves or Moves()
        self.moves.ill.append(self.is_ill)
        self.moves.begins.append(self.begins_us)
        self._spent: dict[str, tuple[int, int, tuple[str, ...]]] = {}
        """Task that used up its handoffs → (when last, handoffs, agents of its loop)."""
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
        """The loop that a return closes."""

    # ---- counting ----

    def observe(self, event: Event) -> None:
        """Before anything is custom nothing is a chance: all would be surprising."""
        move = self.moves.read(event)
        if move and (targets := self.targets(move)):
            hit = move.to_agent in targets
            if self.moves.known_us:
                self._chance(move, targets, hit)
            if hit:
                self._spend(move)

    def returns(self, move: Move) -> bool:
        return move.to_agent in self.targets(move)

    def _chance(self, move: Move, targets: tuple[str, ...], hit: bool) -> None:
        key, share = self.key(move), self.moves.custom.share
        expected = sum([share(move.from_agent, agent, move.own) for agent in targets])
        page = self.page(move.time_us)
        page.chances += 1
        page.add(key, expected, hit)
        self._scatter(page, move.path, hit, expected * self.habits.rate(key))
        if hit:
            page.mark(move.time_us, key, self.subject(move), move.task)

    def _scatter(self, page: Page, path: Path, hit: bool, expected: float) -> None:
        """The square of a task's sum of residuals, as it grows: returns of one task depend on each other."""
        before = path.residuals[self.reader]
        after = path.residuals[self.reader] = round(before + hit - expected, DIGITS)
        page.squares = round(page.squares + after * after - before * before, DIGITS)
        page.base = round(page.base + expected, DIGITS)

    # ---- the hard limit ----

    def _spend(self, move: Move) -> None:
        """Is it at its limit, at least half of its moves being returns?"""
        most, path = self.most_handoffs, move.path
        path.returns[self.reader] += 1
        if most and path.moves >= most and 2 * path.returns[self.reader] >= path.moves - 2:
            self._spent[move.task] = (move.time_us, path.moves, self.subject(move))
            self.urgent = True

    def over_limit(self, tick_us: int) -> Antipattern | None:
        """Tasks that used up `workflow.max_handoffs` just now."""
        self._spent = {task: one for task, one in self._spent.items() if one[0] > tick_us - self.clear_us}
        worst = sorted(self._spent.items(), key=lambda item: (-item[1][1], item[0]))[:NAMED_TASKS]
        if not worst or not self.most_handoffs:
            return None
        most = worst[0][1][1]
        return Antipattern(
            kind=self.kind,
            agents=sorted({agent for _, (_, _, agents) in worst for agent in agents}),
            tasks=[task for task, _ in worst],
            since=format_time_us(min(time_us for _, (time_us, _, _) in worst)),
            severity=min(1.0, most / (2 * self.most_handoffs)),
            evidence={"handoffs": most, "max_handoffs": self.most_handoffs, "tasks_at_limit": len(self._spent)},
        )

    def dump(self) -> dict[str, Any]:
        return super().dump() | {"spent": {task: list(one) for task, one in self._spent.items()}}

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        self._spent = {task: (when, moves, tuple(agents)) for task, (when, moves, agents) in dumped["spent"].items()}

    # ---- the past ----

    def look(self, moment: Moment) -> None:
        for slot in moment.window.slots:
            self.moves.leave(slot.finished)

    def judge(self, tick_us: int) -> list[Antipattern]:
        found = super().judge(tick_us)
        self.moves.turn(tick_us, LOOKS * self.page_us)
        return found

    def begins_us(self) -> int | None:
        """When the window begins; what happened in it is no custom yet."""
        return self.pages[0].index * self.page_us if self.pages else None
