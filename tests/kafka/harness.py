"""Workers as processes, a load whose truth is known, and the verdict on what a committed reader sees."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson
from aiokafka import AIOKafkaProducer

from meta_orchestrator.messages.fields import SECOND, format_time_us, parse_time_us
from meta_orchestrator.messages.inputs import TOPIC_OF
from meta_orchestrator.wire.topics import INPUTS
from meta_orchestrator.wire.trust import Key, generate, trust_entry, write_key
from tests.kafka.reading import Record, data, read

ROOT = Path(__file__).parents[2]
T = TypeVar("T")
PANE_US, TICK_US, LATENESS_US = 1 * SECOND, 2 * SECOND, 2 * SECOND
POLICY = """
[time]
pane_s = 1
tick_s = 2
window_s = 2
lateness_s = 2

[trial]
acknowledge_s = 3600
"""
"""Windows as long as ticks: the `counts` of a project's snapshots add up to everything that was counted."""
FOREVER_US = parse_time_us("2100-01-01T00:00:00Z")


@dataclass
class Bench:
    """A prefix on a broker, with policy, keys and workers."""

    bootstrap: str
    prefix: str
    directory: Path
    operator: Key = field(default_factory=lambda: generate("operator"))
    key: Key = field(default_factory=lambda: generate("worker"))
    workers: list["Worker"] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.directory / "policy.toml").write_text(POLICY)
        entries = [
            trust_entry(self.key, "worker", ["*"], FOREVER_US),
            trust_entry(self.operator, "operator", ["*"], FOREVER_US),
        ]
        (self.directory / "trust.toml").write_text("\n".join(entries))
        write_key(self.directory / "worker.key", self.key)

    def worker(self, name: str = "w", *more: str) -> "Worker":
        """Start a worker."""
        worker = Worker(self, name, more)
        self.workers.append(worker)
        return worker

    def data(self, topic: str, committed: bool = True) -> list[dict[str, Any]]:
        return data(self.bootstrap, self.prefix + topic, committed)

    def read(self, topic: str, committed: bool = True) -> list[Record]:
        return read(self.bootstrap, self.prefix + topic, committed)

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()


class Worker:
    """One process, and what it says about itself."""

    def __init__(self, bench: Bench, name: str, more: Iterable[str] = ()) -> None:
        self.name, self.out = name, bench.directory / f"{name}-{len(bench.workers)}.out"
        self.stop_file = bench.directory / f"stop-{name}-{len(bench.workers)}"
        files = {"--policy": "policy.toml", "--trust": "trust.toml", "--key": "worker.key"}
        named = [word for flag, file in files.items() for word in (flag, str(bench.directory / file))]
        where = ["--broker", bench.bootstrap, "--prefix", bench.prefix, "--stop-in-commit", str(self.stop_file)]
        command = [sys.executable, "-m", "tests.kafka.worker_main", *where, *named, *more]
        environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'app'}", "PATH": "/usr/bin:/bin"}
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)

    def said(self, event: str | None = None) -> list[dict[str, Any]]:
        """Its lines, of one kind if asked."""
        lines = [orjson.loads(line) for line in self.out.read_bytes().split(b"\n")[:-1] if line.startswith(b"{")]
        return [line for line in lines if event is None or line["event"] == event]

    def wait_for(self, what: str | Callable[["Worker"], Any], seconds: float = 30) -> Any:
        """Wait until it has said something, or until something holds."""
        wanted = (lambda worker: worker.said(what)) if isinstance(what, str) else what
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := wanted(self):
                return found
            if self.process.poll() is not None:
                raise AssertionError(f"the worker ended with {self.process.returncode}: {self.tail()}")
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {what}; {self.tail()}")

    def send(self, how: signal.Signals) -> None:
        self.process.send_signal(how)

    def stop(self) -> int:
        """SIGTERM, and its exit status."""
        self.send(signal.SIGTERM)
        return self.process.wait(15)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.send(signal.SIGKILL)
            self.process.wait(15)

    def stop_in_commit(self, seconds: float = 10) -> bool:
        """Let it stop itself within its next commit; whether that came to pass."""
        self.stop_file.touch()
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            time.sleep(0.02)
        self.stop_file.unlink()
        return self.process.poll() is not None

    def tail(self) -> str:
        return self.out.read_text()[-3000:]


# ---- the load ----

PROJECTS = tuple(f"project-{number}" for number in range(8))
AGENTS = 50


def event(number: int, time_us: int, dice: random.Random) -> dict[str, Any]:
    """One of three types, about 300 bytes: 60 % finished tasks, 20 % heartbeats, 10 % handoffs, 10 % votes."""
    project, agent = PROJECTS[number % len(PROJECTS)], f"agent-{number % AGENTS:02d}"
    kind, content = _content(number, agent, dice)
    return {
        "specversion": "1.0",
        "id": f"{number:08d}-4c1f-4a55-9f0e",
        "source": f"/team/{project}/{agent}",
        "type": kind,
        "time": format_time_us(time_us),
        "project": project,
        "datacontenttype": "application/json",
        "data": content,
    }


def _content(number: int, agent: str, dice: random.Random) -> tuple[str, dict[str, Any]]:
    share, task = number // 8 % 10, f"task-{number}"
    if share < 6:
        duration_ms = round(dice.lognormvariate(6, 0.5), 1)
        return "agent.task.finished", {"task": task, "agent": agent, "outcome": "succeeded", "duration_ms": duration_ms}
    if share < 8:
        return "agent.heartbeat", {"agent": agent, "utilization": round(dice.random(), 3)}
    if share < 9:
        ends = {"from_agent": agent, "to_agent": f"agent-{(number + 1) % AGENTS:02d}"}
        return "agent.handoff.completed", {"handoff": f"h-{number}", "task": task, **ends, "wait_ms": 12.5}
    return "consensus.vote.cast", {"round": f"r-{number}", "agent": agent, "choice": "approve"}


def now_us() -> int:
    return time.time_ns() // 1000


async def send_load(bench: Bench, count: int, rate: float | None, first: int = 0, doubles: float = 0.01) -> None:
    """Publish `count` events, numbered from `first`, `rate` a second, some of them twice."""
    dice = random.Random(first)
    producer = AIOKafkaProducer(bootstrap_servers=bench.bootstrap, linger_ms=5, acks="all", request_timeout_ms=60_000)
    await producer.start()
    began, sent = time.monotonic(), []
    for number in range(first, first + count):
        if rate:
            await asyncio.sleep(max(0, began + (number - first) / rate - time.monotonic()))
        one = event(number, now_us(), dice)
        topic, value = bench.prefix + TOPIC_OF[one["type"]], orjson.dumps(one)
        copies = 2 if dice.random() < doubles else 1
        sent += [await producer.send(topic, value, key=one["project"].encode()) for _ in range(copies)]
    await producer.flush()
    await producer.stop()
    for future in sent:
        future.result()


# ---- the verdict ----


@dataclass
class Truth:
    """What the input topics themselves say must have been counted, by (project, tick, type); late ones under `late`."""

    counts: Counter[tuple[str, int, str]]
    events: int
    late: int


def truth(bench: Bench) -> Truth:
    """Count by the contract's rules, straight from the records: duplicates once, late ones each where they arrived."""
    counts: Counter[tuple[str, int, str]] = Counter()
    seen: set[tuple[str, str]] = set()
    late = 0
    for topic in INPUTS:
        for record in bench.read(topic):
            one = orjson.loads(record.value or b"")
            if one["type"] == "clock.tick":
                continue
            pane, is_late = _pane(parse_time_us(one["time"]), record.timestamp * 1000)
            tick_us = ((pane + 1) * PANE_US + TICK_US - 1) // TICK_US * TICK_US
            if is_late:
                late += 1
                counts[one["project"], tick_us, "late"] += 1
            elif (one["source"], one["id"]) not in seen:
                seen.add((one["source"], one["id"]))
                counts[one["project"], tick_us, one["type"]] += 1
    return Truth(counts, len(seen), late)


def _pane(time_us: int, recorded_us: int) -> tuple[int, bool]:
    reached_us = recorded_us - LATENESS_US
    pane = time_us // PANE_US
    late = (pane + 1) * PANE_US <= reached_us
    return (reached_us // PANE_US if late else pane), late


def counted(snapshots: Iterable[dict[str, Any]]) -> Counter[tuple[str, int, str]]:
    """What the snapshots say was counted."""
    counts: Counter[tuple[str, int, str]] = Counter()
    for snapshot in snapshots:
        where = snapshot["project"], parse_time_us(snapshot["time"])
        counts.update({(*where, kind): number for kind, number in snapshot["data"]["counts"].items()})
        counts[(*where, "late")] += snapshot["data"]["late_events"]
    return +counts


def snapshots_of(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for record in records if record["type"] == "metrics.snapshot"]


def wait_until(holds: Callable[[], T], seconds: float = 60) -> T:
    """Wait until something holds, and hand it out."""
    until = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.5)
    return found


def settled(bench: Bench) -> bool:
    """Everything that was sent was counted by now."""
    return sum(counted(snapshots_of(bench.data("metrics"))).values()) >= sum(truth(bench).counts.values())


def assert_exactly_once(bench: Bench) -> None:
    """What a committed reader sees equals what the input topics say, tick by tick, and no snapshot stands twice."""
    snapshots, expected = snapshots_of(bench.data("metrics")), truth(bench).counts
    got = counted(snapshots)
    differing = {place: (expected[place], got[place]) for place in sorted({*expected, *got})}
    assert not {place: both for place, both in differing.items() if both[0] != both[1]}
    ticks = [(snapshot["project"], snapshot["time"]) for snapshot in snapshots]
    assert len(ticks) == len(set(ticks))
