"""On real Kafka: what is published arrives, what is handed out is in force, and no forger gets through."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import NewTopic
from aiokafka.partitioner import DefaultPartitioner

from meta_orchestrator.client import Change, Publisher, follow, sync
from meta_orchestrator.wire import topics
from meta_orchestrator.wire.records import read as read_record
from tests.client.material import (
    FORMER,
    NEIGHBOUR,
    OPERATOR,
    PROJECT,
    STRANGER,
    TRUST,
    Worker,
    admin,
    altered,
    change,
    events,
    everything,
    signed,
)

pytestmark = pytest.mark.kafka

BEAT = {"agent": "a1", "utilization": 0.5}


def publisher(kafka: str, prefix: str, **more: object) -> Publisher:
    return Publisher(broker=kafka, prefix=prefix, source="orchestrator", project=PROJECT, **more)


async def answers(kafka: str, prefix: str) -> list[tuple[str, int]]:
    """(type, version) of what stands on orchestrator-events."""
    found = await events(kafka, prefix + "orchestrator-events")
    return [(event["type"], event["data"].get("version")) for event in found]


async def soon(changes: AsyncIterator[Change], patience_s: float = 20) -> Change:
    async with asyncio.timeout(patience_s):
        return await anext(changes)


async def nothing_more(changes: AsyncIterator[Change], patience_s: float = 2.5) -> None:
    with pytest.raises(TimeoutError):
        await soon(changes, patience_s)


# ---- publish ---------------------------------------------------------------------------------------------------------


async def test_what_is_published_is_what_a_worker_reads(kafka: str, prefix: str) -> None:
    async with publisher(kafka, prefix) as team:
        await team.publish("agent.heartbeat", BEAT)
        async with team.task("t1", agent="a1"):
            pass
        await team.publish("consensus.vote.cast", {"round": "r1", "agent": "a1", "choice": "approve"})
        await team.register("o1", {"workflow.wip_limit": 4})
        assert await team.flush()
        assert (team.delivered, team.dropped) == (5, 0)
    kinds = Counter()
    for topic in ("agent-events", "consensus-events", "orchestrator-events"):
        for record in await everything(kafka, prefix + topic):
            project, event = read_record(
                topic,
                record.partition,
                4,
                record.key,
                record.value,
                record.headers,
                record.timestamp,
                record.offset,
                TRUST,
            )
            assert project == PROJECT
            assert ("content-type", b"application/cloudevents+json") in record.headers
            assert record.partition == DefaultPartitioner()(record.key, [0, 1, 2, 3], [])
            kinds[event[3]] += 1
    assert kinds == {
        "agent.heartbeat": 1,
        "agent.task.started": 1,
        "agent.task.finished": 1,
        "consensus.vote.cast": 1,
        "orchestrator.registered": 1,
    }


async def test_a_burst_far_over_the_buffer_loses_nothing_while_kafka_is_there(kafka: str, prefix: str) -> None:
    async with publisher(kafka, prefix, buffer_bytes=500_000) as team:
        await team.publish("agent.heartbeat", BEAT)
        await team.flush()
        for number in range(20_000):
            await team.publish("agent.heartbeat", BEAT, id=str(number))
        assert await team.flush(30)
        assert (team.delivered, team.dropped) == (20_001, 0)


def test_eight_plain_threads_lose_nothing(kafka: str, prefix: str) -> None:
    def work(thread: int) -> None:
        for number in range(500):
            team.publish("agent.heartbeat", BEAT, id=f"{thread}-{number}")
        with team.task(f"t{thread}", agent="a1"):
            pass

    with sync.Publisher(broker=kafka, prefix=prefix, source="s", project=PROJECT) as team:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (team.delivered, team.dropped) == (8 * 502, 0)
    ids = Counter(event["id"] for event in asyncio.run(events(kafka, prefix + "agent-events")))
    assert len(ids) == 8 * 502
    assert set(ids.values()) == {1}


async def test_what_kafka_refuses_is_counted_and_does_not_stop_the_rest(
    kafka: str, caplog: pytest.LogCaptureFixture
) -> None:
    prefix = f"small{time.time_ns()}-"
    async with admin(kafka) as settings:
        small = NewTopic(prefix + "agent-events", 4, 1, topic_configs={"max.message.bytes": "2000"})
        await settings.create_topics([small])
    async with publisher(kafka, prefix) as team:
        for _ in range(2):
            await team.publish("agent.heartbeat", {**BEAT, "padding": "x" * 3000})
            assert await team.flush()
        await team.publish("agent.heartbeat", BEAT)
        assert await team.flush()
        assert (team.delivered, team.dropped) == (1, 2)
    assert [text for text in caplog.messages if "refuses" in text] == [
        "orchestrator: Kafka refuses events on agent-events, they are dropped: MessageSizeTooLargeError()"
    ]


# ---- follow ----------------------------------------------------------------------------------------------------------


async def test_a_late_joiner_gets_what_is_in_force_at_once_and_then_each_newer(kafka: str, prefix: str) -> None:
    async with Worker(kafka, prefix) as worker:
        for version in range(1, 31):
            await worker.write(change(version, wip_limit=version))
        await worker.write(change(99, project="warehouse"), project="warehouse")
        await worker.abort(change(31))
        changes = aiter(follow(PROJECT, broker=kafka, prefix=prefix, trust=TRUST))
        begun = time.monotonic()
        first = await soon(changes)
        assert time.monotonic() - begun < 3
        assert (first.version, first.config) == (30, {"workflow.wip_limit": 30})
        for version in (32, 33, 40):
            await worker.write(change(version))
        assert [(await soon(changes)).version for _ in range(3)] == [32, 33, 40]
        await nothing_more(changes)


async def test_nothing_in_force_is_nothing_to_yield_until_there_is_something(kafka: str, prefix: str) -> None:
    changes = aiter(follow(PROJECT, broker=kafka, prefix=prefix, trust=TRUST))
    await nothing_more(changes)
    changes = aiter(follow(PROJECT, broker=kafka, prefix=prefix, trust=TRUST))
    waiting = asyncio.create_task(soon(changes))
    await asyncio.sleep(1)
    async with Worker(kafka, prefix) as worker:
        await worker.write(change(1))
        assert (await waiting).version == 1
    await changes.aclose()


async def test_answers_reach_the_worker_and_the_version_goes_into_every_event(kafka: str, prefix: str) -> None:
    async with Worker(kafka, prefix) as worker, publisher(kafka, prefix) as team:
        changes = aiter(follow(PROJECT, broker=kafka, prefix=prefix, trust=TRUST, publisher=team))
        await worker.write(change(1))
        await (await soon(changes)).applied()
        await worker.write(change(2))
        await (await soon(changes)).rejected("no such parameter")
        await team.publish("agent.heartbeat", BEAT)
        await team.flush()
        await changes.aclose()
    assert await answers(kafka, prefix) == [("config.applied", 1), ("config.rejected", 2)]
    (beat,) = await events(kafka, prefix + "agent-events")
    assert beat["configversion"] == 1


async def test_a_change_that_is_published_again_gets_the_same_answer_again(kafka: str, prefix: str) -> None:
    async with Worker(kafka, prefix) as worker:
        await worker.write(change(1))
        follower = follow(PROJECT, broker=kafka, prefix=prefix, trust=TRUST)
        changes = aiter(follower)
        await (await soon(changes)).applied()
        await worker.write(change(1))
        await nothing_more(changes)
        assert not follower.refused
    assert await answers(kafka, prefix) == [("config.applied", 1)] * 2


async def test_a_break_still_delivers_the_answer(kafka: str, prefix: str) -> None:
    async with Worker(kafka, prefix) as worker:
        await worker.write(change(1))
    async for found in follow(PROJECT, broker=kafka, prefix=prefix, trust=TRUST):
        await found.applied()
        break
    await asyncio.sleep(1)
    assert await answers(kafka, prefix) == [("config.applied", 1)]


async def test_no_forgery_is_ever_handed_out(kafka: str, prefix: str) -> None:
    good, newer, foreign = change(5), change(9), change(9, project="warehouse")
    follower = follow(PROJECT, broker=kafka, prefix=prefix, trust=TRUST)
    async with Worker(kafka, prefix) as worker:
        for round_ in range(2):  # once for the late joiner, once while it listens
            await worker.write(newer, [])
            await worker.write(newer, signed(newer, STRANGER))
            await worker.write(newer, signed(newer, OPERATOR))
            await worker.write(newer, signed(newer, NEIGHBOUR))
            await worker.write(newer, signed(newer, FORMER))
            await worker.write(altered(newer, config={}), signed(newer))
            await worker.write(newer, signed(newer, topic="decisions"))
            await worker.write(foreign, signed(foreign))
            await worker.write(b"\xff", signed(b"\xff"))
            await worker.write(altered(newer, version=None))
            await worker.write(None, [])
            if round_ == 0:
                await worker.write(good)
                changes = aiter(follower)
                assert (await soon(changes)).version == 5
        await worker.write(change(4))  # older
        await worker.write(change(6))
        assert (await soon(changes)).version == 6
        await changes.aclose()
    assert follower.refused == {
        "bad_signature": 2 * 5,
        "untrusted": 2 * 3,
        "key_mismatch": 2,
        "not_json": 2,
        "invalid": 2,
        "older": 1,
    }


async def test_two_contents_under_one_version_are_never_both_obeyed(kafka: str, prefix: str) -> None:
    follower = follow(PROJECT, broker=kafka, prefix=prefix, trust=TRUST)
    async with Worker(kafka, prefix) as worker:
        await worker.write(change(1))
        changes = aiter(follower)
        assert (await soon(changes)).version == 1
        await worker.write(altered(change(1), change="another", config={"workflow.wip_limit": 9}))
        await nothing_more(changes)
    assert follower.refused == {"older": 1}


async def test_a_missing_topic_is_waited_for(kafka: str) -> None:
    prefix = f"late{time.time_ns()}-"
    changes = aiter(follow(PROJECT, broker=kafka, prefix=prefix, trust=TRUST))
    waiting = asyncio.create_task(soon(changes, 40))
    async with publisher(kafka, prefix) as team:
        await team.publish("agent.heartbeat", BEAT)
        await asyncio.sleep(2)
        async with admin(kafka) as settings:
            await topics.create(settings, prefix, 4, replication=1)
        async with Worker(kafka, prefix) as worker:
            await worker.write(change(1))
            assert (await waiting).version == 1
        assert await team.flush(30)
        assert (team.delivered, team.dropped) == (1, 0)
    await changes.aclose()


def test_a_plain_thread_follows_and_answers(kafka: str, prefix: str) -> None:
    async def write(versions: list[int]) -> None:
        async with Worker(kafka, prefix) as worker:
            for version in versions:
                await worker.write(change(version))

    asyncio.run(write([1, 2]))
    seen: list[int] = []
    with sync.Publisher(broker=kafka, prefix=prefix, source="o", project=PROJECT) as team:
        for found in sync.follow(PROJECT, broker=kafka, prefix=prefix, trust=TRUST, publisher=team):
            seen.append(found.version)
            if found.version == 2:
                found.applied()
                asyncio.run(write([3]))
            else:
                found.rejected("enough")
                break
    assert seen == [2, 3]
    assert asyncio.run(answers(kafka, prefix)) == [("config.applied", 2), ("config.rejected", 3)]


def test_another_thread_ends_the_iteration(kafka: str, prefix: str) -> None:
    follower = sync.follow(PROJECT, broker=kafka, prefix=prefix, trust=TRUST)
    thread = threading.Thread(target=lambda: list(follower))
    thread.start()
    time.sleep(1.5)
    follower.close()
    thread.join(10)
    assert not thread.is_alive()
    assert list(follower) == []


async def test_an_embedded_broker_will_do(embedded: str) -> None:
    async with admin(embedded) as settings:
        await topics.create(settings, "", 2, replication=1)
    async with Worker(embedded, "", transactional=False) as worker, publisher(embedded, "") as team:
        for version in range(1, 6):
            await worker.write(change(version))
        changes = aiter(follow(PROJECT, broker=embedded, trust=TRUST, publisher=team))
        assert (await soon(changes)).version == 5
        await worker.write(change(6))
        await (await soon(changes)).applied()
        assert await team.flush()
        await changes.aclose()
    assert await answers(embedded, "") == [("config.applied", 6)]
