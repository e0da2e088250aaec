"""The whole worker on Kafka, beside a bare fetch and beside Faust as its documentation shows it."""

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.timing import ROUNDS, Row
from meta_orchestrator.wire.topics import INPUTS
from tests.kafka.broker import any_broker
from tests.kafka.conftest import PARTITIONS, new_prefix
from tests.kafka.harness import ROOT, Bench, Worker, event, now_us, wait_until

POLICY = """
[time]
pane_s = 1
tick_s = 2
window_s = 20
lateness_s = 2
"""
IDIOMATIC_S = 40.0
"""The documented way of Faust gets this long for the same backlog."""
READ = ("agent-events", "consensus-events")


def measure(events: int) -> list[Row]:
    """Events a second of one worker on a backlog, its ticks and transactions included; the ratio is to bare fetch."""
    with any_broker() as broker:
        if not broker.real:
            return [("not measured", broker.why_not, "", "")]
        rounds = [_round(broker.bootstrap, events) for _ in range(ROUNDS)]
    bare, idiomatic, whole = map(max, zip(*rounds, strict=True))
    each = [f"{one_whole / one_bare:.3f}" for one_bare, _, one_whole in rounds]
    return [
        (f"bare aiokafka fetch + orjson (best of {ROUNDS})", f"{bare:,.0f}", "events/s", "1.00"),
        ("the whole worker", f"{whole:,.0f}", "events/s", f"{whole / bare:.3f}"),
        ("  round by round", "", "", " ".join(each)),
        (f"idiomatic Faust (of {IDIOMATIC_S:.0f} s)", f"{idiomatic:,.0f}", "events/s", f"{idiomatic / bare:.4f}"),
        ("worker / idiomatic", f"{whole / idiomatic:.0f}", "times", ""),
    ]


def _round(bootstrap: str, events: int) -> tuple[float, float, float]:
    """Events a second of bare fetch (the better one of before and after), of idiomatic Faust and of the worker, on a
    backlog of their own."""
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(bootstrap, new_prefix(bootstrap), Path(directory))
        (bench.directory / "policy.toml").write_text(POLICY)
        last_us = asyncio.run(_load(bench, events))
        before = asyncio.run(_bare(bench, events))
        idiomatic = _idiomatic(bench, events)
        whole = _whole(bench, events, last_us)
        return max(before, asyncio.run(_bare(bench, events))), idiomatic, whole


async def _load(bench: Bench, events: int) -> int:
    """Send a backlog, and past the lateness a `clock.tick` on every input partition, so that all of it falls due.

    Returns when the last event happened.
    """
    import random

    dice, began_us = random.Random(1), now_us()  # noqa: S311 - a load, no secret
    producer = AIOKafkaProducer(bootstrap_servers=bench.bootstrap, linger_ms=5, acks="all")
    await producer.start()
    for number in range(events):
        one = event(number, now_us(), dice)
        topic = "consensus-events" if one["type"].startswith("consensus") else "agent-events"
        await producer.send(bench.prefix + topic, orjson.dumps(one), key=one["project"].encode())
    await producer.flush()
    last_us = now_us()
    print(f"loaded {events:,} events in {(last_us - began_us) / 1e6:.1f} s", flush=True)
    await asyncio.sleep(7)
    tick = orjson.dumps(event(0, now_us(), dice) | {"type": "clock.tick", "id": "end", "data": {}})
    for topic in INPUTS:
        for partition in range(PARTITIONS):
            await producer.send(bench.prefix + topic, tick, partition=partition)
    await producer.stop()
    return last_us


async def _bare(bench: Bench, events: int) -> float:
    """Fetch and parse everything, keep nothing."""
    reader = AIOKafkaConsumer(bootstrap_servers=bench.bootstrap, enable_auto_commit=False, max_poll_records=4000)
    await reader.start()
    partitions = [TopicPartition(bench.prefix + topic, p) for topic in READ for p in range(PARTITIONS)]
    reader.assign(partitions)
    await reader.seek_to_beginning(*partitions)
    seen, began = 0, time.perf_counter()
    while seen < events:
        for records in (await reader.getmany(timeout_ms=500)).values():
            for record in records:
                orjson.loads(record.value)
            seen += len(records)
    took = time.perf_counter() - began
    await reader.stop()
    return seen / took


def _whole(bench: Bench, events: int, last_us: int) -> float:
    """From the first moment at which records count to the commit of the tick that has seen the last event."""
    worker = bench.worker("w")
    try:
        ready = worker.wait_for("ready", 60)[0]
        wait_until(lambda: len(_last_turns(worker, last_us)) == PARTITIONS, 120)
        ended = max(_last_turns(worker, last_us).values())
    finally:
        worker.stop()
    return events / (ended - _seconds(ready["at"]))


def _last_turns(worker: Worker, last_us: int) -> dict[int, float]:
    """Partition → when its first turn was committed that goes beyond a time."""
    done: dict[int, float] = {}
    for turn in worker.said("turn"):
        if (turn["tick_us"] or 0) >= last_us:
            done.setdefault(turn["partition"], _seconds(turn["at"]))
    return done


def _seconds(text: str) -> float:
    from meta_orchestrator.messages.fields import parse_time_us

    return parse_time_us(text) / 1e6


def _idiomatic(bench: Bench, events: int) -> float:
    """Events a second that the documented way handles: an agent, a tumbling window in a table."""
    command = [sys.executable, "-m", "bench.idiomatic", bench.bootstrap, bench.prefix, str(events), str(IDIOMATIC_S)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=IDIOMATIC_S + 60, check=False)
    told = re.search(r"rate \d+ (\d+)", done.stdout)
    if told is None:
        raise RuntimeError(f"idiomatic Faust failed: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    return float(told[1])
