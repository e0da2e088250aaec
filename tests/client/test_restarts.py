"""A broker that dies and comes back, a program that forks, ends or is interrupted: nothing hangs, nothing is lost."""

import asyncio
import logging
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from meta_orchestrator.client import Publisher, follow
from meta_orchestrator.wire import topics
from tests.client.material import PROJECT, TRUST, Worker, admin, change, events
from tests.kafka.broker import JavaBroker

pytestmark = pytest.mark.kafka

BEAT = {"agent": "a1", "utilization": 0.5}


async def soon(changes: object, patience_s: float) -> int:
    async with asyncio.timeout(patience_s):
        return (await anext(changes)).version


async def test_a_broker_is_killed_and_started_again_under_load(
    own_broker: JavaBroker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "meta_orchestrator")
    kafka = own_broker.bootstrap
    async with admin(kafka) as settings:
        await topics.create(settings, "", 4, replication=1)
    async with Publisher(broker=kafka, source="o", project=PROJECT, request_timeout_ms=3000) as team:
        changes = aiter(follow(PROJECT, broker=kafka, trust=TRUST, publisher=team, request_timeout_ms=3000))
        async with Worker(kafka, "") as worker:
            await worker.write(change(1))
        assert await soon(changes, 20) == 1
        load, following = asyncio.create_task(send(team, 3000)), asyncio.create_task(soon(changes, 90))
        await asyncio.sleep(2)
        await asyncio.to_thread(own_broker.stop, signal.SIGKILL)
        await asyncio.sleep(6)
        await asyncio.to_thread(own_broker.start)
        assert await load < 100
        async with Worker(kafka, "") as worker:
            await worker.write(change(2))
        assert await following == 2
        assert await team.flush(30)
        assert (team.delivered, team.dropped) == (3000, 0)
        await changes.aclose()
    seen = Counter(event["id"] for event in await events(kafka, "agent-events"))
    assert set(seen) == {str(number) for number in range(3000)}
    for who in ("o: Kafka", f"o following {PROJECT}: Kafka"):
        told = [text for text in caplog.messages if text.startswith(who)]
        assert ["away" in text for text in told] in ([True, False], [])  # one line when it goes, one when it is back
    assert any("is back after" in text for text in caplog.messages)


async def send(team: Publisher, count: int) -> float:
    """Publish for some twelve seconds; the longest publish in ms."""
    longest = 0.0
    for number in range(count):
        begun = time.perf_counter()
        await team.publish("agent.heartbeat", BEAT, id=str(number))
        longest = max(longest, time.perf_counter() - begun)
        await asyncio.sleep(0.004)
    return 1000 * longest


PROGRAM = """
import os, sys, time
from meta_orchestrator.client import sync

def publish(identity):
    team.publish("agent.heartbeat", {"agent": "a1", "utilization": 0.5}, id=identity)

broker, prefix, what = sys.argv[1:]
team = sync.Publisher(broker=broker, prefix=prefix, source="s", project="p")
team.start()
publish("parent")
if what == "fork":
    for number in range(3):
        child = os.fork()
        if not child:
            publish(f"child {number}")
            team.close()
            os._exit(0 if (team.delivered, team.dropped) == (1, 0) else 9)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            sys.exit(9)
# no close
"""


def program(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    environment = {"PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(
        [sys.executable, str(script), *arguments], env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("what", ["end", "fork"])
def test_a_program_that_just_ends_or_forks_delivers_each_event_once(
    kafka: str, prefix: str, tmp_path: Path, what: str
) -> None:
    done = program(tmp_path, kafka, prefix, what)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    seen = [event["id"] for event in asyncio.run(events(kafka, prefix + "agent-events"))]
    children = [f"child {number}" for number in range(3)] if what == "fork" else []
    assert sorted(seen) == sorted([*children, "parent"])


def test_a_program_that_ends_while_kafka_is_away_ends(tmp_path: Path) -> None:
    begun = time.monotonic()
    done = program(tmp_path, "127.0.0.1:9", "", "end")
    assert time.monotonic() - begun < 15
    assert done.returncode == 0
    assert "1 events were not delivered before the end" in done.stderr
    assert "Traceback" not in done.stderr


FOLLOWER = """
import sys, threading
from meta_orchestrator.client import sync
from meta_orchestrator.wire.trust import Trust

broker, prefix, how = sys.argv[1:]

def obey():
    print("following", flush=True)
    for change in sync.follow("p", broker=broker, prefix=prefix, trust=Trust()):
        pass

if how == "main":
    obey()
else:
    threading.Thread(target=obey, daemon=True).start()
    threading.Event().wait()
"""


@pytest.mark.parametrize("how", ["main", "daemon"])
@pytest.mark.parametrize("there", [True, False])
def test_a_follower_can_be_interrupted(kafka: str, prefix: str, tmp_path: Path, how: str, there: bool) -> None:
    script = tmp_path / "follower.py"
    script.write_text(FOLLOWER)
    command = [sys.executable, str(script), kafka if there else "127.0.0.1:9", prefix, how]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "following\n"
        time.sleep(1.5)
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert time.monotonic() - begun < 8
    assert running.returncode == -signal.SIGINT
    assert errors.endswith("KeyboardInterrupt\n")
    assert errors.count("Traceback") == 1
    assert "Task was destroyed" not in errors
