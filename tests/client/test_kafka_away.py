"""Without Kafka a publisher never blocks, never raises, and counts what it had to drop."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from meta_orchestrator.client import InvalidMessage, Publisher, sync

BEAT = {"agent": "a1", "utilization": 0.5}
NOBODY = "127.0.0.1:9"


@pytest.fixture
def black_hole() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


async def ten_thousand(team: Publisher) -> float:
    """The longest publish, in ms."""
    longest = 0.0
    for _ in range(10_000):
        begun = time.perf_counter()
        await team.publish("agent.heartbeat", BEAT)
        longest = max(longest, time.perf_counter() - begun)
    return 1000 * longest


async def test_nobody_listens_and_ten_thousand_events_pass_without_a_wait_or_an_error() -> None:
    async with Publisher(broker=NOBODY, source="s", project="p", buffer_bytes=100_000, flush_s=0.2) as team:
        assert await ten_thousand(team) < 100  # the machine of a test is shared; usually below 10
        assert team.dropped > 9000
        assert team.delivered == 0
    assert team.dropped == 10_000


async def test_a_broker_that_never_answers_is_no_different(black_hole: str) -> None:
    async with Publisher(broker=black_hole, source="s", project="p", flush_s=0.2) as team:
        assert await ten_thousand(team) < 100
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    assert team.dropped == 10_000


async def test_the_oldest_are_dropped_since_they_would_be_late() -> None:
    async with Publisher(broker=NOBODY, source="s", project="p", buffer_bytes=1000, flush_s=0) as team:
        for number in range(50):
            await team.publish("agent.heartbeat", BEAT, id=str(number))
        kept = [letter.value for letter in team._outbox._waiting]
        assert b'"id":"49"' in kept[-1]
        assert sum(map(len, kept)) <= 1000
        assert team.dropped == 50 - len(kept)


async def test_one_line_says_that_kafka_is_away_and_aiokafka_is_not_heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with Publisher(broker=NOBODY, source="agent-7", project="p", flush_s=0) as team:
        for _ in range(100):
            await team.publish("agent.heartbeat", BEAT)
            await asyncio.sleep(0.02)
    away, undelivered = caplog.messages
    assert away.startswith(f"agent-7: Kafka at {NOBODY} is away")
    assert undelivered == "agent-7: 100 events were not delivered before the end"


async def test_other_users_of_aiokafka_keep_their_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="aiokafka")  # wherever else in this process it was silenced
    async with Publisher(broker=NOBODY, source="agent-7", project="p", flush_s=0):
        logging.getLogger("aiokafka.client").warning("mine")
    assert "mine" in caplog.messages


async def test_a_mistake_of_the_caller_is_told_even_then() -> None:
    async with Publisher(broker=NOBODY, source="s", project="p", flush_s=0) as team:
        with pytest.raises(InvalidMessage, match="utilization"):
            await team.publish("agent.heartbeat", {"agent": "a1"})
        assert team.dropped == 0


async def test_a_wrong_connection_argument_is_told_at_the_start() -> None:
    with pytest.raises(TypeError, match="sasl_password"):
        async with Publisher(broker=NOBODY, source="s", project="p", sasl_password="x"):  # noqa: S106
            pass


async def test_publishing_needs_an_open_publisher_and_after_its_end_events_are_counted() -> None:
    team = Publisher(broker=NOBODY, source="s", project="p", flush_s=0)
    with pytest.raises(RuntimeError, match="enter"):
        await team.publish("agent.heartbeat", BEAT)
    async with team:
        pass
    await team.publish("agent.heartbeat", BEAT)
    assert team.dropped == 1


def test_plain_threads_do_not_wait_either() -> None:
    longest: list[float] = []

    def work() -> None:
        for _ in range(1000):
            begun = time.perf_counter()
            team.publish("agent.heartbeat", BEAT)
            longest.append(time.perf_counter() - begun)

    with sync.Publisher(broker=NOBODY, source="s", project="p", buffer_bytes=100_000, flush_s=0.2) as team:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert team.dropped == 8000
    assert sorted(longest)[-80] < 0.1
