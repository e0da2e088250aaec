"""Where a partition stands in its four input topics.

Open panes are never stored: Kafka is their buffer, read again after a crash. So the head of a partition keeps three
numbers for each input topic:

    [offset to read from, offset read, append time reached before the first]

The first record whose pane is open is where reading begins after a crash. What lies between the first two was read
before: its events wait in open panes or were counted, its bad records are in the dead letters already. The time is the
watermark as it stood before the first: to begin with a later one would let a tick fire before the records that are read
again are back.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from meta_orchestrator.messages.fields import DAY_US
from meta_orchestrator.wire.topics import INPUTS

NEVER = -(10**6) * DAY_US
"""The append time of a topic from which nothing was read: before all times that a message can carry."""


@dataclass
class Reading:
    """One input topic of one partition."""

    next: int | None = None
    """The offset that comes next; None where there is no head: then `begin` says."""
    committed: int = 0
    """Offset read when the last transaction was committed: dead letters from below it stand in their topic."""
    reached_us: int = NEVER
    """Greatest append time of a good record."""
    held: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Open pane → (offset, append time reached before it) of the first batch that touched it."""

    def hold(self, pane: int, start: int, reached_us: int) -> None:
        self.held.setdefault(pane, (start, reached_us))

    def begin(self, group: int | None, first: int, end: int) -> str | None:
        """Settle where to begin in what the topic holds, [first, end); says so if that is not where reading had ended.

        group: the consumer group's offset, which counts only where there is no head.
        """
        if self.next is None:
            self.next = max(group or 0, first)
        elif self.committed > end:
            stood, self.next, self.committed = self.next, first, first
            return f"it ends at {end}, reading stood at {stood}: it was made anew; reading begins at {first}"
        elif self.next < first:
            lost, self.next, self.committed = first - self.next, first, max(first, self.committed)
            return f"{lost} records below {first} are gone (retention) and were never counted"
        return None

    def release(self, open_from: int | None) -> None:
        """Panes below `open_from` (all, if None) are closed: their records need not be read again."""
        self.held = {pane: first for pane, first in self.held.items() if open_from is not None and pane >= open_from}

    def mark(self) -> tuple[int, int, int]:
        """(offset to read from, offset read, append time reached before the first)."""
        read = self.next or 0
        start, reached_us = min(self.held.values(), default=(read, self.reached_us))
        return start, max(read, self.committed), reached_us


@dataclass
class Head:
    """What is stored of a partition as such, under `@<number>` in the heads."""

    tick_us: int | None = None
    readings: dict[str, Reading] = field(default_factory=lambda: {topic: Reading() for topic in INPUTS})

    def dump(self) -> bytes:
        marks = {topic: reading.mark() for topic, reading in self.readings.items()}
        return orjson.dumps({"tick_us": self.tick_us, "inputs": marks})

    @classmethod
    def load(cls, stored: bytes | None) -> "Head":
        if stored is None:
            return cls()
        content: dict[str, Any] = orjson.loads(stored)
        head = cls(content["tick_us"])
        for topic, (start, read, reached_us) in content["inputs"].items():
            head.readings[topic] = Reading(next=start, committed=read, reached_us=reached_us)
        return head


def head_key(partition: int) -> bytes:
    return b"@%d" % partition
