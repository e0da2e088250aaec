"""An agent's own drift: found in its own words, within the same bound, at a price that a thousand agents can pay."""

import time
from collections.abc import Callable, Sequence

import numpy as np
import orjson
import pytest

from meta_orchestrator.core.analysis.drift.small_bank import ROW, RateBank, SmallBank
from meta_orchestrator.core.collection.sketch import sketch_each
from meta_orchestrator.core.collection.slot import Slot
from meta_orchestrator.core.collection.window import Window
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.messages.outputs import Drift
from meta_orchestrator.policy import Policy
from tests.analysis.making import HOUR_S, TICK_S, Room, us


class Office(Room):
    """A room that is handed a window, too."""

    window = Window([], 0, us(300))

    def moment(self, events: Sequence[Event] = ()) -> Moment:
        moment = super().moment(events)
        moment.window = self.window
        return moment


class Team:
    """Agents whose every tick is drawn: some tasks that last, some handoffs that fail."""

    def __init__(self, agents: int, seed: int = 0, policy: Policy | None = None) -> None:
        self.names = [f"agent-{n}" for n in range(agents)]
        self.random = np.random.default_rng(seed)
        self.room = Office(policy or Policy())

    def tick(self, slow: dict[str, float] | None = None, failing: dict[str, float] | None = None) -> None:
        """Two tasks of about a second and two handoffs to each agent; `slow` and `failing` are out of the ordinary."""
        slot = Slot(us(self.room.now_s + TICK_S), counts={"agent.task.finished": 1})
        logs = self.random.normal(7, 1, (len(self.names), 2))
        failed = self.random.random((len(self.names), 2))
        for n, name in enumerate(self.names):
            slot.durations_ms[name] = (np.exp(logs[n]) * (slow or {}).get(name, 1)).tolist()
            slot.agents[name].handoffs_ended = 2
            slot.agents[name].handoffs_failed = int((failed[n] < (failing or {}).get(name, 0.05)).sum())
        slot.durations, slot.durations_ms = sketch_each(slot.durations_ms), {}
        self.look([slot])

    def look(self, slots: list[Slot]) -> None:
        self.room.window = Window(slots, us(self.room.now_s + TICK_S), us(300))
        self.room.tick({"events": 1})

    def drifts(self) -> list[tuple[int, Drift]]:
        return [(output.time_us, output.data) for output in self.room.said if isinstance(output.data, Drift)]


def test_one_agent_that_slows_down_is_named_with_since_when_and_how_much():
    team = Team(10)
    for tick in range(300):
        team.tick(slow={"agent-3": 4} if tick >= 200 else None)
    [(found_us, drift)] = team.drifts()
    assert (drift.metric, drift.agent, drift.direction) == ("task_latency_ms", "agent-3", "up")
    assert drift.before == pytest.approx(np.exp(7), rel=0.25)
    assert drift.after == pytest.approx(4 * np.exp(7), rel=0.5)
    evidence = drift.evidence
    assert parse_time_us(evidence["since_from"]) <= us(201 * TICK_S) <= parse_time_us(evidence["since_until"]) + us(150)
    assert us(200 * TICK_S) < found_us <= us(250 * TICK_S)


def test_one_to_whom_handoffs_fail_is_named():
    team = Team(10, seed=1)
    for tick in range(300):
        team.tick(failing={"agent-7": 0.5} if tick >= 200 else None)
    [(_, drift)] = team.drifts()
    assert (drift.metric, drift.agent, drift.direction) == ("handoff_failure_rate", "agent-7", "up")
    assert drift.before == pytest.approx(0.05, abs=0.05)
    assert 0.2 < drift.after < 0.7


def test_findings_keep_agents_apart_from_the_project():
    team = Team(3, seed=2)
    for tick in range(220):
        team.tick(slow={"agent-1": 10} if tick >= 200 else None)
    findings = team.room.tick({"events": 1})
    assert findings.drifts == {}
    assert list(findings.agent_drifts) == ["task_latency_ms agent-1"]


def test_stored_and_restored_at_any_tick_it_says_the_same():
    straight, restored = Team(4, seed=3), Team(4, seed=3)
    for tick in range(260):
        slow = {"agent-2": 6.0} if tick >= 200 else None
        straight.tick(slow), restored.tick(slow)
        if tick % 37 == 0:
            restored.room.store_and_restore()
    assert straight.drifts()
    assert restored.drifts() == straight.drifts()
    assert restored.room.minds.drift.dump() == straight.room.minds.drift.dump()


def test_an_own_change_starts_all_agents_anew():
    team = Team(2, seed=4)
    for tick in range(300):
        team.room.ledger.version = int(tick >= 200)
        team.tick(slow={"agent-0": 4, "agent-1": 4} if tick >= 200 else None)
    assert team.drifts() == []


def test_who_is_not_heard_of_for_a_day_is_forgotten_and_the_cap_holds():
    team = Team(5, policy=Policy.model_validate({"analysis": {"drift_agents": 3}}))
    team.tick()
    [latency, handoffs] = team.room.minds.drift.agents
    assert list(latency.names) == list(handoffs.names) == team.names[:3]
    team.names = team.names[3:]
    team.room.now_s += 25 * HOUR_S
    team.tick(), team.tick()
    assert list(latency.names) == team.names


def test_a_thousand_agents_cost_little_time_and_space():
    team = Team(1000, seed=5)
    for _ in range(6):
        team.tick()
    begin = time.process_time()
    slots = team.room.window.slots
    for _ in range(5):
        team.look(slots)
    assert (time.process_time() - begin) / 5 < 0.05
    stored = len(orjson.dumps(team.room.minds.drift.dump()["agents"]))
    assert stored < 1000 * 200
    assert ROW.itemsize == 44


LAWS = {
    "normal": lambda random: random.standard_normal((400, 100)),
    "exponential, ten a batch": lambda random: random.standard_exponential((400, 100, 10)).mean(axis=2),
    "heavy tails": lambda random: random.standard_t(3, (400, 100)),
}


@pytest.mark.parametrize("law", LAWS)
def test_steady_means_alarm_no_more_often_than_promised(law):
    """40,000 values at one in 10,000: 11 false drifts or more have probability .003."""
    bank = SmallBank()
    bank.grow(100)
    assert alarms(bank, bank.update, LAWS[law](np.random.default_rng(6))) <= 10


def alarms(bank: SmallBank, update: Callable[..., None], rows: np.ndarray) -> int:
    """How many of a hundred streams' values, a row each, raise one."""
    everybody, found = np.arange(100), 0
    for at, values in enumerate(rows):
        update(everybody, values, np.full(100, at))
        fired = np.flatnonzero(bank.evidence >= 10_000)
        bank.restart(fired)
        found += len(fired)
    return found


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_steady_rates_alarm_no_more_often_than_promised(rate):
    bank = RateBank()
    bank.grow(100)
    for stream in range(100):
        bank.name(stream, stream)
    bad = np.random.default_rng(7).binomial(10, rate, (400, 100)).astype(float)
    assert alarms(bank, lambda which, row, at: bank.update_rates(which, row, np.full(100, 10.0), at), bad) <= 10
