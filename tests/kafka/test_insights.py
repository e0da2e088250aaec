"""Every kind of insight on Kafka: seen where its cause is injected, and not seen where the same team has no fault.

One worker watches all of them at once, for less than a minute.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.messages.inputs import TOPIC_OF
from tests.kafka.conftest import new_prefix
from tests.kafka.harness import Bench, now_us
from tests.kafka.staging import FAULT_S, PLAYS, POLICY, UNTIL_S, play

pytestmark = pytest.mark.kafka

AFTERWARDS_S = 6
"""Until the last ticks are decided: lateness, and what a busy machine takes."""
FAULTY, CALM = "{}-faulty", "{}-calm"
DETECTED = "antipattern.detected"
Said = set[tuple[str, str]]
"""(type, kind of antipattern or metric)"""


@pytest.fixture(scope="module")
def bench(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(kafka, new_prefix(kafka), tmp_path_factory.mktemp("insights"))
    (bench.directory / "policy.toml").write_text(POLICY)
    yield bench
    bench.end()


@pytest.fixture(scope="module")
def said(bench: Bench) -> dict[str, Said]:
    """Project → what was said of it while all plays were on."""
    bench.worker().wait_for("ready")
    asyncio.run(perform(bench))
    time.sleep(AFTERWARDS_S)
    found: dict[str, Said] = defaultdict(set)
    for insight in bench.data("insights"):
        data = insight["data"]
        found[insight["project"]].add((insight["type"], data.get("kind") or data.get("metric") or ""))
    return found


async def perform(bench: Bench) -> None:
    """All plays at once, each message at its time."""
    lines = [
        (at_s, number, kind, data, pattern.format(name))
        for name in PLAYS
        for pattern, faulty in ((FAULTY, True), (CALM, False))
        for number, (at_s, kind, data) in enumerate(play(name, faulty))
    ]
    lines.sort(key=lambda line: line[:2])
    producer = AIOKafkaProducer(bootstrap_servers=bench.bootstrap, linger_ms=20)
    await producer.start()
    start_us, began = now_us(), time.monotonic()
    for at_s, number, kind, data, project in lines:
        if (wait_s := began + at_s - time.monotonic()) > 0.02:
            await asyncio.sleep(wait_s)
        envelope = {"specversion": "1.0", "id": str(number), "source": "stage", "type": kind, "project": project}
        value = orjson.dumps(envelope | {"time": format_time_us(start_us + round(at_s * 1e6)), "data": data})
        await producer.send(bench.prefix + TOPIC_OF[kind], value, key=project.encode())
    await producer.stop()


INSIGHTS = [
    *((kind, DETECTED, kind) for kind in PLAYS if kind not in ("failing", "pipeline")),
    ("pipeline", DETECTED, "bottleneck"),
    ("pipeline", "team.recommended", ""),
    ("failing", "drift.detected", "handoff_failure_rate"),
    ("failing", "escalation.raised", "handoff_failure_rate"),
]


@pytest.mark.parametrize(("name", "kind", "what"), INSIGHTS, ids=[f"{kind}:{what}" for _, kind, what in INSIGHTS])
def test_it_is_said_where_its_cause_is_injected_and_not_where_it_is_not(
    said: dict[str, Said], name: str, kind: str, what: str
) -> None:
    assert (kind, what) in said[FAULTY.format(name)]
    assert (kind, what) not in said[CALM.format(name)]


def test_nothing_is_said_of_those_without_a_fault(said: dict[str, Said]) -> None:
    assert {project: found for project, found in said.items() if project.endswith("calm") and found} == {}


def test_the_fault_stands_in_the_middle_of_a_play() -> None:
    """Half of it is the past that the rest is compared with, and there is time to see it."""
    assert UNTIL_S / 2 < FAULT_S < UNTIL_S - 10


def test_both_plays_are_the_same_but_for_the_fault(tmp_path: Path) -> None:
    for name in PLAYS:
        kinds = [{kind for _, kind, _ in play(name, faulty)} for faulty in (True, False)]
        assert kinds[0] == kinds[1], name
