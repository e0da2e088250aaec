"""stalled: a held task of which nothing is heard for longer than ever."""

import numpy as np
import pytest

from meta_orchestrator.core.analysis.antipatterns.stalled import Stalled
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.messages.outputs import AntipatternCleared
from meta_orchestrator.policy import Policy
from tests.analysis.making import HOUR_S, MINUTE_S, event, judged_with_books, us

POLICY = Policy()
CHECKED = "agent.quality.checked"


def work(seed: int, tasks: int, begin_s: float, end_s: float, mean_s: float = 120, name: str = "t") -> list[Event]:
    """Tasks with a start, some checks and an end, lognormal times apart; nearly all the time some are held."""
    random, said = np.random.default_rng(seed), []
    for n in range(tasks):
        at_s, task, agent = random.uniform(begin_s, end_s), f"{name}{seed}-{n}", f"a{random.integers(8)}"
        said.append(event(at_s, "agent.task.started", task=task, agent=agent))
        for _ in range(random.integers(1, 5)):
            at_s += random.lognormal(np.log(mean_s), 0.7)
            said.append(event(at_s, CHECKED, task=task, agent=agent, check="c", passed=True, regression=False))
        done = {"task": task, "agent": agent, "outcome": "succeeded", "duration_ms": 1}
        said.append(event(at_s + random.lognormal(np.log(mean_s), 0.7), "agent.task.finished", **done))
    return said


def hung(at_s: float, again_s: float | None = None) -> list[Event]:
    """A task of z is begun, looked at once, and then nothing is heard of it for a long time."""
    check = {"task": "hung", "agent": "z", "check": "c", "passed": True, "regression": False}
    said = [event(at_s, "agent.task.started", task="hung", agent="z"), event(at_s + 60, CHECKED, **check)]
    return said + ([event(again_s, CHECKED, **check)] if again_s is not None else [])


def test_a_hung_task_is_found_named_dated_and_cleared():
    said = work(1, 1200, 0, 8 * HOUR_S) + hung(2 * HOUR_S, 6 * HOUR_S)
    (found_s, found), (cleared_s, cleared) = judged_with_books(Stalled(POLICY), said, 8 * HOUR_S)
    assert 2 * HOUR_S < found_s < 4.5 * HOUR_S
    assert (found.agents, found.tasks) == (["z"], ["hung"])
    assert parse_time_us(found.since) == us(2 * HOUR_S + 60)
    assert found.evidence["silent_s"] >= found.evidence["patience_s"] >= found.evidence["q99_s"]
    assert isinstance(cleared, AntipatternCleared)
    over_s = 6 * HOUR_S + POLICY.analysis.clear_after_s
    assert over_s <= cleared_s <= over_s + MINUTE_S


def test_silences_as_long_as_ever_are_no_stall():
    """4 teams, 12 h each: 96 look-backs at .01 and two findings (found, cleared) for each alarm."""
    found = [judged_with_books(Stalled(POLICY), work(s, 1000, 0, 12 * HOUR_S), 12 * HOUR_S) for s in range(4)]
    assert sum(map(len, found)) <= 2 * 4


def test_a_night_is_no_stall():
    days = [work(s, 400, s * 24 * HOUR_S, (s * 24 + 8) * HOUR_S) for s in range(3)]
    kept = [event(7.9 * HOUR_S, "agent.task.started", task=f"overnight{n}", agent="z") for n in range(5)]
    said = [one for day in days for one in day if one[0] % us(24 * HOUR_S) < us(8 * HOUR_S)] + kept
    for n in range(5):
        done = {"task": f"overnight{n}", "agent": "z", "outcome": "succeeded", "duration_ms": 1}
        said.append(event(24.05 * HOUR_S + n, "agent.task.finished", **done))
    ends = {one[4]["task"] for one in said if one[3] == "agent.task.finished"}
    said = [one for one in said if one[4]["task"] in ends]  # whatever is begun is ended the same day
    assert judged_with_books(Stalled(POLICY), said, 60 * HOUR_S) == []


def test_a_project_of_which_nothing_is_heard_says_nothing_of_its_tasks():
    said = work(2, 800, 0, 4 * HOUR_S) + hung(3.9 * HOUR_S)
    said = [one for one in said if one[0] < us(4 * HOUR_S) or one[3] == "agent.task.finished"]
    assert judged_with_books(Stalled(POLICY), said, 24 * HOUR_S) == []


@pytest.mark.parametrize("agent_type", ["sprinter", "thinker"])
def test_kinds_of_agents_have_silences_of_their_own(agent_type):
    """Two hours are long for a sprinter, whose tasks take minutes, and nothing for a thinker."""
    said = [event(0, "agent.registered", agent=f"a{n}", agent_type="sprinter") for n in range(8)]
    slow = [
        event(one[0] / 1e6, one[3], **{**one[4], "agent": "slow"})
        for one in work(3, 400, 0, 40 * HOUR_S, 1.5 * HOUR_S, "s")
    ]
    said += [event(0, "agent.registered", agent="slow", agent_type="thinker"), *slow]
    said += [event(29 * HOUR_S, "agent.registered", agent="z", agent_type=agent_type)]
    said += work(4, 4000, 0, 40 * HOUR_S, 60) + hung(30 * HOUR_S, 33 * HOUR_S)
    found = [one for _, one in judged_with_books(Stalled(POLICY), said, 33.4 * HOUR_S) if one.tasks == ["hung"]]
    assert len(found) == (2 if agent_type == "sprinter" else 0)


def test_stored_and_restored_it_says_the_same():
    said = work(5, 600, 0, 4 * HOUR_S) + hung(1 * HOUR_S, 3.5 * HOUR_S)
    plain, restored = (judged_with_books(Stalled(POLICY), said, 4 * HOUR_S, every) for every in (None, 7))
    assert plain == restored
    assert len(plain) == 2
