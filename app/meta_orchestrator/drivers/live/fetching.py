"""What the thread in which Faust fetches must do differently: see transport.py."""

import asyncio
import logging
import sys
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from meta_orchestrator.drivers.live.batch import Batch
from meta_orchestrator.drivers.live.highwaters import after_last_readable
from meta_orchestrator.drivers.live.lenient import LenientRecords
from meta_orchestrator.drivers.live.log import say
from meta_orchestrator.drivers.live.positions import Reading

if TYPE_CHECKING:
    from meta_orchestrator.drivers.live.app import App

HIGHWATERS_S = 60
FETCH_WAIT_MS, BUSY_WAIT_MS = 100, 10
POLL_S = 0.2
"""A fetch looks at least this often whether it is still wanted."""


class _Thread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust is not typed
    app: "App"


class ReadCommitted(_Thread):
    """Faust reads uncommitted records unless it runs transactions itself, so tables would recover what was aborted.

    The reader is created as if it did. (It is asked only then; later, it would make Faust begin transactions.)
    """

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        self.consumer.in_transaction = self.app.options.transactions
        try:
            return super()._create_worker_consumer(transport)
        finally:
            self.consumer.in_transaction = False


class ShortWaits(_Thread):
    """Faust lets a fetch of empty partitions wait for 1.5 s at the broker, and aiokafka has one fetch a broker under
    way.

    While a turn takes its time, such a fetch goes out for the silent topics alone, and the busy ones then wait for it:
    the shorter, the more there was to read last.
    """

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = BUSY_WAIT_MS
        return consumer


class AnyHeaders(_Thread):
    """aiokafka stops at a header whose name is not UTF-8 (lenient.py), and Faust with it, again after each restart.

    It names its parser in one place for the whole process.
    """

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        fetcher.MemoryRecords = LenientRecords
        return super()._create_worker_consumer(transport)


class ReadableHighwaters(_Thread):
    """Faust recovers up to the end offset - 1, which is a control record after a transaction: it would wait for ever.

    The last readable record is looked for. Partitions that are empty are answered without a reader: to stop one that
    has fetched nothing raises CancelledError, and recovery would end without a word. A failure ends the worker, since
    Faust would go on with tables that are not whole.
    """

    async def _highwaters(self, partitions: Iterable[TP]) -> Mapping[TP, int]:
        try:
            return await asyncio.wait_for(self._readable(list(partitions)), HIGHWATERS_S)
        except (KafkaError, TimeoutError, OSError) as error:
            self.app.ending.fail(f"the ends of the changelogs could not be found: {error!r}")
            raise

    async def _readable(self, partitions: list[TP]) -> Mapping[TP, int]:
        ends = {TopicPartition(*tp): end for tp, end in (await super()._highwaters(partitions)).items() if end}
        if not ends:
            return dict.fromkeys(partitions, 0)
        reader = AIOKafkaConsumer(**self.app.reader_options())
        await reader.start()
        try:
            reader.assign(list(ends))
            found = await after_last_readable(reader, ends)
        finally:
            await reader.stop()
        return {tp: found.get(TopicPartition(*tp), 0) for tp in partitions}


class BatchedFetch(_Thread):
    """Faust handles 3,000 records a second, each with a task of its own; and it drops what it fetched during a
    rebalance.

    One fetch of one input partition becomes one message, with the positions between which its records lie, so that the
    agent sees when something was dropped on the way (`Crank`). During a rebalance Faust empties the set of
    active partitions that a running fetch holds, and aiokafka takes an empty set for "all": so nothing is fetched for
    an empty set, and the set is looked at again every 0.2 s.
    """

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's signature
        max_records: int | None = None,
    ) -> Any:
        until = time.monotonic() + (timeout or 0)
        while self.consumer.flow_active and active_partitions:
            assignment = consumer._subscription.subscription.assignment
            starts = self._starts(assignment)
            self._leave_packed(consumer, starts)
            fetched = await super()._fetch_records(consumer, active_partitions, timeout=0, max_records=max_records)
            batches = self._folded(fetched, starts, assignment)
            consumer._fetcher._fetch_max_wait_ms = BUSY_WAIT_MS if batches else FETCH_WAIT_MS
            if batches:
                return batches
            left = min(until - time.monotonic(), POLL_S)
            if left <= 0:
                break
            waiter = consumer._fetcher._create_fetch_waiter()
            await asyncio.wait([waiter], timeout=left)
            waiter.cancel()
        return {}

    def _starts(self, assignment: Any) -> dict[TopicPartition, int]:
        """Where each input partition will be read next; one that is being sought has no position."""
        if assignment is None:
            return {}
        inputs = (tp for tp in assignment.tps if tp.topic in self.app.input_topics)
        states = ((tp, assignment.state_value(tp)) for tp in inputs)
        return {tp: state.position for tp, state in states if state.has_valid_position}

    @staticmethod
    def _leave_packed(consumer: AIOKafkaConsumer, inputs: Iterable[TopicPartition]) -> None:
        """Let whole batches through: what aiokafka does for each record costs a fifth of the time."""
        for tp in inputs:
            fetched = getattr(consumer._fetcher._records.get(tp), "_partition_records", None)
            if fetched is not None:
                fetched._consumer_record, fetched._records.whole = _as_it_is, True

    @staticmethod
    def _folded(fetched: Mapping[Any, list[Any]], starts: Mapping[Any, int], assignment: Any) -> dict[Any, list[Any]]:
        """A batch for each input partition that moved; one without records where all of them were aborted."""
        folded = {tp: records for tp, records in fetched.items() if tp not in starts}
        for tp, start in starts.items():
            state = assignment.state_value(tp)
            if state.has_valid_position and state.position > start:
                folded[tp] = [Batch(fetched.get(tp, ()), start, state.position)]
        return folded


def _as_it_is(_: TopicPartition, record: Any) -> Any:
    return record


class SeekToHeads(_Thread):
    """Faust begins where the group's offsets say: a second truth, which expires, and which the embedded broker cannot
    keep.

    The heads say where to begin, so that state and position are one thing. Where there is no head yet, it is the
    group's offset, else the first record; never where the reader happens to stand: Faust lets it read on before it is
    sought.
    """

    async def seek_to_committed(self) -> Mapping[TP, int]:
        group = dict(await super().seek_to_committed())
        readings = self.app.readings_to_seek()
        if not readings:
            return group
        first = await self.earliest_offsets(*readings)
        end = await self.call_thread(self._ensure_consumer().end_offsets, list(readings))
        sought = {tp: self._begin(tp, readings[tp], group.get(tp), first[tp], end[tp]) for tp in readings}
        await self.seek_wait(sought)
        return {**group, **sought}

    def _begin(self, tp: TP, reading: Reading, group: int | None, first: int, end: int) -> int:
        if not self.app.options.transactions:
            end = sys.maxsize  # the embedded broker names ends that are too low
        note = reading.begin(group, first, end)
        if note is not None:
            say("not where reading ended", logging.ERROR, topic=tp.topic, partition=tp.partition, note=note)
        return reading.next or 0


class Rejoins(_Thread):
    """Faust is assigned partitions when members or topics change, and cannot ask for it.

    A partition whose turn failed in an outage that nobody else noticed would be lost for good.
    """

    async def rejoin(self) -> None:
        await self.call_thread(self._request_rejoin)

    async def _request_rejoin(self) -> None:
        self._ensure_consumer()._coordinator.request_rejoin()


class Thread(ReadCommitted, ShortWaits, AnyHeaders, ReadableHighwaters, BatchedFetch, SeekToHeads, Rejoins):
    """Faust's consumer thread, mended."""
