"""The closed loop on real Kafka decides what it decides in process, byte for byte, though a worker is killed meanwhile.

A team whose votes are slow and whose handoffs fail is simulated twice from one seed: with the meta-orchestrator in the
same process, and at a broker, with a worker behind it. Both teams obey what they hear, so one decision that differed,
or came a tick later, would make another team of it.
"""

import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pytest

from meta_orchestrator.drivers.closed_loop import ClosedLoop
from meta_orchestrator.messages.outputs import OUTPUTS, Decision
from meta_orchestrator.policy import Policy, parse
from meta_orchestrator.simulation.orchestrator import Manners
from meta_orchestrator.simulation.scenarios import SCENARIOS
from tests.kafka.conftest import new_prefix
from tests.kafka.harness import Bench
from tests.kafka.team import TeamInProcess, TeamOnKafka

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

POLICY = files("meta_orchestrator.demo").joinpath("policy.toml").read_text().replace('"rules"', '"model"')
"""The clock of the demo, on which minutes show what takes hours, with what the worker does by default: it learns."""
SECONDS = 200
TEAM = SCENARIOS["mixed"], 40.0, 0.01 / 3
"""What happens to it, when, and how long everything takes there, as a share."""
KILL_AFTER = 2
"""Trials: the second one is in force when the worker is killed."""


@dataclass(frozen=True)
class Course:
    """One run: what the team said, and what was decided about it, by topic."""

    said: list[bytes]
    decided: dict[str, list[bytes]]
    config: dict[str, object]


def team(of: Callable[..., ClosedLoop], seed: int) -> tuple[ClosedLoop, list[bytes]]:
    scenario, fault_at_s, scale = TEAM
    said: list[bytes] = []
    policy = parse(Policy, tomllib.loads(POLICY), "policy")
    return of(policy, scenario, seed, fault_at_s, scale, Manners(acknowledge_s=0.5), said.append), said


@cache
def in_process(seed: int) -> tuple[Course, set[str]]:
    """The run, and its verdicts."""
    loop, said = team(TeamInProcess, seed)
    loop.run(SECONDS)
    decided: dict[str, list[bytes]] = defaultdict(list)
    for event in loop.outputs:
        decided[event.data.topic].append(event.to_json())
    verdicts = {event.data.verdict for event in loop.outputs if isinstance(event.data, Decision)}
    events = [line for line in said if b'"type":"clock.tick"' not in line]
    return Course(events, dict(decided), loop.team.config), verdicts


@cache
def seed() -> int:
    """A team with a change that is kept and one that is taken back; the first that is tried was one so far."""
    return next(seed for seed in (6, *range(1, 20)) if in_process(seed)[1] >= {"kept", "rolled_back"})


@pytest.fixture(scope="module")
def bench(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(kafka, new_prefix(kafka), tmp_path_factory.mktemp("closed-loop"))
    (bench.directory / "policy.toml").write_text(POLICY)
    yield bench
    bench.end()


@pytest.fixture(scope="module")
def on_kafka(bench: Bench) -> Course:
    loop, said = team(lambda *given: TeamOnKafka(bench, KILL_AFTER, *given), seed())
    with loop:
        loop.run(SECONDS)
    assert not loop.orchestrator.refused
    assert bench.workers[-1].stop() == 0
    topics = dict.fromkeys(output.topic for output in OUTPUTS)
    decided = {topic: [record.value or b"" for record in bench.read(topic)] for topic in topics}
    return Course(said, decided, loop.team.config)


def test_every_decision_is_the_same(on_kafka: Course) -> None:
    expected, verdicts = in_process(seed())
    assert verdicts >= {"changed", "kept", "rolled_back"}
    assert on_kafka.decided["decisions"] == expected.decided["decisions"]
    assert on_kafka.decided["config-changes"] == expected.decided["config-changes"]


def test_every_insight_and_every_metric_is_the_same(on_kafka: Course) -> None:
    expected, _ = in_process(seed())
    assert on_kafka.decided["insights"] == expected.decided["insights"]
    assert on_kafka.decided["metrics"] == expected.decided["metrics"]


def test_both_teams_said_the_same_and_ended_alike(on_kafka: Course) -> None:
    expected, _ = in_process(seed())
    assert on_kafka.said == expected.said
    assert on_kafka.config == expected.config


def test_a_worker_was_killed_meanwhile_and_nothing_was_bad(on_kafka: Course, bench: Bench) -> None:
    assert [worker.process.returncode for worker in bench.workers] == [-9, 0]
    assert not bench.read("dead-letters")
