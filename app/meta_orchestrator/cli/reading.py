"""Topics read from the beginning to where they end now, committed records only."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
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
    from aiokafka import AIOKafkaConsumer

    from meta_orchestrator.cli.connecting import connected

    committed = {"isolation_level": "read_committed", "enable_auto_commit": False}
    async with connected(AIOKafkaConsumer, settings, **committed) as consumer:
        partitions = await _partitions(consumer, settings, topics)
        counts = Counter(partition.topic for partition in partitions)
        consumer.assign(partitions)
        await _seek(consumer, partitions, since_us)
        async for record in _until(consumer, await consumer.end_offsets(partitions)):
            yield record, counts[record.topic]


async def _partitions(
    consumer: "AIOKafkaConsumer", settings: "Settings", topics: Iterable[str]
) -> "list[TopicPartition]":
    from aiokafka import TopicPartition

    found = await consumer.topics()
    wanted = [settings.prefix + topic for topic in topics]
    for topic in wanted:
        if topic not in found:
            advice = (
                f"there is no topic {topic} at {settings.broker}; `meta-orchestrator topics create` makes the topics"
            )
            raise SettingsError("prefix", settings.prefix, advice)
    return [TopicPartition(topic, number) for topic in wanted for number in consumer.partitions_for_topic(topic) or ()]


async def _seek(consumer: "AIOKafkaConsumer", partitions: "list[TopicPartition]", since_us: int | None) -> None:
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
    open_ = set(ends)
    while open_ and time.monotonic() - heard < SILENCE_S:
        batches = await consumer.getmany(timeout_ms=200)
        for partition in sorted(batches):
            heard = time.monotonic()
            for record in batches[partition]:
                if record.offset < ends[partition]:
                    yield record
        for partition in sorted(open_):
            if await asyncio.wait_for(consumer.position(partition), SILENCE_S) >= ends[partition]:
                open_.discard(partition)
                consumer.pause(partition)
