"""The commands that talk to a broker, on a real one: what they read is what was committed, what they send is taken."""

import asyncio
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from meta_orchestrator.cli.times import now_us, rfc3339
from meta_orchestrator.messages.cloudevent import CloudEvent, digest
from meta_orchestrator.messages.examples import examples
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import ConfigChange, Decision, Proposal, Shift
from meta_orchestrator.wire.records import partition_of, read
from meta_orchestrator.wire.signing import sign
from meta_orchestrator.wire.trust import load_key, load_trust
from tests.kafka.conftest import PARTITIONS

pytestmark = pytest.mark.kafka
PROJECT = "checkout"
APP = Path(__file__).parents[2] / "app"


class Cli:
    """The command in a process of its own, in a folder of its own."""

    def __init__(self, broker: str, prefix: str, folder: Path) -> None:
        self.broker, self.prefix, self.folder = broker, prefix, folder
        self.trust = "trust.toml"

    def __call__(self, *words: str, exits: int = 0) -> str:
        settings = {"BROKER": self.broker, "PREFIX": self.prefix, "KEY": "alice.key", "TRUST": self.trust}
        environment = {f"META_ORCHESTRATOR_{name}": value for name, value in settings.items()}
        environment |= {"PYTHONPATH": str(APP), "PATH": os.environ["PATH"], "COLUMNS": "200"}
        command = [sys.executable, "-m", "meta_orchestrator", *words]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == exits, done.stdout + done.stderr
        return done.stdout if exits == 0 else done.stdout + done.stderr


@pytest.fixture(scope="module")
def keys(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an operator's key, a worker's, and the trust file that names both."""
    cli = Cli(kafka, "", tmp_path_factory.mktemp("keys"))
    cli("keys", "generate", "alice", "--trust", "trust.toml")
    cli("keys", "generate", "w1", "--role", "worker", "--trust", "trust.toml")
    return cli.folder


@pytest.fixture
def cli(kafka: str, prefix: str, keys: Path, tmp_path: Path) -> Cli:
    shutil.copytree(keys, tmp_path, dirs_exist_ok=True)
    return Cli(kafka, prefix, tmp_path)


def change(version: int) -> bytes:
    move = Shift(parameter="workflow.wip_limit", from_=version, to=version + 1)
    data = ConfigChange(
        change=f"c{version}",
        version=version,
        kind="override",
        changes=[move],
        config={"workflow.wip_limit": version + 1},
        reason=f"Because of {version}.",
        trigger=[],
        expected={},
    )
    return CloudEvent(PROJECT, 1_700_000_000_000_000 + version * 30_000_000, data).to_json()


def publish(cli: Cli, topic: str, values: list[bytes], commit: bool = True, key_file: str | None = None) -> None:
    """One transaction with these records, signed if a key is named."""
    headers = [_headers(cli, topic, value, key_file) for value in values]
    asyncio.run(_publish(cli, topic, list(zip(values, headers, strict=True)), commit))


def _headers(cli: Cli, topic: str, value: bytes, key_file: str | None) -> list[tuple[str, bytes]]:
    if key_file is None:
        return []
    return [("signature", sign(load_key(cli.folder / key_file), topic, PROJECT.encode(), value).encode())]


async def _publish(cli: Cli, topic: str, records: list[tuple[bytes, Any]], commit: bool) -> None:
    identity = f"{cli.prefix}{topic}-{commit}"
    producer = AIOKafkaProducer(bootstrap_servers=cli.broker, transactional_id=identity)
    await producer.start()
    try:
        await producer.begin_transaction()
        for value, headers in records:
            await producer.send_and_wait(cli.prefix + topic, value, key=PROJECT.encode(), headers=headers)
        await (producer.commit_transaction() if commit else producer.abort_transaction())
    finally:
        await producer.stop()


async def _first(broker: str, topic: str) -> "ConsumerRecord[Any, Any]":
    reader = AIOKafkaConsumer(topic, bootstrap_servers=broker, auto_offset_reset="earliest")
    await reader.start()
    try:
        return await asyncio.wait_for(reader.getone(), 20)
    finally:
        await reader.stop()


def test_status_tells_what_was_committed_and_signed(cli: Cli):
    publish(cli, "config-changes", [change(1), change(2)], key_file="w1.key")
    publish(cli, "config-changes", [change(3)], commit=False, key_file="w1.key")
    told = orjson.loads(cli("status", "--json"))
    assert (told["project"], told["version"], told["config"]) == (PROJECT, 2, {"workflow.wip_limit": 3})
    assert "workflow.wip_limit" in cli("status", "-p", PROJECT)
    assert "Because of 1." in cli("explain", "1")
    assert [orjson.loads(line)["data"]["version"] for line in cli("history", "--json").splitlines()] == [1, 2]
    cli("explain", "3", exits=2)
    assert "nothing is known of it (did you mean checkout?)" in cli("status", "-p", "chekout", exits=2)


def test_status_tells_published_from_applied_and_who_froze_it(cli: Cli):
    ours = {"specversion": "1.0", "source": "orchestrator", "time": now_text(), "project": PROJECT}
    registered = {"type": "orchestrator.registered", "data": {"orchestrator": "o", "supports": {}}}
    applied = {"type": "config.applied", "data": {"change": "c1", "version": 1}}
    first, answer = (orjson.dumps(ours | {"id": one["type"]} | one) for one in (registered, applied))
    publish(cli, "orchestrator-events", [first])
    publish(cli, "config-changes", [change(1)], key_file="w1.key")
    cli("freeze", "-p", PROJECT, "--for", "2h", "--reason", "release", "--owner", "eve", "--no-wait")
    told = orjson.loads(cli("status", "--json"))
    assert told["standing"].startswith("published, not yet acknowledged by the orchestrator (since ")
    assert (told["freeze"]["owner"], told["freeze"]["reason"]) == ("eve", "release")
    assert "eve freezes all changes until " in cli("history")
    publish(cli, "orchestrator-events", [answer])
    assert orjson.loads(cli("status", "--json"))["standing"] == "in force"
    assert "Version 1 is in force." in cli("explain", "1")


def test_without_a_trust_file_all_is_shown_whatever_else_stands_among_the_commands(cli: Cli):
    """A worker writes `clock.tick` to each input topic, under no key."""
    tick = {"specversion": "1.0", "id": "1", "source": "w", "type": "clock.tick", "time": now_text(), "data": {}}
    publish(cli, "config-changes", [change(1)], key_file="w1.key")
    cli("freeze", "-p", PROJECT, "--for", "2h", "--reason", "release", "--owner", "eve", "--no-wait")
    asyncio.run(_send(cli, "control-commands", [(None, orjson.dumps(tick)), (b"\xff", None), (b"\xff", b"no")]))
    cli.trust = ""
    told = orjson.loads(cli("status", "--json"))
    assert (told["version"], told["freeze"]["owner"]) == (1, "eve")
    assert "eve freezes all changes until " in cli("history")
    assert "Because of 1." in cli("explain", "1")


async def _send(cli: Cli, topic: str, records: list[tuple[bytes | None, bytes | None]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=cli.broker)
    await producer.start()
    try:
        for key, value in records:
            await producer.send_and_wait(cli.prefix + topic, value, key=key)
    finally:
        await producer.stop()


def test_the_last_metrics_are_found_however_long_ago_they_were_written(cli: Cli):
    asyncio.run(_write_snapshot(cli, PROJECT, days_ago=30))
    asyncio.run(_write_snapshot(cli, PROJECT, days_ago=10))
    assert orjson.loads(cli("status", "--json"))["metrics"]["late_events"] == 10


def test_metrics_of_a_project_that_fell_silent_are_found_beside_those_of_a_busy_one(cli: Cli):
    """On the same partition, of which only the last day is read at first."""
    place = partition_of(PROJECT.encode(), PARTITIONS)
    busy = next(name for name in map(str, range(99)) if partition_of(name.encode(), PARTITIONS) == place)
    asyncio.run(_write_snapshot(cli, PROJECT, days_ago=10))
    asyncio.run(_write_snapshot(cli, busy, days_ago=0))
    assert orjson.loads(cli("status", "-p", PROJECT, "--json"))["metrics"]["late_events"] == 10
    assert orjson.loads(cli("status", "-p", busy, "--json"))["metrics"]["late_events"] == 0


async def _write_snapshot(cli: Cli, project: str, days_ago: int) -> None:
    """Told apart by its late events: as many as days."""
    appended_ms = (now_us() - days_ago * 86_400 * SECOND) // 1000
    example = examples()["metrics.snapshot"]
    told = example | {"project": project, "id": f"s{days_ago}", "time": format_time_us(appended_ms * 1000)}
    told["data"] = example["data"] | {"late_events": days_ago}
    async with AIOKafkaProducer(bootstrap_servers=cli.broker) as producer:
        value, key = orjson.dumps(told), project.encode()
        await producer.send_and_wait(cli.prefix + "metrics", value, key=key, timestamp_ms=appended_ms)


def test_a_forged_change_is_left_out_and_counted(cli: Cli):
    publish(cli, "config-changes", [change(1)], key_file="w1.key")
    publish(cli, "config-changes", [change(2)])
    publish(cli, "config-changes", [change(3)], key_file="alice.key")
    assert orjson.loads(cli("status", "--json", exits=3).splitlines()[0])["version"] == 1


def test_before_the_first_output_status_shows_nothing(cli: Cli):
    assert cli("status") == ""


def test_an_order_arrives_where_the_worker_looks_and_counts(cli: Cli):
    cli("override", "workflow.wip_limit", "2", "-p", PROJECT, "--for", "1h", "--reason", "two are ill", "--no-wait")
    record = asyncio.run(_first(cli.broker, cli.prefix + "control-commands"))
    assert record.partition == partition_of(PROJECT.encode(), PARTITIONS)
    where = ("control-commands", record.partition, PARTITIONS, record.key, record.value, record.headers)
    project, event = read(*where, record.timestamp, record.offset, load_trust(cli.folder / "trust.toml"))
    assert (project, event[3], event[4]["value"]) == (PROJECT, "control.override", 2)


def test_an_order_waits_for_the_decision_that_answers_it(cli: Cli):
    words = ("override", "workflow.wip_limit", "99", "-p", PROJECT, "--for", "1h", "--reason", "many are ill")
    assert "known: none" in cli(*words, exits=2)
    publish(cli, "config-changes", [change(1)], key_file="w1.key")
    with ThreadPoolExecutor() as beside:
        waiting = beside.submit(cli, *words, exits=1)
        order = orjson.loads(asyncio.run(_first(cli.broker, cli.prefix + "control-commands")).value)
        refusals = [refused(order["source"], identity) for identity in ("another", order["id"])]
        publish(cli, "decisions", refusals)
        told = waiting.result().splitlines()
    assert told[0].startswith(f"sent override for project {PROJECT} (parameter workflow.wip_limit, value 99, ")
    assert told[1].startswith("waiting up to 90 s")
    assert told[2].startswith(f"Refused: no to {order['id']}")
    assert len(told) == 3


def refused(source: str, identity: str) -> bytes:
    name = digest("override", source, identity)
    data = Decision(
        decision=identity,
        verdict="refused",
        proposal=Proposal(id=name, parameter="workflow.wip_limit", from_=4, to=99),
        explanation=f"no to {identity}",
        evidence={},
        refused_by="bounds",
    )
    return CloudEvent(PROJECT, 1_700_000_000_000_000, data).to_json()


def test_topics_are_created_once_and_checked(cli: Cli):
    assert "the worker can start" in cli("topics", "check")
    assert "created nothing" in cli("topics", "create", "--partitions", "4", "--replication", "1")
    cli.prefix = f"{cli.prefix}other-"
    cli("topics", "check", exits=2)
    assert "missing" in cli("doctor", exits=2)
    cli("status", exits=2)
    told = cli("topics", "create", "--partitions", "2", "--replication", "1", "--acls")
    assert f"created {cli.prefix}agent-events" in told
    assert "--allow-principal" in told
    assert "the worker can start" in cli("topics", "check")


def test_more_copies_than_brokers_are_refused_with_a_reason(cli: Cli):
    cli.prefix = f"{cli.prefix}wide-"
    cli("topics", "create", "--partitions", "2", "--replication", "99", exits=2)


def test_the_doctor_sees_what_is_missing(cli: Cli):
    assert "nothing to watch" in cli("doctor")
    now = now_text()
    beat = orjson.dumps(examples()["agent.heartbeat"] | {"time": now, "project": PROJECT})
    publish(cli, "agent-events", [beat, beat])
    told = cli("doctor", "--last", "10m")
    assert "checkout: agent_utilization has its events" in told
    assert "checkout: changes (any tuning at all) needs orchestrator.registered, none seen" in told
    assert "the clocks of 1 sender agree with the broker's" in told
    publish(cli, "agent-events", [b"{}"])
    assert "1 bad record: not_cloudevent" in cli("doctor", exits=2)


def now_text() -> str:
    return rfc3339(now_us())
