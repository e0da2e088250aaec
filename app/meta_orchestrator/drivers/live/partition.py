"""One partition: the four input topics of one number, and all projects whose keys fall on it. No I/O, no clock.

Everything here is worth no more than the last commit: if one fails, the partition is thrown away and read again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meta_orchestrator.core.loop import Loop
from meta_orchestrator.drivers.live.positions import Head, head_key
from meta_orchestrator.drivers.live.reader import Reader, Record
from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.event import Event, Refused
from meta_orchestrator.messages.inputs import COMMANDS, TOPIC_OF
from meta_orchestrator.wire import dead_letters
from meta_orchestrator.wire.records import COMMAND_TOPIC
from meta_orchestrator.wire.topics import INPUTS
from meta_orchestrator.wire.trust import Trust

TICKS_A_TURN = 50
"""A backlog's ticks share transactions, but not without end: a transaction has a time-out."""


@dataclass(frozen=True)
class Letter:
    """A dead letter: a bad record's key and bytes as they were, and headers that say what was wrong."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True)
class Turn:
    """All that one transaction writes."""

    ticks: int
    tick_us: int | None
    outputs: list[CloudEvent]
    letters: list[Letter]
    rows: list[tuple[str, bytes, bytes]]
    """(table, key, value) of the projects."""
    head: bytes
    offsets: dict[str, int]
    """Input topic → offset to read from: what the group's offsets become."""


class Partition:
    """Observes records, decides ticks, and knows where reading goes on after a crash."""

    def __init__(self, number: int, partitions: int, prefix: str, trust: Trust, loop: Loop) -> None:
        self.number, self.prefix = number, prefix
        self.loop = loop
        self.readers = {topic: Reader(topic, number, partitions, trust) for topic in INPUTS}
        self.lateness_us = loop.policy.time.lateness_us
        self.head = Head()
        self.letters: list[Letter] = []

    def restore(self, heads: Mapping[bytes, bytes], panes: Mapping[bytes, bytes]) -> list[str]:
        """Take over what was committed; returns what a person should know."""
        self.head = Head.load(heads.get(head_key(self.number)))
        return self.loop.restore(heads, panes, self.head.tick_us)

    def observe(self, topic: str, batch: Iterable[Record], start: int, end: int) -> None:
        """Put the records of the offsets [start, end) of an input topic into their panes.

        A pane remembers the first batch that touched it, not the record: after a crash a few more are read again.
        """
        reading = self.head.readings[topic]
        before_us = reached_us = reading.reached_us
        reader, lateness_us = self.readers[topic], self.lateness_us
        observe = self._observe_or_obey if topic == COMMAND_TOPIC else self.loop.observe
        touched: set[int] = set()
        last = -1
        for record, key, usual in reader.read_all(batch):
            # An append time below an earlier one (the broker's clock stepped back) counts as the earlier one, so that
            # no record ever finds its pane closed but those that were counted before.
            reaches_us = record.timestamp * 1000
            if reaches_us < reached_us:  # noqa: PLR1730 - max() takes three times as long
                reaches_us = reached_us
            try:
                project, event = (key, usual) if usual is not None else reader.read(record)
                if project is not None:
                    pane = observe(project, event, reaches_us - lateness_us)
                    if pane != last:
                        touched.add(pane)
                        last = pane
            except BadRecord as bad:
                self._refuse(bad, topic, record)
                continue
            reached_us = reaches_us
        reading.reached_us, reading.next = reached_us, end
        for pane in sorted(touched):
            if pane >= 0:
                reading.hold(pane, start, before_us)

    def watermark_us(self) -> int:
        return min(reading.reached_us for reading in self.head.readings.values()) - self.lateness_us

    def due(self) -> int | None:
        """The next tick that can be decided."""
        return self.loop.due(self.watermark_us())

    def held_back(self, now_us: int) -> list[str] | None:
        """The topics whose silence holds back a tick that would be due by the clock; None if there is no such tick."""
        tick_us = self.loop.next_tick_us()
        if tick_us is None or tick_us > now_us - self.lateness_us:
            return None
        return [topic for topic in INPUTS if self.head.readings[topic].reached_us < tick_us + self.lateness_us]

    def next_tick_us(self, now_us: int) -> int:
        """When, by the clock, the next tick after the present one could become due at the earliest."""
        tick_us = self.loop.policy.time.tick_us
        return ((now_us - self.lateness_us) // tick_us + 1) * tick_us + self.lateness_us

    def has_turn(self) -> bool:
        """Whether there is something to decide or to refuse."""
        return bool(self.letters) or self.due() is not None

    def decide(self) -> Turn:
        """Every tick that is due, and all that must be written for it."""
        outputs: list[CloudEvent] = []
        ticks = 0
        while ticks < TICKS_A_TURN and (tick_us := self.due()) is not None:
            for output in self.loop.decide(tick_us):
                if isinstance(output, Refused):
                    self._refuse_late(output, tick_us)
                else:
                    outputs.append(output)
            ticks += 1
        return self._turn(ticks, outputs)

    def _turn(self, ticks: int, outputs: list[CloudEvent]) -> Turn:
        self.head.tick_us = self.loop.tick_us
        open_from = self.loop.open_from()
        letters, self.letters = self.letters, []
        for reading in self.head.readings.values():
            reading.release(open_from)
        offsets = {topic: reading.mark()[0] for topic, reading in self.head.readings.items()}
        turn = Turn(ticks, self.loop.tick_us, outputs, letters, self.loop.rows(), self.head.dump(), offsets)
        for reading in self.head.readings.values():
            reading.committed = max(reading.committed, reading.next or 0)
        return turn

    def _observe_or_obey(self, project: str, event: Event, reached_us: int) -> int:
        if event[3] in COMMANDS:
            return self.loop.command(project, event, reached_us)
        return self.loop.observe(project, event, reached_us)

    def _refuse(self, bad: BadRecord, topic: str, record: Record) -> None:
        """Keep a dead letter for the next transaction, unless a committed one holds it already."""
        if record.offset >= self.head.readings[topic].committed:
            where = self.prefix + topic, self.number, record.offset
            headers = dead_letters.headers(bad, *where, record.timestamp * 1000, record.headers)
            self.letters.append(Letter(record.key, record.value, headers))

    def _refuse_late(self, refused: Refused, tick_us: int) -> None:
        """The same for a record that was refused when its tick was decided; the tick stands for its append time."""
        topic = TOPIC_OF[refused.event[3]]
        headers = dead_letters.headers(refused, self.prefix + topic, self.number, refused.event[6], tick_us)
        self.letters.append(Letter(refused.project.encode(), refused.event[5], headers))
