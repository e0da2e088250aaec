"""What stands on a topic, for a reader who waits for commits and for one who does not."""

import asyncio
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord

Record = ConsumerRecord[bytes | None, bytes | None]


def read(bootstrap: str, topic: str, committed: bool = True, patience_s: float = 30) -> list[Record]:
    """All records from the beginning to the present end of every partition."""
    return asyncio.run(read_async(bootstrap, topic, committed, patience_s))


def data(bootstrap: str, topic: str, committed: bool = True) -> list[dict[str, Any]]:
    """The same as parsed CloudEvents."""
    return [orjson.loads(record.value) for record in read(bootstrap, topic, committed) if record.value is not None]


async def read_async(bootstrap: str, topic: str, committed: bool = True, patience_s: float = 30) -> list[Record]:
    level = "read_committed" if committed else "read_uncommitted"
    reader = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        isolation_level=level,
        enable_auto_commit=False,
        fetch_max_wait_ms=100,
        # Not seek_to_beginning: it may lose against the first reset, which goes to the end by default.
        auto_offset_reset="earliest",
    )
    await reader.start()
    try:
        return await asyncio.wait_for(_to_the_end(reader), patience_s)
    finally:
        await reader.stop()


async def _to_the_end(reader: AIOKafkaConsumer) -> list[Record]:
    partitions = sorted(reader.assignment())
    ends = await reader.end_offsets(partitions)
    found: list[Record] = []
    while any([await reader.position(partition) < ends[partition] for partition in partitions]):
        for records in (await reader.getmany(timeout_ms=200)).values():
            found += records
    return found
