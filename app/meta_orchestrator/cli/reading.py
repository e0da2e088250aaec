"""Topics read from the beginning to where they end now, committed records only."""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meta_orchestrator.cli.times import now_us
from meta_orchestrator.errors import SettingsError

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

    from meta_orchestrator.settings import Settings

SILENCE_S = 5.0
"""After so long without a record the rest is taken to belong to transactions still open."""
DOUBLINGS = 7
"""Of the look back for the last records of a partition: 128 times as far, then from the first one on."""


@dataclass(frozen=True)
class Since:
    """From this append time on. `or_last`: where a partition has nothing since, twice as far back, and so on."""

    time_us: int
    or_last: bool = False

    def tries_us(self) -> list[int]:
        """The times to look from, one after the other."""
        now = now_us()
        return [now - (now - self.time_us) * 2**step for step in range(DOUBLINGS + 1 if self.or_last else 1)]


async def read_topics(
    settings: "Settings", topics: Iterable[str], since: Since | None = None, project: str | None = None
) -> AsyncIterator["tuple[ConsumerRecord[Any, Any], int]"]:
    """Every committed record of the topics (named without prefix), from the first one or since some time, of all
    projects or of one (its partition alone is read), each with the number of its topic's partitions."""
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from meta_orchestrator.cli.connecting import connected

    counts = await counts_of(settings, topics)
    key = None if project is None else project.encode()
    partitions = [TopicPartition(topic, number) for topic, count in counts.items() for number in _of(key, count)]
    async with connected(
        AIOKafkaConsumer, settings, isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        ends = await consumer.end_offsets(partitions)  # before anything is fetched: an empty fetch keeps others waiting
        starts = await _starts(consumer, partitions, since)
        unread = {partition: ends[partition] for partition, start in starts.items() if start < ends[partition]}
        if unread:
            consumer.assign(list(unread))
        for partition in unread:
            consumer.seek(partition, starts[partition])
        async for record in _until(consumer, unread):
            if key is None or record.key == key:
                yield record, counts[record.topic]


def _of(key: bytes | None, count: int) -> Iterable[int]:
    """The partitions in which records of a key are; all of them without one."""
    from meta_orchestrator.wire.records import partition_of

    return range(count) if key is None else [partition_of(key, count)]


async def counts_of(settings: "Settings", topics: Iterable[str]) -> dict[str, int]:
    """Topic with its prefix → its number of partitions, without creating it."""
    from aiokafka.admin import AIOKafkaAdminClient

    from meta_orchestrator.cli.connecting import connected
    from meta_orchestrator.wire.topics import partition_counts

    async with connected(AIOKafkaAdminClient, settings) as admin:
        there = await partition_counts(admin, settings.prefix)
    for topic in topics:
        if topic not in there:
            advice = f"there is no topic {settings.prefix}{topic} at {settings.broker}; `topics create` makes it"
            raise SettingsError("prefix", settings.prefix, advice)
    return {settings.prefix + topic: there[topic] for topic in topics}


async def _starts(
    consumer: "AIOKafkaConsumer", partitions: "Sequence[TopicPartition]", since: Since | None
) -> "dict[TopicPartition, int]":
    """Partition → the offset to read from; one without records since some time is missing, unless its last count."""
    starts: dict[TopicPartition, int] = {}
    for from_us in since.tries_us() if since else ():
        silent = [partition for partition in partitions if partition not in starts]
        found = await consumer.offsets_for_times(dict.fromkeys(silent, max(0, from_us // 1000))) if silent else {}
        starts |= {partition: offset.offset for partition, offset in found.items() if offset}
    if since is None or since.or_last:
        starts = await consumer.beginning_offsets(partitions) | starts
    return starts


async def _until(
    consumer: "AIOKafkaConsumer", ends: "dict[TopicPartition, int]"
) -> AsyncIterator["ConsumerRecord[Any, Any]"]:
    """Positions decide, not records: a transaction ends with a control record that no reader sees."""
    heard = time.monotonic()
    unread = set(ends)
    while unread and time.monotonic() - heard < SILENCE_S:
        for partition, records in sorted((await consumer.getmany(timeout_ms=200)).items()):
            heard = time.monotonic()
            for record in records:
                if record.offset < ends[partition]:
                    yield record
        unread = {partition for partition in unread if await consumer.position(partition) < ends[partition]}
