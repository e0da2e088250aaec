"""thrashing: begun and given up more often than ever."""

import numpy as np

from meta_orchestrator.core.analysis.antipatterns.thrashing import Thrashing
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.messages.outputs import AntipatternCleared
from meta_orchestrator.policy import Policy
from tests.analysis.making import COMPLETED, HOUR_S, MINUTE_S, event, judged_with_books, us

POLICY = Policy()
ROSTER = [
    event(0, "agent.registered", agent=f"{kind}{n}", agent_type=kind) for kind in ("coder", "tester") for n in range(5)
]


def handed(at_s: float, task: str, giver: str, taker: str) -> list[Event]:
    ends = {"handoff": f"{task}-{at_s}", "task": task, "from_agent": giver, "to_agent": taker, "wait_ms": 1}
    return [event(at_s, COMPLETED, **ends), event(at_s, "agent.task.started", task=task, agent=taker)]


def work(seed: int, tasks: int, begin_s: float, end_s: float, sideways: float = 0.1) -> list[Event]:
    """Coders begin, hand on sideways now and then (each time with that chance), and then to a tester, who finishes."""
    random, said = np.random.default_rng(seed), []
    for n in range(tasks):
        at_s, task, coder = random.uniform(begin_s, end_s), f"t{seed}-{n}", int(random.integers(5))
        said.append(event(at_s, "agent.task.started", task=task, agent=f"coder{coder}"))
        while random.random() < sideways:
            other, at_s = (coder + int(random.integers(1, 5))) % 5, at_s + 60
            said += handed(at_s, task, f"coder{coder}", f"coder{other}")
            coder = other
        tester = f"tester{random.integers(5)}"
        said += handed(at_s + 60, task, f"coder{coder}", tester)
        outcome = "succeeded" if random.random() > 0.02 else "abandoned"
        done = {"task": task, "agent": tester, "outcome": outcome, "duration_ms": 1}
        said.append(event(at_s + 120, "agent.task.finished", **done))
    return said


def test_agents_that_pass_work_around_are_found_dated_and_cleared():
    said = ROSTER + work(1, 400, 0, 4 * HOUR_S) + work(2, 100, 4 * HOUR_S, 5 * HOUR_S, 0.7)
    said += work(3, 300, 5 * HOUR_S, 8 * HOUR_S)
    (found_s, found), (cleared_s, cleared) = judged_with_books(Thrashing(POLICY), said, 8 * HOUR_S)
    assert 4 * HOUR_S < found_s < 4 * HOUR_S + 15 * MINUTE_S
    assert found.agents
    assert all(agent.startswith("coder") for agent in found.agents)
    assert found.tasks
    assert abs(parse_time_us(found.since) - us(4 * HOUR_S)) < us(25 * MINUTE_S)
    assert found.evidence["observed"] > 1.5 * found.evidence["expected"]
    assert isinstance(cleared, AntipatternCleared)
    assert 5 * HOUR_S < cleared_s < 6 * HOUR_S


def test_an_agent_that_drops_what_it_begins_is_named_alone():
    random, said = np.random.default_rng(4), ROSTER + work(4, 600, 0, 6 * HOUR_S)
    for n in range(20):
        at_s, task = 4 * HOUR_S + float(random.uniform(0, HOUR_S)), f"dropped-{n}"
        said.append(event(at_s, "agent.task.started", task=task, agent="tester0"))
        done = {"task": task, "agent": "tester0", "outcome": "abandoned", "duration_ms": 1}
        said.append(event(at_s + 30, "agent.task.finished", **done))
    (_, found), _ = judged_with_books(Thrashing(POLICY), said, 6 * HOUR_S)
    assert found.agents == ["tester0"]
    assert all(task.startswith("dropped") for task in found.tasks)


def test_what_was_always_so_is_none():
    """10 teams, 6 h each: 120 look-backs at .01; a pipeline that hands everything on, and sideways now and then."""
    found = [judged_with_books(Thrashing(POLICY), ROSTER + work(s, 400, 0, 6 * HOUR_S), 6 * HOUR_S) for s in range(10)]
    assert sum(map(len, found)) <= 2 * 4


def test_twice_as_much_work_is_none():
    said = ROSTER + work(5, 300, 0, 4 * HOUR_S) + work(6, 300, 4 * HOUR_S, 6 * HOUR_S)
    assert judged_with_books(Thrashing(POLICY), said, 6 * HOUR_S) == []


def test_stored_and_restored_it_says_the_same():
    said = ROSTER + work(1, 200, 0, 2 * HOUR_S) + work(2, 100, 2 * HOUR_S, 3 * HOUR_S, 0.7)
    plain, restored = (judged_with_books(Thrashing(POLICY), said, 4 * HOUR_S, every) for every in (None, 7))
    assert plain == restored
    assert plain
