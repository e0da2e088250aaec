"""One project's partition of `config-changes`, read committed, from its beginning; through every failure of Kafka."""

import asyncio
import time
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from meta_orchestrator.client.connection import END_S, Broker, Presence, arguments, bounded, pauses, quiet
from meta_orchestrator.client.received import TOPIC
from meta_orchestrator.wire.records import partition_of

QUIET_S = 1.0
"""A partition from which nothing came for so long is read to its end, whatever the broker says where that is."""
CHECK_S = 10.0
"""A consumer without a group never tells that its broker is gone: so ask after a silence."""


class ConfigReader:
    """Reads on from where it was, over as many connections as it takes.

    `at_end` becomes true once all that was there when it first connected has been read.
    """

    def __init__(self, who: str, project: str, broker: Broker, prefix: str, kafka: dict[str, Any]) -> None:
        self.at_end = False
        self._key, self._topic = project.encode(), prefix + TOPIC
        self._arguments = arguments(broker, kafka)
        self._presence = Presence(who, broker)
        self._pauses = pauses()
        self._consumer: AIOKafkaConsumer | None = None
        self._position: int | None = None
        self._end = 0
        self._heard_s = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._disconnect()

    async def read(self) -> "list[ConsumerRecord]":
        """The project's next records; none if nothing came for a while, or if Kafka is away."""
        try:
            records = await self._fetch(self._consumer or await self._connect())
        except (KafkaError, OSError) as error:  # TimeoutError is an OSError
            self._presence.lost(error)
            await self._disconnect()
            await asyncio.sleep(next(self._pauses))
            return []
        return [record for record in records if record.key == self._key]

    async def _connect(self) -> AIOKafkaConsumer:
        self._consumer = consumer = AIOKafkaConsumer(
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # also where our position no longer exists
            **self._arguments,
        )
        # A task of its own: what aiokafka makes in it inherits the context.
        await asyncio.get_running_loop().create_task(self._open(consumer), context=quiet())
        self._presence.found()
        self._pauses = pauses()
        return consumer

    async def _open(self, consumer: AIOKafkaConsumer) -> None:
        await consumer.start()
        cluster = await consumer._client.fetch_all_metadata()  # to ask for one topic may create it
        partitions = cluster.partitions_for_topic(self._topic)
        if not partitions:
            raise UnknownTopicOrPartitionError(f"there is no topic {self._topic}")
        self._partition = TopicPartition(self._topic, partition_of(self._key, len(partitions)))
        consumer.assign([self._partition])
        if self._position is None:
            await consumer.seek_to_beginning(self._partition)
        else:
            consumer.seek(self._partition, self._position)
        self._end = await self._ask_end(consumer)
        self._heard_s = time.monotonic()

    async def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await bounded(consumer.stop(), END_S)

    async def _fetch(self, consumer: AIOKafkaConsumer) -> "list[ConsumerRecord]":
        fetched = await consumer.getmany(self._partition, timeout_ms=int(QUIET_S * 1000))
        records: list[ConsumerRecord] = fetched.get(self._partition, [])
        if records:
            self._position = records[-1].offset + 1
            self._heard_s = time.monotonic()
        await self._look_for_the_end(consumer, found=bool(records))
        return records

    async def _look_for_the_end(self, consumer: AIOKafkaConsumer, found: bool) -> None:
        """The last record may be followed by marks of transactions, which only aiokafka's own position counts."""
        position = await asyncio.wait_for(consumer.position(self._partition), END_S)
        silent_s = time.monotonic() - self._heard_s
        self.at_end = self.at_end or position >= self._end or (not found and silent_s >= QUIET_S)
        if silent_s > CHECK_S:
            await self._ask_end(consumer)
            self._heard_s = time.monotonic()

    async def _ask_end(self, consumer: AIOKafkaConsumer) -> int:
        ends: dict[TopicPartition, int] = await consumer.end_offsets([self._partition])
        return ends[self._partition]
