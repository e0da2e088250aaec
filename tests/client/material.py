"""Keys, trust and changes as a worker signs them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient

from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.messages.outputs import ConfigChange
from meta_orchestrator.wire.signing import sign
from meta_orchestrator.wire.trust import Key, Trust, TrustedKey, generate

PROJECT = "checkout"
TICK_US = parse_time_us("2026-03-01T12:00:00Z")
LONG_AFTER_US = parse_time_us("2099-01-01T00:00:00Z")

WORKER = generate("worker")
OPERATOR = generate("operator")
STRANGER = generate("worker")  # says it is the worker
NEIGHBOUR = generate("neighbour")
FORMER = generate("former")


def trusted(key: Key, role: str, project: str, not_after_us: int = LONG_AFTER_US) -> TrustedKey:
    return TrustedKey(key.id, key.private.public_key(), role, frozenset({project}), not_after_us)


TRUST = Trust(
    {
        "worker": trusted(WORKER, "worker", PROJECT),
        "operator": trusted(OPERATOR, "operator", PROJECT),
        "neighbour": trusted(NEIGHBOUR, "worker", "warehouse"),
        "former": trusted(FORMER, "worker", PROJECT, TICK_US - 1),
    }
)


def change(version: int, wip_limit: int = 4, project: str = PROJECT) -> bytes:
    """What the worker writes for a version."""
    data = ConfigChange(
        change=f"c{version}",
        version=version,
        kind="trial",
        changes=[],
        config={"workflow.wip_limit": wip_limit},
        reason="to see",
        trigger=[],
        expected={},
    )
    return CloudEvent(project, TICK_US, data).to_json()


def altered(value: bytes, **fields: Any) -> bytes:
    """The same record with other fields in its data."""
    event = orjson.loads(value)
    return orjson.dumps(event | {"data": event["data"] | fields})


def signed(
    value: bytes, key: Key = WORKER, topic: str = "config-changes", project: str = PROJECT
) -> list[tuple[str, bytes]]:
    return [
        ("content-type", b"application/cloudevents+json"),
        ("signature", sign(key, topic, project.encode(), value).encode()),
    ]


class Worker:
    """Writes to `config-changes`, in transactions as the worker does."""

    def __init__(self, bootstrap: str, prefix: str, transactional: bool = True) -> None:
        self._topic = prefix + "config-changes"
        name = f"{prefix}worker" if transactional else None
        self._arguments = {"bootstrap_servers": bootstrap, "transactional_id": name, "retry_backoff_ms": 20}
        self._transactional = transactional

    async def __aenter__(self) -> "Worker":
        self._producer = AIOKafkaProducer(**self._arguments)
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def write(
        self, value: bytes | None, headers: list[tuple[str, bytes]] | None = None, project: str = PROJECT
    ) -> None:
        """One record; signed as it should be if nothing else is said."""
        right = headers is None and value is not None
        headers = signed(value, project=project) if right else headers
        if not self._transactional:
            await self._producer.send_and_wait(self._topic, value, project.encode(), headers=headers)
            return
        async with self._producer.transaction():
            await self._producer.send(self._topic, value, project.encode(), headers=headers)

    async def abort(self, value: bytes) -> None:
        """A change of a tick that was never committed."""
        await self._producer.begin_transaction()
        await self._producer.send_and_wait(self._topic, value, PROJECT.encode(), headers=signed(value))
        await self._producer.abort_transaction()


@asynccontextmanager
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def everything(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """All committed records of a topic up to its present end."""
    reader = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await reader.start()
    try:
        found: list[ConsumerRecord] = []
        ends = await reader.end_offsets(list(reader.assignment()))
        while any([await reader.position(partition) < end for partition, end in ends.items()]):
            for records in (await reader.getmany(timeout_ms=200)).values():
                found += records
        return found
    finally:
        await reader.stop()


async def events(bootstrap: str, topic: str) -> list[dict[str, Any]]:
    return [orjson.loads(record.value) for record in await everything(bootstrap, topic)]
