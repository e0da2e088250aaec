"""Whose partitions these are, and their turns. A worker owns what Kafka assigned to it, and proves it by its
transactions.

An assignment goes through four steps, in this order; everything is forgotten at the next one:
  acquire   writers start: whoever owned a partition before can publish nothing any more (before the tables recover)
  load      the tables are whole: partitions are made from their rows
  (seek)    the reader goes to where the heads say
  begin     from here on records count
"""

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka.errors import IllegalOperation, KafkaError

from meta_orchestrator.drivers.live.ending import Ending
from meta_orchestrator.drivers.live.log import say, warn
from meta_orchestrator.drivers.live.partition import Partition, Turn
from meta_orchestrator.drivers.live.positions import head_key
from meta_orchestrator.drivers.live.writers import Writer
from meta_orchestrator.errors import MetaOrchestratorError

FAILURES = (KafkaError, IllegalOperation, TimeoutError, OSError)
"""What a producer raises when it was shut out, or when the broker is away; the second, when it notices between two
calls.
"""
LETTERS_S = 1
"""Dead letters wait this long for a tick to go with."""
RECORDS_AHEAD = 50_000
"""So many records of a partition are read on while its turn is being committed; some 50 MB of them."""


class Rows(Protocol):
    """What is known of the two tables, by partition."""

    def of(self, table: str, partition: int) -> dict[bytes, bytes]:
        """The committed rows of a partition."""

    def keep(self, table: str, partition: int, key: bytes, value: bytes) -> None:
        """A row that was just committed."""


@dataclass
class Owned:
    """A partition of ours, its writer, and when it last did something (seconds of `time.monotonic`)."""

    writer: Writer
    partition: Partition | None = None
    alive: bool = False
    """Sought: records count."""
    lost: bool = False
    """Its turn failed: it is read again at the next assignment. If none comes, the watchdog ends the worker."""
    moved_s: float = 0
    letters_s: float = 0
    """Since when dead letters wait, 0: none do."""
    ahead: int = 0
    """Records that were read since the last turn was decided."""


class Owner:
    """All partitions of this worker."""

    def __init__(
        self,
        rows: Rows,
        ending: Ending,
        new_writer: Callable[[int], Writer],
        new_partition: Callable[[int], Partition],
    ) -> None:
        self.rows, self.ending, self.new_writer, self.new_partition = rows, ending, new_writer, new_partition
        self.owned: dict[int, Owned] = {}
        self.records = 0
        """Read so far, by this worker."""
        self._locks: dict[int, asyncio.Lock] = {}
        """Held from a turn's decisions to its commit."""
        self._working: set[asyncio.Task[None]] = set()
        """Turns on their way: asyncio itself forgets a task that nobody holds."""

    # ---- an assignment, step by step ----

    async def acquire(self, partitions: Collection[int]) -> None:
        """Start a writer for each partition. Raises what Kafka says if one cannot start."""
        await self.release()
        began = time.monotonic()
        self.owned = {number: Owned(self.new_writer(number)) for number in sorted(partitions)}
        await asyncio.gather(*(owned.writer.start() for owned in self.owned.values()))
        say("acquired", partitions=sorted(partitions), seconds=round(time.monotonic() - began, 3))

    async def release(self) -> None:
        """Let turns that are being committed finish, then own nothing."""
        for number in list(self.owned):
            async with self._lock(number):
                owned = self.owned.pop(number)
            try:
                await owned.writer.stop()
            except FAILURES as error:
                warn("a producer did not stop cleanly", partition=number, error=repr(error))

    def load(self) -> list[Partition]:
        """Make the partitions from the tables' rows; they do not count records yet."""
        for number, owned in self.owned.items():
            partition = owned.partition = self.new_partition(number)
            owned.alive = False
            for note in partition.restore(self.rows.of("heads", number), self.rows.of("panes", number)):
                warn("restored with a change", partition=number, note=note)
            say("loaded", partition=number, tick_us=partition.head.tick_us, projects=len(partition.loop.projects))
        return [owned.partition for owned in self.owned.values() if owned.partition is not None]

    def begin(self) -> None:
        """The reader stands where the heads say: records count now."""
        for owned in self.owned.values():
            owned.alive, owned.moved_s = True, time.monotonic()

    # ---- records and turns ----

    def alive(self, number: int) -> Partition | None:
        """The partition, if records count for it."""
        owned = self.owned.get(number)
        return owned.partition if owned is not None and owned.alive else None

    def ready(self) -> bool:
        """All that is owned is alive."""
        return all(owned.alive for owned in self.owned.values())

    def partitions(self) -> Iterable[Partition]:
        return [owned.partition for owned in self.owned.values() if owned.alive and owned.partition is not None]

    async def observed(self, number: int, records: int) -> None:
        """So many records were put into a partition: take its turn if a tick is due and the turn before is committed.

        Else that turn's end will (`_go_on`); it is waited for only where reading is far ahead.
        """
        self.records += records
        owned = self.owned[number]
        owned.moved_s = time.monotonic()
        owned.ahead += records
        partition = owned.partition
        if partition is None:
            return
        if partition.letters and not owned.letters_s:
            owned.letters_s = owned.moved_s
        if partition.due() is not None and (owned.ahead > RECORDS_AHEAD or not self._lock(number).locked()):
            await self.turn(number)

    async def send_letters(self) -> None:
        """Take the turn of partitions whose dead letters have waited long enough."""
        for number, owned in list(self.owned.items()):
            if owned.letters_s and time.monotonic() - owned.letters_s > LETTERS_S:
                await self.turn(number)

    async def turn(self, number: int) -> None:
        """Decide what is due, once the turn before is committed, and let one transaction write it.

        Records are read on meanwhile, of this partition too: the turn is a copy of all that it writes. If it fails, the
        partition is lost until it is assigned again.
        """
        lock = self._lock(number)
        await lock.acquire()
        owned = self.owned.get(number)
        if owned is None or not owned.alive or owned.partition is None or not owned.partition.has_turn():
            lock.release()
            return
        try:
            began = time.monotonic()
            turn, owned.letters_s, owned.ahead = owned.partition.decide(), 0, 0
            decide_s = time.monotonic() - began
        except BaseException:
            lock.release()
            raise
        writing = self._begin(self._write(number, owned, turn, decide_s))
        writing.add_done_callback(lambda _: self._go_on(number))

    def _go_on(self, number: int) -> None:
        """A turn is committed, or lost: the next one may be due by now."""
        self._lock(number).release()
        partition = self.alive(number)
        if partition is not None and partition.due() is not None:
            self._begin(self.turn(number))

    def _begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """A part of a turn as a task. What no broker is to blame for ends the worker."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._ended)
        return task

    async def _write(self, number: int, owned: Owned, turn: Turn, decide_s: float) -> None:
        began = time.monotonic()
        try:
            await owned.writer.write(turn)
        except FAILURES as error:
            self._lose(number, owned, error)
            return
        self._keep(number, turn)
        owned.moved_s = time.monotonic()
        self._tell(number, turn, decide_s, owned.moved_s - began)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._working.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.ending.fail(f"an error in a turn: {error!r}")

    def _keep(self, number: int, turn: Turn) -> None:
        for table, key, value in turn.rows:
            self.rows.keep(table, number, key, value)
        self.rows.keep("heads", number, head_key(number), turn.head)

    def _lose(self, number: int, owned: Owned, error: Exception) -> None:
        """Another worker owns it, or nobody knows whether it was committed: what is in memory is worth nothing."""
        warn("a turn failed", partition=number, error=repr(error))
        owned.alive, owned.partition, owned.lost = False, None, True

    def _tell(self, number: int, turn: Turn, decide_s: float, write_s: float) -> None:
        say(
            "turn",
            level=10,
            partition=number,
            ticks=turn.ticks,
            tick_us=turn.tick_us,
            records_read=self.records,
            outputs=len(turn.outputs),
            dead_letters=len(turn.letters),
            rows=len(turn.rows),
            bytes=len(turn.head) + sum(len(value) for _, _, value in turn.rows),
            decide_ms=round(1e3 * decide_s, 1),
            write_ms=round(1e3 * write_s, 1),
        )

    def _lock(self, number: int) -> asyncio.Lock:
        return self._locks.setdefault(number, asyncio.Lock())


class NotCopartitionedError(MetaOrchestratorError):
    """Kafka assigned different partition numbers of topics that belong together."""
