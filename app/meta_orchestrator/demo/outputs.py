"""Reads what the worker publishes into the view."""

from collections.abc import Callable

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from meta_orchestrator.messages.outputs import OUTPUTS
from meta_orchestrator.view import Record, View


async def fold_outputs(address: str, view: View, heard: Callable[[Record], None]) -> None:
    """From the beginning, for ever. The embedded broker has one partition and nothing uncommitted."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, 0) for topic in dict.fromkeys(output.topic for output in OUTPUTS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        async for record in consumer:
            event = orjson.loads(record.value)
            view.add(event)
            heard(event)
    finally:
        await consumer.stop()
