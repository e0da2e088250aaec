"""Where a topic ends for a reader who waits for commits.

Kafka's end offset counts records that nobody ever sees: the control record that ends a transaction, and what was
aborted. A recovery that waits for the record before the end would wait for ever.
"""

from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

FIRST_LOOK = 4
"""Records before the end to look at first; 16 times as many each time that none of them can be seen."""


async def after_last_readable(
    reader: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Offset of the last record that can be read, plus 1; a partition in which none can be read is left out.

    `reader` is assigned to the partitions of `ends` and reads as its isolation level says.
    """
    found: dict[TopicPartition, int] = {}
    todo, back = set(ends), FIRST_LOOK
    while todo:
        for partition in todo:
            reader.seek(partition, max(ends[partition] - back, 0))
        found |= await _last_records(reader, todo, ends)
        todo = {partition for partition in todo if partition not in found and back < ends[partition]}
        back *= 16
    return found


async def _last_records(
    reader: AIOKafkaConsumer, partitions: Collection[TopicPartition], ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Read to the ends; the embedded broker names ends that are too low, a fetch knows better."""
    found: dict[TopicPartition, int] = {}
    reading = set(partitions)
    while reading:
        for partition, records in (await reader.getmany(*reading, timeout_ms=50)).items():
            if records:
                found[partition] = records[-1].offset + 1
        ahead = {one: max(ends[one], reader.highwater(one) or 0) for one in reading}
        reading = {one for one in reading if await reader.position(one) < ahead[one]}
    return found
