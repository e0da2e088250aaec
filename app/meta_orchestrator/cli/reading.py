"""Topics read from the beginning to where they end now, committed records only."""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from meta_orchestrator.errors import SettingsError

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

    from meta_orchestrator.settings import Settings

SILENCE_S = 5.0
"""After so long without a record the rest is taken to belong to transactions still open."""


async def read_topics(
    settings: "Settings", topics: Iterable[str], since_us: int | None = None
) -> AsyncIterator["tuple[ConsumerRecord[Any, Any], int]"]:
    """Every committed record of the topics (named without prefix), from the first one or from an append time on,
    each with the number of its topic's partitions."""
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from meta_orchestrator.cli.connecting import connected

    counts = await counts_of(settings, topics)
    partitions = [TopicPartition(topic, number) for topic, count in counts.items() for number in range(count)]
    async with connected(
        AIOKafkaConsumer, settings, isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        consumer.assign(partitions)
        await _seek(consumer, partitions, since_us)
        async for record in _until(consumer, await consumer.end_offsets(partitions)):
            yield record, counts[record.topic]


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


async def _seek(consumer: "AIOKafkaConsumer", partitions: "Sequence[TopicPartition]", since_us: int | None) -> None:
    await consumer.seek_to_beginning(*partitions)
    if since_us is None:
        return
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, since_us // 1000))
    ends = await consumer.end_offsets(partitions)
    for partition, offset in found.items():
        consumer.seek(partition, offset.offset if offset else ends[partition])


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
