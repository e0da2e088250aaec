"""The worker on a real broker: counting, stopping, starting again, and what becomes of bad records."""

import asyncio
import signal
import time
import urllib.error
import urllib.request
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.wire.signing import sign
from meta_orchestrator.wire.trust import Key, generate
from tests.kafka.harness import Bench, assert_exactly_once, now_us, send_load, settled, wait_until

pytestmark = pytest.mark.kafka


def test_every_event_is_counted_once_and_sigterm_ends_cleanly(bench: Bench) -> None:
    worker = bench.worker()
    worker.wait_for("ready")
    asyncio.run(send_load(bench, 3000, 800))
    wait_until(lambda: settled(bench))
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < 10
    assert worker.said("stopped")
    assert_exactly_once(bench)


def test_a_worker_that_starts_again_goes_on_where_the_last_one_ended(bench: Bench) -> None:
    worker = bench.worker()
    worker.wait_for("ready")
    asyncio.run(send_load(bench, 2000, 800))
    worker.wait_for(lambda it: {line["partition"] for line in it.said("turn")} == {0, 1, 2, 3})
    assert worker.stop() == 0
    asyncio.run(send_load(bench, 1000, None, first=2000))
    again = bench.worker()
    again.wait_for(lambda it: len(it.said("loaded")) == 4)
    assert sum(line["projects"] for line in again.said("loaded")) == 8
    wait_until(lambda: settled(bench))
    assert again.stop() == 0
    assert_exactly_once(bench)


def test_it_is_ready_only_while_it_owns_what_it_has_recovered(bench: Bench) -> None:
    worker = bench.worker("w", "--health-port", "0")
    (line,) = worker.wait_for("health")
    base = f"http://127.0.0.1:{line['port']}"
    assert status(f"{base}/healthz") == 200
    assert status(f"{base}/readyz") == 503
    worker.wait_for("ready")
    assert status(f"{base}/readyz") == 200


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own worker
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


# ---- bad records ----

Headers = list[tuple[str, bytes]]


def event(**changes: Any) -> dict[str, Any]:
    content = {"agent": "a", "utilization": 0.5}
    envelope = {"specversion": "1.0", "id": "1", "source": "s", "type": "agent.heartbeat", "project": "checkout"}
    return {**envelope, "time": format_time_us(now_us()), "data": content, **changes}


def command(**changes: Any) -> dict[str, Any]:
    until = format_time_us(now_us() + 3_600_000_000)
    content = {"until": until, "reason": "test", "owner": "me"}
    return event(**{"type": "control.freeze", "id": "freeze-1", "data": content, **changes})


def signed(key: Key, one: dict[str, Any]) -> tuple[bytes, Headers]:
    value = orjson.dumps(one)
    return value, [("signature", sign(key, "control-commands", b"checkout", value).encode())]


def bad_records(bench: Bench) -> dict[str, tuple[str, bytes, bytes | None, Headers]]:
    """A record for each reason that Kafka records can have."""
    stranger, foreign = generate("operator"), generate("nobody")
    good, _ = signed(bench.operator, command())
    old = signed(bench.operator, command(id="old", time=format_time_us(now_us() - 400_000_000)))
    wrong_key = Key("operator", stranger.private)
    agents, commands, key = "agent-events", "control-commands", b"checkout"
    return {
        "not_json": (agents, b"{", key, []),
        "not_cloudevent": (agents, orjson.dumps(event(source="")), key, []),
        "invalid": (agents, orjson.dumps(event(data={"agent": "a", "utilization": 2})), key, []),
        "too_large": (agents, b" " * 300_000, key, []),
        "key_mismatch": (agents, orjson.dumps(event()), b"other", []),
        "time_ahead": (agents, orjson.dumps(event(time=format_time_us(now_us() + 120_000_000))), key, []),
        "bad_signature": (commands, good, key, signed(wrong_key, command())[1]),
        "untrusted": (commands, *_between(signed(foreign, command()), key)),
        "replayed": (commands, *_between(old, key)),
    }


def _between(value_and_headers: tuple[bytes, Headers], key: bytes) -> tuple[bytes, bytes, Headers]:
    value, headers = value_and_headers
    return value, key, headers


async def publish(bench: Bench, records: list[tuple[str, bytes, bytes | None, Headers]], partition: int | None) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bench.bootstrap, max_request_size=1 << 20) as producer:
        for topic, value, key, headers in records:
            await producer.send_and_wait(bench.prefix + topic, value, key=key, headers=headers, partition=partition)


def test_each_bad_record_ends_in_dead_letters_with_its_reason_and_its_bytes(bench: Bench) -> None:
    bad = bad_records(bench)
    worker = bench.worker()
    worker.wait_for("ready")
    asyncio.run(publish(bench, list(bad.values()), None))
    letters = wait_until(lambda: found if len(found := bench.read("dead-letters")) >= len(bad) else None)
    by_reason = {dict(letter.headers)["dlq.reason"].decode(): letter for letter in letters}
    assert sorted(by_reason) == sorted(bad)
    assert len(letters) == len(bad)
    for reason, (topic, value, key, _) in bad.items():
        assert by_reason[reason].value == value
        assert by_reason[reason].key == key
        assert dict(by_reason[reason].headers)["dlq.topic"].decode() == bench.prefix + topic
    assert dict(by_reason["invalid"].headers)["dlq.field"] == b"data.utilization"
    assert worker.stop() == 0


def test_a_record_on_another_partition_than_its_keys_is_a_dead_letter(bench: Bench) -> None:
    bench.worker().wait_for("ready")
    record = ("agent-events", orjson.dumps(event()), b"checkout", [])
    for partition in range(4):
        asyncio.run(publish(bench, [record], partition))
    letters = wait_until(lambda: found if len(found := bench.read("dead-letters")) >= 3 else None)
    assert [dict(letter.headers)["dlq.reason"] for letter in letters] == [b"wrong_partition"] * 3


def test_a_command_that_is_sent_again_is_replayed_and_acts_once(bench: Bench) -> None:
    worker = bench.worker()
    worker.wait_for("ready")
    value, headers = signed(bench.operator, command())
    record = ("control-commands", value, b"checkout", headers)
    asyncio.run(publish(bench, [record], None))
    worker.wait_for("turn")
    asyncio.run(publish(bench, [record], None))
    (letter,) = wait_until(lambda: bench.read("dead-letters"))
    assert dict(letter.headers)["dlq.reason"] == b"replayed"
    assert letter.value == value


def test_a_dead_letter_is_written_once_though_its_record_is_read_again_after_a_kill(bench: Bench) -> None:
    worker = bench.worker()
    for round_ in range(3):
        worker.wait_for("ready")
        bad = ("agent-events", b"not json %d" % round_, b"checkout", [])
        good = [("agent-events", orjson.dumps(event(id=f"{round_}-{n}")), b"checkout", []) for n in range(20)]
        if round_ == 1:
            worker.stop_file.touch()
        asyncio.run(publish(bench, [*good, bad, *good], None))
        if round_ == 1:
            assert worker.stop_in_commit()
        else:
            worker.wait_for(lambda it: [line for line in it.said("turn") if line["dead_letters"]])
            worker.send(signal.SIGKILL)
        worker = bench.worker()
    worker.wait_for("ready")
    wait_until(lambda: len(bench.read("dead-letters")) >= 3)
    time.sleep(4)
    assert sorted(letter.value or b"" for letter in bench.read("dead-letters")) == [
        b"not json %d" % n for n in range(3)
    ]
