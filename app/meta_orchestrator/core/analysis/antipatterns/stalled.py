"""stalled: a task is held, and nothing is heard of it any more."""

from typing import Any, NamedTuple

from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_AGENTS, NAMED_TASKS
from meta_orchestrator.core.analysis.antipatterns.shared.lasting import Lasting
from meta_orchestrator.core.analysis.antipatterns.shared.silences import ALL, STARTED, Silences, kind_of
from meta_orchestrator.core.collection.tasks import Task
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy

LOOKS = 6
"""In a look-back: all held tasks are gone through as often; the silent ones at each tick."""
SILENT = 1_000
"""Stalled tasks that are watched."""


class Silent(NamedTuple):
    since_us: int
    holder: str
    kind: str


class Stalled(Lasting):
    """A held task without any event for longer than its kind's past explains: a hung agent, or forgotten work.

    A silence is the time between two events that name a task while somebody holds it, less the time in which nothing
    at all was heard of the project (a night is no stall). Kind is the type of the agent that holds it. The null: a
    silence lasts as long as those of the project's own past, learnt from up to 200 tasks at a time. Silences beyond
    the q99 of their kind are one in a hundred, so a project of a thousand tasks always has some; a task is stalled
    when its silence is so long that the chance of any such one in a look-back is `analysis.alpha` (a tail beyond the
    data is extrapolated, see `durations`).
    False alarms: at most `analysis.alpha` in a look-back. Cleared: every stalled task was heard of, or is held no
    more, for `analysis.clear_after_s`.
    Severity: the share of the held tasks that are stalled. `since`: the last event of the one silent for longest.
    """

    kind = "stalled"

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self.silences = Silences()
        self.silent: dict[str, Silent] = {}
        """Stalled tasks at the last tick."""
        self._next_us = 0
        self._held: dict[str, None] | None = None
        """All held tasks, and some that were; None until the first look, which goes through the book."""

    def see(self, moment: Moment) -> Antipattern | None:
        self.silences.hear(moment)
        if self._held is not None:
            is_held = moment.books.tasks.is_held
            begun = [event[4]["task"] for event in moment.told.get(STARTED, ())]
            self._held |= dict.fromkeys([task for task in begun if is_held(task)])
        self.silent = {task: silent for task, silent in self.silent.items() if self._is_silent(task, silent, moment)}
        if moment.tick_us >= self._next_us:
            self._next_us = moment.tick_us + round(self.policy.analysis.lookback_s * SECOND) // LOOKS
            self._go_through(moment)
        return self._finding(moment) if self.silent else None

    def _is_silent(self, task: str, silent: Silent, moment: Moment) -> bool:
        held = moment.books.tasks.get(task)
        if held is None or held.holder != silent.holder:
            return False
        return self.silences.since_us(task, held.seen_us) == silent.since_us

    def _go_through(self, moment: Moment) -> None:
        """Find those that are silent for too long, the longest first."""
        self.silences.tidy(moment)
        patience = {kind: self.patience_us(kind) for kind in [*self.silences.past, ALL]}
        before_us = moment.tick_us - min(patience.values())
        found = []
        for task, held in self._tasks(moment):
            if held.holder is not None and held.seen_us <= before_us:
                kind = kind_of(task, moment)
                since_us = self.silences.since_us(task, held.seen_us)
                silence_us = self.silences.length_us(since_us, moment.tick_us)
                if silence_us >= patience.get(kind, patience[ALL]):
                    found.append((since_us, task, Silent(since_us, held.holder, kind)))
        for _, task, silent in sorted(found):
            if task in self.silent or len(self.silent) < SILENT:
                self.silent[task] = silent

    def _tasks(self, moment: Moment) -> list[tuple[str, Task]]:
        """Those that are held. The book has all of a day, so only what has begun since the last look is looked up."""
        tasks = moment.books.tasks
        known = [(name, task) for name in (tasks if self._held is None else self._held) if (task := tasks.get(name))]
        held = [(name, task) for name, task in known if task.holder is not None]
        self._held = dict.fromkeys([name for name, _ in held])
        return held

    def patience_us(self, kind: str) -> float:
        """The silence of a held task that is a stall."""
        time = self.policy.time
        in_lookback = self.silences.each_tick * self.policy.analysis.lookback_s / time.tick_s
        share = self.policy.analysis.alpha / max(1.0, in_lookback)
        return self.silences.of(kind).exceeded_by(min(0.01, share))

    def _finding(self, moment: Moment) -> Antipattern:
        longest_first = sorted(self.silent.items(), key=lambda item: (item[1].since_us, item[0]))
        longest = longest_first[0][1]
        past = self.silences.of(longest.kind)
        return Antipattern(
            kind=self.kind,
            agents=sorted({silent.holder for _, silent in longest_first[:NAMED_TASKS]})[:NAMED_AGENTS],
            tasks=[task for task, _ in longest_first[:NAMED_TASKS]],
            since=format_time_us(longest.since_us),
            severity=min(1.0, len(self.silent) / max(1, moment.books.tasks.held)),
            evidence={
                "tasks_stalled": len(self.silent),
                "tasks_held": moment.books.tasks.held,
                "silent_s": self.silences.length_us(longest.since_us, moment.tick_us) / SECOND,
                "agent_type": longest.kind,
                "q99_s": past.exceeded_by(0.01) / SECOND,
                "patience_s": self.patience_us(longest.kind) / SECOND,
                "silences": past.count,
            },
        )

    def dump(self) -> dict[str, Any]:
        silent = {task: list(one) for task, one in self.silent.items()}
        return super().dump() | {"silences": self.silences.dump(), "silent": silent, "next_us": self._next_us}

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        self.silences.load(dumped["silences"])
        self.silent = {task: Silent(*silent) for task, silent in dumped["silent"].items()}
        self._next_us = dumped["next_us"]
