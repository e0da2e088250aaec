"""What ping_pong and handoff_cycle share: a move is a chance to come back to where the task has been before."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from meta_orchestrator.core.analysis.antipatterns.shared.counted import LOOKS, Counted
from meta_orchestrator.core.analysis.antipatterns.shared.loops import Loop, enough, finding, grown, loop_of
from meta_orchestrator.core.analysis.antipatterns.shared.moves import TYPES, Move, Moves, Path
from meta_orchestrator.core.analysis.antipatterns.shared.page import Page
from meta_orchestrator.core.analysis.antipatterns.shared.past import DIGITS
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND, Value
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy

LIMIT = "workflow.max_handoffs"


class Returns(Counted):
    """Moves that come back, against a Markov chain of the project's handoffs and its own habit beyond that chain.

    The chain is that of the past before the window, and without the task's own moves: neither a loop nor its task may
    predict itself. A single task is caught where its own returns cannot be explained, or where it used up its handoffs.
    """

    types = TYPES
    reader: ClassVar[int]
    """Its place in what a path remembers."""

    def __init__(self, policy: Policy, moves: Moves | None = None) -> None:
        super().__init__(policy)
        self.moves = moves or Moves()
        self.moves.ill.append(self.is_ill)
        self.moves.begins.append(self.begins_us)
        self.loops: dict[str, Loop] = {}
        """Tasks that were caught, each for a while."""
        self._enough = enough(policy.analysis.alpha, 0)
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

    @abstractmethod
    def vain(self, path: Path) -> int:
        """Moves that led a task back to where it had been."""

    # ---- counting ----

    def observe(self, event: Event) -> None:
        """Before anything is custom nothing is a chance: all would be surprising."""
        move = self.moves.read(event)
        if move and (targets := self.targets(move)):
            hit = move.to_agent in targets
            move.path.returns[self.reader] += hit
            if self.moves.known_us:
                self._chance(move, targets, hit)
            if hit:
                self._spend(move)

    def returns(self, move: Move) -> bool:
        return move.to_agent in self.targets(move)

    def _chance(self, move: Move, targets: tuple[str, ...], hit: bool) -> None:
        key, share = self.key(move), self.moves.custom.share
        structural = sum([share(move.from_agent, agent, move.own) for agent in targets])
        expected = structural * self.habits.rate(key)
        page = self.page(move.time_us)
        page.chances += 1
        page.add(key, structural, hit)
        self._scatter(page, move.path, hit, expected)
        self._bet(move, hit, expected)
        if hit:
            page.mark(move.time_us, key, self.subject(move), move.task)

    def _scatter(self, page: Page, path: Path, hit: bool, expected: float) -> None:
        """The square of a task's sum of residuals, as it grows: returns of one task depend on each other."""
        before = path.residuals[self.reader]
        after = path.residuals[self.reader] = round(before + hit - expected, DIGITS)
        page.squares = round(page.squares + after * after - before * before, DIGITS)
        page.base = round(page.base + expected, DIGITS)

    # ---- single tasks ----

    def _bet(self, move: Move, hit: bool, expected: float) -> None:
        """On a loop of this task, once the project's habits are known.

        Of a pair of agents that seldom meet custom knows little; that the task comes back is then at least as likely
        as with all tasks of the project.
        """
        if not self.is_known:
            return
        expected = max(expected, self.usual)
        wealth = move.path.evidence
        evidence = wealth[self.reader] = round(grown(wealth[self.reader], hit, expected), DIGITS)
        if evidence >= self._enough and evidence >= enough(self.policy.analysis.alpha, self.chances):
            wealth[self.reader] = 0.0  # it has been said
            self._catch(move, evidence)

    def _spend(self, move: Move) -> None:
        """Is it at its limit, at least half of its moves having led nowhere?"""
        most, path = self.most_handoffs, move.path
        if most and path.moves >= most and 2 * self.vain(path) >= path.moves - 2:
            self._catch(move, 0.0)

    def _catch(self, move: Move, evidence: float) -> None:
        path, old = move.path, self.loops.get(move.task)
        returns, residual = path.returns[self.reader], path.residuals[self.reader]
        severity = path.moves / (2 * self.most_handoffs) if self.most_handoffs else 0.0
        if evidence:
            severity = max(severity, residual / returns)
        since_us = min(move.time_us, path.began_s * SECOND if evidence or not old else old.since_us)
        evidence = max(evidence, old.evidence if old else 0.0)
        agents = self.subject(move)
        self.loops[move.task] = Loop(move.time_us, since_us, agents, path.moves, returns, min(1.0, severity), evidence)
        self.urgent = True

    def over_limit(self, tick_us: int) -> Antipattern | None:
        """Tasks that were caught within a look-back."""
        self.loops = {task: loop for task, loop in self.loops.items() if loop.time_us > tick_us - self.hold_us}
        if not self.loops:
            return None
        return finding(self.kind, self.loops, self.most_handoffs, self.shown)

    def dump(self) -> dict[str, Any]:
        return super().dump() | {"loops": {task: list(loop) for task, loop in self.loops.items()}}

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        self.loops = {task: loop_of(loop) for task, loop in dumped["loops"].items()}

    # ---- the past ----

    def look(self, moment: Moment) -> None:
        for slot in moment.new_slots:
            self.moves.leave(slot.finished.keys())

    def judge(self, tick_us: int) -> list[Antipattern]:
        found = super().judge(tick_us)
        self.moves.turn(tick_us, LOOKS * self.page_us)
        return found

    def begins_us(self) -> int | None:
        """When the window begins; what happened in it is no custom yet."""
        return self.pages[0].index * self.page_us if self.pages else None
