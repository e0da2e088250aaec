"""Every event is counted once and no version has two contents: under SIGKILL, under a pause, and when the broker goes
away.

The truth is computed from the input topics by a few lines of their own (harness.truth), the verdict is what a committed
reader sees.
"""

import asyncio
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from meta_orchestrator.drivers.live.options import Options
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.settings import Settings
from meta_orchestrator.wire.signing import sign, signature_of, verify
from meta_orchestrator.wire.trust import load_trust
from tests.kafka.broker import JavaBroker
from tests.kafka.conftest import PARTITIONS, new_prefix
from tests.kafka.harness import PROJECTS, Bench, Worker, assert_exactly_once, now_us, send_load, settled, wait_until

pytestmark = pytest.mark.kafka
KILLS = 20
SEED = 5
RATE = 400


# ---- changes, so that there are versions ----


async def change_all_the_time(bench: Bench, ended: asyncio.Event) -> int:
    """An orchestrator registers for every project; then an operator overrides a parameter of one after the other."""
    sent = 0
    async with AIOKafkaProducer(bootstrap_servers=bench.bootstrap, request_timeout_ms=60_000) as producer:
        # A registration that waited 3 s for its first connection would be late, and its project never be supported.
        await producer.partitions_for(bench.prefix + "orchestrator-events")
        for project in PROJECTS:
            content = {"orchestrator": "o", "supports": {"workflow.wip_limit": 4}}
            one = envelope("orchestrator.registered", project, f"r-{project}", content)
            await producer.send_and_wait(bench.prefix + "orchestrator-events", orjson.dumps(one), key=project.encode())
        await asyncio.sleep(6)  # an event waits for its pane, a command does not
        while not ended.is_set():
            await asyncio.sleep(0.4)
            await override(bench, producer, PROJECTS[sent % len(PROJECTS)], sent)
            sent += 1
    return sent


async def override(bench: Bench, producer: AIOKafkaProducer, project: str, number: int) -> None:
    until = format_time_us(now_us() + 86_400_000_000)
    parameter = {"parameter": "workflow.wip_limit", "value": 2 + number // len(PROJECTS) % 5}
    one = envelope(
        "control.override", project, f"c-{number}", {**parameter, "until": until, "reason": "t", "owner": "me"}
    )
    value, key = orjson.dumps(one), project.encode()
    headers = [("signature", sign(bench.operator, "control-commands", key, value).encode())]
    await producer.send_and_wait(bench.prefix + "control-commands", value, key=key, headers=headers)


def envelope(kind: str, project: str, identity: str, content: dict[str, Any]) -> dict[str, Any]:
    one = {"specversion": "1.0", "id": identity, "source": "test", "type": kind, "time": format_time_us(now_us())}
    return {**one, "project": project, "data": content}


# ---- the verdict ----


def assert_versions(bench: Bench) -> int:
    """Versions 1..n of each project, once each, in order, signed by the worker; how many in all."""
    trust = load_trust(bench.directory / "trust.toml")
    versions: dict[str, list[int]] = {}
    for record in bench.read("config-changes"):
        one, key = orjson.loads(record.value or b""), record.key or b""
        verify(
            trust,
            "worker",
            one["project"],
            signature_of(record.headers),
            "config-changes",
            key,
            record.value or b"",
            now_us(),
        )
        versions.setdefault(one["project"], []).append(one["data"]["version"])
    for project, found in versions.items():
        assert found == list(range(1, len(found) + 1)), project
    return sum(map(len, versions.values()))


# ---- the tests ----


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_twenty_kills_and_two_pauses_lose_nothing_and_double_nothing(bench: Bench) -> None:
    sent = asyncio.run(_kill_and_pause_under_load(bench, random.Random(SEED)))
    wait_until(lambda: settled(bench), 90)
    time.sleep(4)
    for worker in bench.workers[-2:]:
        assert worker.stop() == 0
    assert_exactly_once(bench)
    assert not bench.read("dead-letters")
    verdicts = Counter((one["data"]["verdict"], one["data"].get("refused_by")) for one in bench.data("decisions"))
    assert verdicts == {("changed", None): sent}
    assert assert_versions(bench) == sent
    assert len(bench.read("metrics", committed=False)) > len(bench.read("metrics"))


async def _kill_and_pause_under_load(bench: Bench, dice: random.Random) -> int:
    """The number of commands that were sent meanwhile."""
    workers = {name: bench.worker(name) for name in "ab"}
    ended = asyncio.Event()
    load = asyncio.create_task(_load_until(bench, ended))
    changes = asyncio.create_task(change_all_the_time(bench, ended))
    try:
        inside = await asyncio.to_thread(_kill_many, bench, workers, dice)
        await asyncio.to_thread(_pause_two, bench, workers)
    finally:
        ended.set()
        await load
    assert inside >= KILLS // 4
    return await changes


async def _load_until(bench: Bench, ended: asyncio.Event) -> None:
    first = 0
    while not ended.is_set():
        await send_load(bench, RATE * 5, RATE, first=first)
        first += RATE * 5


def _kill_many(bench: Bench, workers: dict[str, Worker], dice: random.Random) -> int:
    """SIGKILL one of the two again and again, every second time inside of a transaction; how often that happened."""
    inside = 0
    for number in range(KILLS):
        name = dice.choice(sorted(workers))
        if number % 2:
            inside += workers[name].stop_in_commit(12)
        else:
            time.sleep(dice.uniform(0.5, 4))
        workers[name].kill()
        workers[name] = bench.worker(name)
    return inside


def _pause_two(bench: Bench, workers: dict[str, Worker]) -> None:
    """SIGSTOP one between its transactions, and one that stops itself inside of one, both beyond their session."""
    for name in "ab":
        workers[name].wait_for("turn", 60)
    workers["a"].send(signal.SIGSTOP)
    time.sleep(9)
    workers["a"].send(signal.SIGCONT)
    workers["b"].kill()
    workers["b"] = bench.worker("b", "--pause")
    workers["b"].wait_for("turn", 60)
    workers["b"].stop_file.touch()
    time.sleep(12)
    workers["b"].stop_file.unlink()
    workers["b"].send(signal.SIGCONT)
    workers["b"].wait_for("a turn failed", 30)


@pytest.mark.timeout(120)
def test_a_worker_whose_turn_failed_asks_for_its_partitions_again(bench: Bench) -> None:
    worker = bench.worker()
    worker.wait_for("ready")
    asyncio.run(send_load(bench, 5 * RATE, RATE))
    asyncio.run(_shut_out(bench))
    asyncio.run(send_load(bench, 5 * RATE, RATE, first=5 * RATE))
    worker.wait_for(lambda it: len(it.said("ready")) == 2, 60)
    wait_until(lambda: settled(bench), 60)
    assert worker.stop() == 0
    assert worker.said("a turn failed")
    assert_exactly_once(bench)


async def _shut_out(bench: Bench) -> None:
    """Somebody takes the transactional ids for a moment: the group, which is at rest, hears nothing of it."""
    application = Options(Settings(prefix=bench.prefix)).application
    for partition in range(PARTITIONS):
        name = f"{application}-{partition}"
        async with AIOKafkaProducer(bootstrap_servers=bench.bootstrap, transactional_id=name):
            pass


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_same_worker_goes_on_after_its_broker_was_killed_and_stopped(
    own_broker: JavaBroker, tmp_path: Path
) -> None:
    bench = Bench(own_broker.bootstrap, new_prefix(own_broker.bootstrap), tmp_path)
    try:
        worker = bench.worker()
        worker.wait_for("ready")
        asyncio.run(_restart_under_load(bench, own_broker))
        wait_until(lambda: settled(bench), 60)
        assert worker.stop() == 0
        assert_exactly_once(bench)
    finally:
        bench.end()


def _wait_for_turns(worker: Worker, count: int) -> None:
    worker.wait_for(lambda it: len(it.said("turn")) >= count, 60)


async def _restart_under_load(bench: Bench, broker: JavaBroker) -> None:
    """Twice: the broker goes after some turns and is away for some seconds; four turns later it is taken for well."""
    ended = asyncio.Event()
    load = asyncio.create_task(_load_until(bench, ended))
    try:
        for how, seconds in ((signal.SIGKILL, 2), (signal.SIGTERM, 6)):
            await asyncio.to_thread(_wait_for_turns, bench.workers[-1], 4)
            await asyncio.to_thread(broker.stop, how)
            await asyncio.sleep(seconds)
            await asyncio.to_thread(broker.start)
            wanted = len(bench.workers[-1].said("turn")) + 4
            await asyncio.to_thread(_wait_for_turns, bench.workers[-1], wanted)
    finally:
        ended.set()
        await load
