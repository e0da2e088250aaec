"""`topics create` makes what the worker needs, `topics check` finds what differs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from meta_orchestrator.wire import topics

pytestmark = pytest.mark.kafka


T = TypeVar("T")
Work = Callable[[AIOKafkaAdminClient], Awaitable[T]]


async def _with_admin(bootstrap: str, work: Work[T]) -> T:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return await work(admin)
    finally:
        await admin.close()


def run(bootstrap: str, work: Work[T]) -> T:
    return asyncio.run(_with_admin(bootstrap, work))


def test_what_create_made_check_finds_right(kafka: str, prefix: str) -> None:
    assert run(kafka, lambda admin: topics.check(admin, prefix)) == []


def test_creating_again_creates_nothing(kafka: str, prefix: str) -> None:
    assert run(kafka, lambda admin: topics.create(admin, prefix, 4, replication=1)) == []


def test_all_topics_are_missing_where_nothing_was_created(kafka: str) -> None:
    found = run(kafka, lambda admin: topics.check(admin, "nobody-"))
    assert [each.topic for each in found] == ["nobody-" + name for name in topics.CONFIGS]
    assert all(each.stops_worker for each in found)


def test_another_partition_count_stops_the_worker(kafka: str, prefix: str) -> None:
    async def grow(admin: AIOKafkaAdminClient) -> list[topics.Difference]:
        await admin.create_partitions({prefix + "metrics": NewPartitions(total_count=6)})
        await asyncio.sleep(0.5)  # until all of the broker knows
        return await topics.check(admin, prefix)

    (found,) = run(kafka, grow)
    assert str(found) == f"{prefix}metrics: has 6 partitions, {prefix}agent-events has 4"
    assert found.stops_worker


def test_a_senders_clock_on_an_input_topic_stops_the_worker_and_another_retention_does_not(kafka: str) -> None:
    async def differ(admin: AIOKafkaAdminClient) -> list[topics.Difference]:
        await admin.create_topics([NewTopic(prefix + "agent-events", 4, 1)])
        await topics.create(admin, prefix, 4, replication=1)
        retention = {"retention.ms": "1000000"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, prefix + "metrics", configs=retention)])
        await asyncio.sleep(0.5)  # until all of the broker knows
        return await topics.check(admin, prefix)

    prefix = f"d{uuid4().hex[:8]}-"
    found = {str(each): each.stops_worker for each in run(kafka, differ)}
    assert found == {
        f"{prefix}agent-events: message.timestamp.type is CreateTime, should be LogAppendTime": True,
        f"{prefix}metrics: retention.ms is 1000000, should be 2592000000": False,
    }


def test_the_embedded_broker_is_not_blamed_for_settings_that_it_does_not_tell(embedded: str) -> None:
    async def both(admin: AIOKafkaAdminClient) -> list[topics.Difference]:
        await topics.create(admin, "e-", 2, replication=1)
        return await topics.check(admin, "e-")

    assert run(embedded, both) == []


def test_every_right_names_its_topic_with_the_prefix() -> None:
    lines = topics.acls("acme-")
    right = (
        "--allow-principal User:worker --operation Write --topic acme-config-changes --resource-pattern-type literal"
    )
    assert right in lines
    writers = [line for line in lines if "Write" in line and "acme-control-commands" in line]
    assert [line.split()[1] for line in writers] == ["User:operators", "User:worker"]
    assert not [line for line in lines if "acme-" not in line]
