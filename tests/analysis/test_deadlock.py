"""deadlock: a circle of waits that are older than waits that end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.core.analysis.antipatterns.deadlock import Deadlock, Wait, cycles, graph
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.messages.outputs import AntipatternCleared
from meta_orchestrator.policy import Policy
from tests.analysis.making import HOUR_S, MINUTE_S, Room, event, judged_with_books, us

POLICY = Policy()


def started(time_s: float, task: str, agent: str) -> Event:
    return event(time_s, "agent.task.started", task=task, agent=agent)


def blocked(time_s: float, task: str, agent: str, *agents: str, tasks: tuple[str, ...] = ()) -> Event:
    names = {"waiting_for_tasks": list(tasks)} if tasks else {}
    return event(time_s, "agent.task.blocked", task=task, agent=agent, waiting_for=list(agents), **names)


def unblocked(time_s: float, task: str, agent: str) -> Event:
    return event(time_s, "agent.task.unblocked", task=task, agent=agent)


def mutual(seed: int, waits: int, until_s: float, mean_s: float = 60) -> list[Event]:
    """Six agents that wait for one another for a moment, all the time: by chance often in a circle."""
    random, said = np.random.default_rng(seed), []
    for n in range(waits):
        at_s, agent, other = random.uniform(0, until_s), *random.choice(6, 2, replace=False)
        name = f"w{n}"
        said += [started(at_s, name, f"a{agent}"), blocked(at_s + 1, name, f"a{agent}", f"a{other}")]
        said.append(unblocked(at_s + 1 + random.exponential(mean_s), name, f"a{agent}"))
        said.append(event(said[-1][0] / 1e6 + 1, "agent.task.finished", task=name, agent=f"a{agent}", outcome="failed"))
        said[-1][4]["duration_ms"] = 1
    return said


def clinch(at_s: float, end_s: float | None = None) -> list[Event]:
    """x and y wait for each other, y ten seconds later than x."""
    said = [started(at_s - 1, "tx", "x"), started(at_s - 1, "ty", "y")]
    said += [blocked(at_s, "tx", "x", "y"), blocked(at_s + 10, "ty", "y", "x")]
    return said + ([unblocked(end_s, "tx", "x")] if end_s is not None else [])


def test_two_that_wait_for_each_other_are_found_named_dated_and_cleared():
    said = mutual(1, 600, 2 * HOUR_S) + clinch(HOUR_S, 1.5 * HOUR_S)
    (found_s, found), (cleared_s, cleared) = judged_with_books(Deadlock(POLICY), said, 2 * HOUR_S)
    assert HOUR_S < found_s <= HOUR_S + 10 * MINUTE_S  # the q99 of exponential waits of 60 s is 276 s
    assert (found.agents, found.tasks) == (["x", "y"], ["tx", "ty"])
    assert parse_time_us(found.since) == us(HOUR_S + 10)
    assert found.evidence["cycle"] in ("tx → ty → tx", "ty → tx → ty")
    assert found.evidence["waited_s"] >= found.evidence["patience_s"]
    assert 0 < found.severity <= 1
    assert isinstance(cleared, AntipatternCleared)
    over_s = 1.5 * HOUR_S + POLICY.analysis.clear_after_s
    assert over_s <= cleared_s <= over_s + MINUTE_S


def test_circles_of_a_moment_are_everyday_life():
    """4,000 waits in 24 h, 48 look-backs at .01: one false alarm may happen, two have a probability of .08."""
    found = judged_with_books(Deadlock(POLICY), mutual(2, 4000, 24 * HOUR_S), 24 * HOUR_S)
    assert len(found) <= 2


def test_without_a_past_it_takes_a_look_back():
    [(found_s, _)] = judged_with_books(Deadlock(POLICY), clinch(30), HOUR_S)
    lookback_s = POLICY.analysis.lookback_s
    assert 40 + lookback_s <= found_s <= 40 + lookback_s + MINUTE_S


def test_a_chain_without_a_circle_is_no_deadlock_however_long():
    said = [started(9, name, name.upper()) for name in "abc"]
    said += [blocked(10, "a", "A", "B"), blocked(11, "b", "B", tasks=("c",)), blocked(12, "c", "C", "D")]
    assert judged_with_books(Deadlock(POLICY), said, 3 * HOUR_S) == []


def test_tasks_in_a_circle_are_found_and_those_that_wait_for_it_count():
    said = [started(9, name, name.upper()) for name in "abcdz"]
    said += [blocked(10, "a", "A", tasks=("b",)), blocked(11, "b", "B", tasks=("c",))]
    said += [blocked(12, "c", "C", tasks=("a",)), blocked(13, "d", "D", "A")]
    [(_, found)] = judged_with_books(Deadlock(POLICY), said, HOUR_S)
    assert (found.agents, found.tasks) == (["A", "B", "C"], ["a", "b", "c"])
    assert found.evidence["tasks_stuck"] == 4  # d waits for A
    assert found.severity == pytest.approx(4 / 5)


def test_who_names_tasks_waits_for_these_and_not_for_all_that_their_agents_do():
    """A waits for a task of B that goes on; that another task of B waits for A is no circle."""
    waits = {"a": Wait("A", 0, ["b1"], []), "b2": Wait("B", 0, [], ["A"])}
    assert list(cycles(graph(waits))) == []
    assert list(cycles(graph(waits | {"b1": Wait("B", 0, [], ["A"])}))) == [["a", "b1"]]


def test_a_task_that_is_taken_over_waits_no_more():
    said = [*clinch(30), started(20 * MINUTE_S, "tx", "z")]
    assert judged_with_books(Deadlock(POLICY), said, 3 * HOUR_S) == []


def test_nobody_has_to_say_anything_for_it_to_be_found():
    room = Room()
    room.tick(events=[one for one in clinch(1) if "blocked" in one[3]])
    ticks = 0
    while (deadline_us := room.minds.next_deadline_us()) is not None and ticks < 10:
        room.tick(after_s=max(30, deadline_us / 1e6 - room.now_s))
        ticks += 1
    assert [output.data.kind for output in room.said] == ["deadlock"]
    assert ticks <= 2  # what is there stays there while nothing happens


def test_stored_and_restored_it_says_the_same():
    said = mutual(3, 300, HOUR_S) + clinch(0.5 * HOUR_S, 0.8 * HOUR_S)
    plain, restored = (judged_with_books(Deadlock(POLICY), said, HOUR_S, every) for every in (None, 3))
    assert plain == restored
    assert len(plain) == 2


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), unique=True)))
def test_a_cycle_is_found_where_some_way_leads_back_to_where_it_began(edges: dict[str, list[str]]) -> None:
    ways = np.array([[target in edges.get(node, []) for target in "abcdef"] for node in "abcdef"])
    reach = ways
    for _ in range(6):
        reach = reach | (reach @ ways)
    named = {f"t{node}": [f"t{target}" for target in targets] for node, targets in edges.items()}
    assert bool(list(cycles(named))) == bool(reach.diagonal().any())
