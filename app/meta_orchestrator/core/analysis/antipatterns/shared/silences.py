"""How long nothing is heard of a task that somebody holds, by custom."""

from collections.abc import Set
from typing import Any

from meta_orchestrator.core.analysis.antipatterns.shared.durations import Durations
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import SECOND

STARTED = "agent.task.started"
FINISHED = "agent.task.finished"
BOOKED = (STARTED, FINISHED, "agent.task.blocked", "agent.task.unblocked")
"""Events after which the book of tasks says itself when a task was last spoken of."""
BESIDE = (
    "agent.handoff.started",
    "agent.handoff.completed",
    "agent.handoff.failed",
    "agent.rework.requested",
    "agent.quality.checked",
)
"""Others that speak of a task."""
SPEAKING = (*BOOKED, *BESIDE)
FOLLOWED = 200
"""Tasks that are followed at a time, to learn how long silences are."""
MOST_BESIDE = 5_000
KINDS = 30
"""Agent types whose silences are learnt apart; those of all others together."""
ALL = "*"
PAUSES = 50
PAUSE_US = 900 * SECOND
"""A project of which nothing at all is heard for so long pauses: what is silent then is not the task."""

Times = dict[str, int]
"""Task → the last event of a tick that speaks of it."""


class Silences:
    """Between two events of a task (each tick's events count as one), less the pauses of the whole project."""

    def __init__(self) -> None:
        self.past: dict[str, Durations] = {}
        """Agent type → how long silences were; `*`: all together."""
        self.followed: dict[str, tuple[int, str]] = {}
        """Task → when it was last spoken of, and the type of who holds it."""
        self.beside: dict[str, int] = {}
        """Held task → an event that the book of tasks does not know, later than those that it knows."""
        self.pauses: list[tuple[int, int]] = []
        self._heard_us: int | None = None
        self._spoken = self._ticks = 0

    def hear(self, moment: Moment) -> None:
        """The events of one tick."""
        if not moment.events:
            return
        self._pause(moment)
        told = {
            type_: {event[4]["task"]: event[0] for event in moment.told[type_]}
            for type_ in SPEAKING
            if type_ in moment.told
        }
        spoken = set[str]().union(*(times for type_, times in told.items() if type_ != FINISHED))
        started = self._new(moment)
        followed = self.followed.keys() & spoken
        count = len(spoken)
        for slot in moment.new_slots:
            count += len(slot.finished) - len(slot.finished.keys() & spoken)
            followed |= self.followed.keys() & slot.finished.keys()
        self._ticks += bool(count)
        self._spoken += count
        last = _last(told, followed | started.keys())
        self._learn(last, moment)
        for type_ in BESIDE:
            self._put_beside(told.get(type_, {}), moment)
        for task in started:
            if len(self.followed) < FOLLOWED:
                self._follow(task, last, moment)

    def _new(self, moment: Moment) -> dict[str, None]:
        """Tasks that were started and are held still, as many as there may be room for."""
        held, new = moment.books.tasks.is_held, dict[str, None]()
        for event in moment.told.get(STARTED, ()):
            task = event[4]["task"]
            if held(task) and task not in self.followed:
                new[task] = None
                if len(new) == FOLLOWED:
                    break
        return new

    @property
    def each_tick(self) -> float:
        """Silences that end at a tick at which any does, on average."""
        return self._spoken / self._ticks if self._ticks else 0.0

    def of(self, kind: str) -> Durations:
        """The past of a kind, of all together where its own tells nothing."""
        own = self.past.get(kind)
        return own if own and own.known else self.past.get(ALL, Durations())

    def since_us(self, task: str, seen_us: int) -> int:
        """When a task was last spoken of. seen_us: by the book of tasks."""
        return max(seen_us, self.beside.get(task, 0))

    def length_us(self, since_us: int, until_us: int) -> int:
        """The silence between two times; in a pause that goes on now, nothing is silent for longer."""
        until_us = min(until_us, (self._heard_us or 0) + PAUSE_US)
        paused_us = sum(max(0, min(end, until_us) - max(begin, since_us)) for begin, end in self.pauses)
        return max(0, until_us - since_us - paused_us)

    def tidy(self, moment: Moment) -> None:
        """Forget what the book of tasks knows better by now."""
        tasks = moment.books.tasks
        self.beside = {
            name: time_us
            for name, time_us in self.beside.items()
            if tasks.is_held(name) and time_us > tasks[name].seen_us
        }

    # ---- the past ----

    def _pause(self, moment: Moment) -> None:
        first_us, last_us = moment.events[0][0], moment.events[-1][0]
        if self._heard_us is not None and first_us - self._heard_us > PAUSE_US:
            self.pauses = [*self.pauses, (self._heard_us, first_us)][-PAUSES:]
        self._heard_us = max(last_us, self._heard_us or last_us)

    def _learn(self, last: dict[str, int], moment: Moment) -> None:
        """A followed task that was spoken of has ended a silence."""
        for task in sorted(self.followed.keys() & last.keys()):
            since_us, kind = self.followed.pop(task)
            silence_us = self.length_us(since_us, last[task])
            for name in {ALL: 0, kind: 0}:
                if name in self.past or len(self.past) <= KINDS:
                    self.past.setdefault(name, Durations()).add(silence_us)
            self._follow(task, last, moment)

    def _follow(self, task: str, last: dict[str, int], moment: Moment) -> None:
        if moment.books.tasks.is_held(task):
            self.followed[task] = (last[task], kind_of(task, moment))

    def _put_beside(self, times: Times, moment: Moment) -> None:
        book = moment.books.tasks
        for task, time_us in times.items():
            held = book.get(task)
            if held is None or held.holder is None or time_us <= held.seen_us:
                continue
            if task in self.beside or len(self.beside) < MOST_BESIDE:
                self.beside[task] = time_us

    def dump(self) -> dict[str, Any]:
        return {
            "past": {kind: past.dump() for kind, past in self.past.items()},
            "followed": self.followed,
            "beside": self.beside,
            "pauses": self.pauses,
            "heard_us": self._heard_us,
            "spoken": [self._spoken, self._ticks],
        }

    def load(self, dumped: dict[str, Any]) -> None:
        self.past = {kind: Durations.load(past) for kind, past in dumped["past"].items()}
        self.followed = {task: (since_us, kind) for task, (since_us, kind) in dumped["followed"].items()}
        self.beside = dict(dumped["beside"])
        self.pauses = [(begin, end) for begin, end in dumped["pauses"]]
        self._heard_us = dumped["heard_us"]
        self._spoken, self._ticks = dumped["spoken"]


def _last(told: dict[str, Times], tasks: Set[str]) -> dict[str, int]:
    """When each of these tasks was spoken of last, if it was."""
    last: dict[str, int] = {}
    for times in told.values():
        for task in times.keys() & tasks:
            last[task] = max(times[task], last.get(task, times[task]))
    return last


def kind_of(task: str, moment: Moment) -> str:
    """The type of the agent that holds a task."""
    held = moment.books.tasks.get(task)
    holder = moment.books.agents.get(held.holder) if held and held.holder else None
    return (holder.agent_type if holder else None) or "unknown"
