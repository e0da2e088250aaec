"""What the worker says and does when its surroundings are not as they should be."""

import asyncio
import random
import signal
import time
from pathlib import Path

import cramjam
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from meta_orchestrator.core.project import FORMAT
from meta_orchestrator.wire import topics
from meta_orchestrator.wire.records import partition_of
from tests.kafka.broker import JavaBroker, free_ports
from tests.kafka.conftest import new_prefix
from tests.kafka.harness import (
    Bench,
    assert_exactly_once,
    counted,
    event,
    now_us,
    send_load,
    settled,
    snapshots_of,
    truth,
    wait_until,
)

pytestmark = pytest.mark.kafka


def test_without_a_broker_it_gives_up_after_a_bounded_wait_with_status_4(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    worker = Bench(f"127.0.0.1:{port}", "x-", tmp_path).worker("w", "--wait", "3")
    began = time.monotonic()
    assert worker.process.wait(30) == 4
    assert time.monotonic() - began < 20
    (line,) = worker.said("waiting for the broker")
    assert line["at_most_s"] == 3
    assert f"the broker at 127.0.0.1:{port} did not answer for 3 s" in worker.tail()


def test_a_missing_topic_is_named_with_status_2(kafka: str, tmp_path: Path) -> None:
    worker = Bench(kafka, "nobody-", tmp_path).worker()
    assert worker.process.wait(30) == 2
    assert "nobody-agent-events: is missing" in worker.tail()
    assert "topics create" in worker.tail()


def test_partition_counts_that_differ_are_named_with_status_2(bench: Bench) -> None:
    async def grow() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bench.bootstrap)
        await admin.start()
        await admin.create_partitions({bench.prefix + "metrics": NewPartitions(total_count=6)})
        await asyncio.sleep(0.5)
        await admin.close()

    asyncio.run(grow())
    worker = bench.worker()
    assert worker.process.wait(30) == 2
    assert f"{bench.prefix}metrics: has 6 partitions, {bench.prefix}agent-events has 4" in worker.tail()


def test_a_topic_that_was_made_anew_is_read_from_its_start_and_that_is_said_loudly(bench: Bench) -> None:
    first = bench.worker()
    first.wait_for("ready")
    asyncio.run(send_load(bench, 800, 800))
    wait_until(lambda: settled(bench))  # what was still open would be counted by the second worker
    assert first.stop() == 0
    before = _from_agents(bench)
    asyncio.run(_make_anew(bench, "agent-events"))
    asyncio.run(send_load(bench, 80, None, first=800, doubles=0))
    second = bench.worker()
    second.wait_for("ready")
    said = second.said("not where reading ended")
    assert {line["topic"] for line in said} == {bench.prefix + "agent-events"}
    assert "made anew" in said[0]["note"]
    assert said[0]["level"] == "error"
    sent = sum(event["type"] != "clock.tick" for event in bench.data("agent-events"))  # the worker writes those
    wait_until(lambda: _from_agents(bench) == before + sent)


async def _make_anew(bench: Bench, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.bootstrap)
    await admin.start()
    await admin.delete_topics([bench.prefix + topic])
    while topic in await topics.partition_counts(admin, bench.prefix):  # noqa: ASYNC110 - only asking tells
        await asyncio.sleep(0.2)
    await topics.create(admin, bench.prefix, 4, replication=1)
    await admin.close()


def _from_agents(bench: Bench) -> int:
    """Events counted of those that stood in agent-events."""
    everything = counted(snapshots_of(bench.data("metrics")))
    return sum(number for (_, _, kind), number in everything.items() if kind.startswith("agent."))


def test_a_state_of_a_build_that_is_not_this_one_ends_the_worker_and_stays_as_it_is(bench: Bench) -> None:
    head = cramjam.zstd.compress(orjson.dumps({"format": 99}))
    asyncio.run(_store_head(bench, b"project-0", bytes(head)))
    worker = bench.worker()
    assert worker.process.wait(60) == 1
    assert f"project-0: its stored state has format 99, this build reads {FORMAT}" in worker.tail()
    (stored,) = bench.read(f"{topics.APPLICATION}-heads-changelog")
    assert stored.value == bytes(head)


async def _store_head(bench: Bench, project: bytes, head: bytes) -> None:
    topic, number = f"{bench.prefix}{topics.APPLICATION}-heads-changelog", partition_of(project, 4)
    async with AIOKafkaProducer(bootstrap_servers=bench.bootstrap) as producer:
        await producer.send_and_wait(topic, head, key=b"p/" + project, partition=number)


def test_what_a_sender_aborted_is_not_counted_and_holds_nothing_up(bench: Bench) -> None:
    """More is aborted than one fetch holds, so that the reader moves on without a record."""
    worker = bench.worker()
    worker.wait_for("ready")
    asyncio.run(_abort(bench, megabytes=3))
    asyncio.run(send_load(bench, 400, 400, first=100_000))
    wait_until(lambda: settled(bench))
    assert_exactly_once(bench)
    assert len(worker.said("read again")) < 10


async def _abort(bench: Bench, megabytes: int) -> None:
    one = event(0, now_us(), random.Random(0))
    number = partition_of(one["project"].encode(), 4)
    value = orjson.dumps({**one, "padding": "x" * 100_000})
    identity = bench.prefix + "sender"
    async with AIOKafkaProducer(bootstrap_servers=bench.bootstrap, transactional_id=identity) as producer:
        await producer.begin_transaction()
        for _ in range(megabytes * 10):
            await producer.send_and_wait(
                bench.prefix + "agent-events", value, key=one["project"].encode(), partition=number
            )
        await producer.abort_transaction()


def test_a_worker_that_cannot_end_cleanly_because_the_broker_hangs_ends_within_ten_seconds(
    own_broker: JavaBroker, tmp_path: Path
) -> None:
    bench = Bench(own_broker.bootstrap, new_prefix(own_broker.bootstrap), tmp_path)
    worker = bench.worker()
    worker.wait_for("ready")
    own_broker.process.send_signal(signal.SIGSTOP)
    try:
        worker.send(signal.SIGTERM)
        worker.process.wait(12)
    finally:
        own_broker.process.send_signal(signal.SIGCONT)


def test_on_the_embedded_broker_kills_lose_nothing_and_repeat_only_the_same(embedded: str, tmp_path: Path) -> None:
    bench = Bench(embedded, new_prefix(embedded), tmp_path)
    try:
        worker = bench.worker("w", "--embedded")
        worker.wait_for("ready", 60)
        asyncio.run(send_load(bench, 1500, 300))
        worker.wait_for("turn")
        worker.send(signal.SIGKILL)
        worker = bench.worker("w", "--embedded")
        worker.wait_for("ready", 60)
        asyncio.run(send_load(bench, 900, 300, first=1500))
        wait_until(lambda: _counted_once(bench) >= truth(bench).events)
        assert _counted_once(bench) == truth(bench).events
        assert worker.stop() == 0
    finally:
        bench.end()


def _counted_once(bench: Bench) -> int:
    """Events counted, of snapshots that stand twice only one; two of one tick must be the same."""
    by_tick = {}
    for snapshot in snapshots_of(bench.data("metrics", committed=False)):
        same = by_tick.setdefault((snapshot["project"], snapshot["time"]), snapshot)
        assert same == snapshot
    return sum(counted(by_tick.values()).values())
