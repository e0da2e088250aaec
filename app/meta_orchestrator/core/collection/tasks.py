"""Who holds which task, and how many points it is worth (CONTRACT §8.3, §8.5)."""

from collections.abc import Set
from dataclasses import dataclass

from meta_orchestrator.core.collection.agents import Agents
from meta_orchestrator.core.collection.book import Book
from meta_orchestrator.core.collection.remembered import Remembered
from meta_orchestrator.core.collection.slot import Slot
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import DAY_US


@dataclass(slots=True)
class Task:
    seen_us: int
    holder: str | None = None
    running: bool = False
    points: float | None = None

    def is_forgotten(self, now_us: int) -> bool:
        """Held by nobody, and nobody said anything of it for 24 h."""
        return self.holder is None and now_us - self.seen_us > DAY_US


class Tasks(Book[Task]):
    """Tasks that are held, and those of the last 24 h for their points. Agents' running tasks are kept beside."""

    def __init__(self, agents: Agents, succeeded: Remembered) -> None:
        super().__init__(Task)
        self.agents, self.succeeded = agents, succeeded
        self.held = 0
        self.steps: set[str] = set()
        """Tasks of 0 points: parts of something larger, in no rate."""

    def settled(self) -> None:
        """After all entries are set: what follows from them."""
        self.held = sum(task.holder is not None for task in self.values())
        self.steps = {name for name, task in self.items() if task.points == 0}

    def is_held(self, name: str) -> bool:
        task = self.get(name)
        return task is not None and task.holder is not None

    def steps_among(self, names: Set[str], now_us: int) -> set[str]:
        """Those of some tasks that are steps."""
        some = names & self.steps if self.steps else ()
        return {name for name in some if not self[name].is_forgotten(now_us)}

    def start(self, event: Event, slot: Slot) -> None:
        """Held by the agent that started it last; a second start by its holder changes nothing but its points."""
        time_us, data = event[0], event[4]
        task = self._named(event)
        if task.holder != data["agent"]:
            self._release(task, time_us, slot)
            task.holder = data["agent"]
            self.agents.hold(task.holder, +1)
            self.held += 1
            self._run(task, time_us, slot)

    def block(self, event: Event, slot: Slot) -> None:
        task = self._known(event)
        if task is not None:
            self._stop(task, event[0], slot)
            self._touch(event, task)

    def unblock(self, event: Event, slot: Slot) -> None:
        task = self._known(event)
        if task is not None:
            if task.holder is not None and not task.running:
                self._run(task, event[0], slot)
            self._touch(event, task)

    def finish(self, event: Event, slot: Slot) -> None:
        """Any outcome ends it; its duration is the sender's, its points count at the first success."""
        time_us, data = event[0], event[4]
        name, outcome = data["task"], data["outcome"]
        points = self._end(event, slot) if name in self or data.get("points") is not None else 1
        agent = data["agent"]
        slot.finishes.append((event[1], agent, outcome, points))
        slot.durations_ms[agent].append(data["duration_ms"])
        slot.finished[name] = None
        if outcome == "abandoned":
            slot.abandoned[name] = None
        elif outcome == "succeeded" and self.succeeded.first(name, time_us):
            slot.points += points

    def forget(self, now_us: int) -> None:
        """Drop the forgotten ones, to save room."""
        for name, task in list(self.items()):
            if task.is_forgotten(now_us):
                self.drop(name)
                self.steps.discard(name)

    def _end(self, event: Event, slot: Slot) -> float:
        """Nobody holds the task any more; it stays in the book if there are points to be remembered. Its points."""
        task = self._named(event)
        self._release(task, event[0], slot)
        if task.points is None:
            self.drop(event[4]["task"])
            return 1
        return task.points

    def _named(self, event: Event) -> Task:
        """The task of a started or finished event, with the points that it names."""
        time_us, data = event[0], event[4]
        name = data["task"]
        task = self.get(name)
        if task is None or task.is_forgotten(time_us):
            task = self[name] = Task(time_us)
            self.steps.discard(name)
        points = data.get("points")
        if points is not None:
            task.points = points
            (self.steps.discard if points else self.steps.add)(name)
        task.seen_us = time_us
        self.changed.add(name)
        return task

    def _known(self, event: Event) -> Task | None:
        task = self.get(event[4]["task"])
        return None if task is None or task.is_forgotten(event[0]) else task

    def _release(self, task: Task, time_us: int, slot: Slot) -> None:
        """Nobody holds it any more."""
        if task.holder is not None:
            self._stop(task, time_us, slot)
            self.agents.hold(task.holder, -1)
            task.holder = None
            self.held -= 1

    def _touch(self, event: Event, task: Task) -> None:
        task.seen_us = event[0]
        self.changed.add(event[4]["task"])

    def _run(self, task: Task, time_us: int, slot: Slot) -> None:
        task.running = True
        self.agents.work(str(task.holder), time_us, +1, slot)

    def _stop(self, task: Task, time_us: int, slot: Slot) -> None:
        if task.running and task.holder is not None:
            task.running = False
            self.agents.work(task.holder, time_us, -1, slot)
