"""handoff_cycle: cycles of three and more in the path of a task."""

from meta_orchestrator.core.analysis.antipatterns.handoff_cycle import HandoffCycle
from meta_orchestrator.core.analysis.antipatterns.ping_pong import PingPong
from meta_orchestrator.policy import Policy
from tests.analysis.making import HOUR_S, MINUTE_S, Team, handoffs, judged
from tests.analysis.test_ping_pong import moves_of

POLICY = Policy()


def looping(tasks: int, begin_s: float, end_s: float) -> list:
    step_s = (end_s - begin_s) / tasks
    return [
        said for n in range(tasks) for said in handoffs(f"loop-{n}", ["d", *("xyz" * 3), "e"], begin_s + n * step_s)
    ]


def test_handoffs_by_chance_are_no_cycle():
    """See ping_pong: 240 look-backs at .01."""
    found = [len(judged(HandoffCycle(POLICY), Team(s).work(600, 0, 3 * HOUR_S), 3 * HOUR_S)) for s in range(40)]
    assert sum(found) <= 2 * 7


def test_a_planted_cycle_is_found_and_named():
    said = Team(1).work(700, 0, 3.5 * HOUR_S) + looping(12, 3 * HOUR_S, 3.4 * HOUR_S)
    [(found_s, found)] = judged(HandoffCycle(POLICY), said, 3.5 * HOUR_S)
    assert 3 * HOUR_S < found_s <= 3 * HOUR_S + 20 * MINUTE_S
    assert found.agents == ["x", "y", "z"]
    assert all(task.startswith("loop-") for task in found.tasks)
    assert "x→y→z" in found.evidence["most_often"]


def test_a_cycle_is_named_from_its_first_agent_on_wherever_it_is_entered():
    detector = HandoffCycle(POLICY)
    made = moves_of(handoffs("t", list("yzxyzx"), 0))
    assert {detector.subject(move) for move in made if detector.returns(move)} == {("x", "y", "z")}


def test_back_and_forth_is_no_cycle():
    assert not any(map(HandoffCycle(POLICY).returns, moves_of(handoffs("t", list("ababab"), 0))))


def test_going_round_is_no_ping_pong():
    said = Team(2).work(700, 0, 3.5 * HOUR_S) + looping(12, 3 * HOUR_S, 3.4 * HOUR_S)
    assert judged(PingPong(POLICY), said, 3.5 * HOUR_S) == []


def test_a_task_that_went_round_until_its_limit_is_found_at_the_next_tick():
    detector = HandoffCycle(POLICY)
    detector.configure({"workflow.max_handoffs": 9})
    [(_, found)] = judged(detector, handoffs("t", list("abcabcabcabc"), 0), 3 * MINUTE_S)
    assert (found.agents, found.tasks) == (["a", "b", "c"], ["t"])
    assert 0.5 <= found.severity <= 1
