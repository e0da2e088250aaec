"""Handoffs on their way: the first end counts; one without an end for 15 minutes has failed by `timeout` (CONTRACT
§4.4, §8.1).
"""

from dataclasses import dataclass

from meta_orchestrator.core.collection.book import Book
from meta_orchestrator.core.collection.remembered import Remembered
from meta_orchestrator.core.collection.slot import Slot
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND

TIMEOUT_US = 900 * SECOND


@dataclass(slots=True)
class Handoff:
    started_us: int
    to_agent: str


class Handoffs(Book[Handoff]):
    """Open handoffs, oldest start first."""

    def __init__(self, ended: Remembered) -> None:
        super().__init__(Handoff)
        self.ended = ended

    def settled(self) -> None:
        """After all entries are set: changes are stored by name, and the oldest start must be first again."""
        entries = sorted(self.items(), key=lambda item: item[1].started_us)
        self.clear()
        self.update(entries)

    def start(self, event: Event, slot: Slot) -> None:
        time_us, data = event[0], event[4]
        self.time_out(time_us, slot)
        name = data["handoff"]
        if name not in self and not self.ended.knows(name, time_us):
            self[name] = Handoff(time_us, data["to_agent"])
            self.changed.add(name)

    def end(self, event: Event, slot: Slot) -> None:
        """Completed, or failed by its cause."""
        time_us, data = event[0], event[4]
        self.time_out(time_us, slot)
        if not self.ended.knows(data["handoff"], time_us):
            self._end(data["handoff"], time_us, data["to_agent"], data.get("cause"), slot)

    def time_out(self, now_us: int, slot: Slot) -> None:
        """End what was due before now; an end at exactly 15 minutes still counts."""
        while self:
            name = next(iter(self))
            handoff = self[name]
            due_us = handoff.started_us + TIMEOUT_US
            if due_us >= now_us:
                return
            slot.timeouts += 1
            self._end(name, due_us, handoff.to_agent, "timeout", slot)

    def next_due_us(self) -> int | None:
        """When the oldest open handoff times out."""
        return next(iter(self.values())).started_us + TIMEOUT_US if self else None

    def _end(self, name: str, time_us: int, to_agent: str, cause: str | None, slot: Slot) -> None:
        if name in self:
            self.drop(name)
        self.ended.add(name, time_us)
        sums = slot.agents[to_agent]
        sums.handoffs_ended += 1
        if cause is not None:
            sums.handoffs_failed += 1
            slot.causes[cause] = slot.causes.get(cause, 0) + 1
