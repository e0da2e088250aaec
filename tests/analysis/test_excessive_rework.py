"""excessive_rework: sent back more often than ever, or beyond the limit."""

import numpy as np

from meta_orchestrator.core.analysis.antipatterns.excessive_rework import ExcessiveRework
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.outputs import AntipatternCleared
from meta_orchestrator.policy import Policy
from tests.analysis.making import HOUR_S, MINUTE_S, event, judged_with_books

POLICY = Policy()


def again(at_s: float, task: str, agent: str, attempt: int) -> Event:
    return event(at_s, "agent.rework.requested", task=task, agent=agent, requested_by="r", attempt=attempt)


def work(
    seed: int, tasks: int, begin_s: float, end_s: float, share: float = 0.2, who: tuple[str, ...] = tuple("abcdef")
) -> list[Event]:
    """Each attempt at a task is sent back with that chance."""
    random, said = np.random.default_rng(seed), []
    for n in range(tasks):
        at_s, task, agent = random.uniform(begin_s, end_s), f"t{seed}-{n}", str(random.choice(who))
        said.append(event(at_s, "agent.task.started", task=task, agent=agent))
        attempt = 0
        while attempt < 4 and random.random() < share:
            attempt, at_s = attempt + 1, at_s + 60
            said.append(again(at_s, task, agent, attempt))
        done = {"task": task, "agent": agent, "outcome": "succeeded", "duration_ms": 1}
        said.append(event(at_s + 60, "agent.task.finished", **done))
    return said


def test_an_agent_whose_work_comes_back_is_named_and_cleared():
    said = work(1, 600, 0, 6 * HOUR_S) + work(2, 30, 3 * HOUR_S, 4 * HOUR_S, 0.8, ("x",))
    (found_s, found), (cleared_s, cleared) = judged_with_books(ExcessiveRework(POLICY), said, 6 * HOUR_S)
    assert 3 * HOUR_S < found_s < 3 * HOUR_S + 25 * MINUTE_S
    assert found.agents == ["x"]
    assert all(task.startswith("t2-") for task in found.tasks)
    assert found.evidence["observed"] > 1.5 * found.evidence["expected"]
    assert isinstance(cleared, AntipatternCleared)
    assert 4 * HOUR_S < cleared_s < 5.5 * HOUR_S


def test_a_fault_that_lasts_is_one_finding_or_two_that_end_with_it():
    """Twice as much is sent back from 8 h to 20 h: few chances without a request must not look like its end."""
    for seed in (2, 3, 4):
        said = work(1, 800, 0, 8 * HOUR_S) + work(seed, 1200, 8 * HOUR_S, 20 * HOUR_S, 0.4)
        found = judged_with_books(ExcessiveRework(POLICY), said + work(9, 400, 20 * HOUR_S, 24 * HOUR_S), 24 * HOUR_S)
        begins, ends = (
            [at_s for at_s, it in found if isinstance(it, AntipatternCleared) is end] for end in (False, True)
        )
        assert len(begins) == len(ends) <= 2
        assert sum(ends) - sum(begins) > 0.75 * 12 * HOUR_S
        assert ends[-1] < 21 * HOUR_S


def test_as_much_as_ever_is_not_too_much():
    """10 teams, 6 h each: 120 look-backs at .01."""
    found = [judged_with_books(ExcessiveRework(POLICY), work(s, 500, 0, 6 * HOUR_S), 6 * HOUR_S) for s in range(10)]
    assert sum(map(len, found)) <= 2 * 4


def test_twice_as_much_work_is_not_too_much_of_it():
    said = work(3, 300, 0, 3 * HOUR_S) + work(4, 400, 3 * HOUR_S, 5 * HOUR_S)
    assert judged_with_books(ExcessiveRework(POLICY), said, 5 * HOUR_S) == []


def test_a_task_beyond_the_limit_is_found_at_the_next_tick_and_cleared_after_a_while():
    said = [event(9, "agent.task.started", task="t", agent="a")]
    said += [again(10 * n, "t", "a", n) for n in range(1, 6)]  # the limit is 3; the fourth says that it is reached
    (found_s, found), (cleared_s, cleared) = judged_with_books(ExcessiveRework(POLICY), said, HOUR_S)
    assert found_s == 60
    assert (found.agents, found.tasks) == (["a"], ["t"])
    assert (found.evidence["attempts"], found.evidence["max_rework"]) == (5, 3)
    assert isinstance(cleared, AntipatternCleared)
    assert cleared_s >= 50 + POLICY.analysis.clear_after_s


def test_a_task_at_its_limit_is_none():
    said = [event(9, "agent.task.started", task="t", agent="a")]
    said += [again(10 * n, "t", "a", n) for n in range(1, 5)]
    assert judged_with_books(ExcessiveRework(POLICY), said, HOUR_S) == []


def test_requests_for_agents_of_whom_no_work_is_known_are_expected_from_all_together():
    random, said = np.random.default_rng(5), work(5, 600, 0, 6 * HOUR_S, 0)
    said += [again(float(random.uniform(0, 6 * HOUR_S)), f"u{n}", "unknown", 1) for n in range(100)]
    assert judged_with_books(ExcessiveRework(POLICY), said, 6 * HOUR_S) == []


def test_stored_and_restored_it_says_the_same():
    said = work(1, 300, 0, 3 * HOUR_S) + work(2, 30, 2 * HOUR_S, 3 * HOUR_S, 0.8, ("x",))
    said += [again(1000 + n, "far", "a", n) for n in range(1, 8)]
    plain, restored = (judged_with_books(ExcessiveRework(POLICY), said, 5 * HOUR_S, every) for every in (None, 7))
    assert plain == restored
    assert len(plain) == 4
