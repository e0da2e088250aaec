"""handoff_cycle: cycles of three and more in the path of a task."""

import numpy as np
import orjson

from meta_orchestrator.core.analysis.antipatterns.handoff_cycle import HandoffCycle
from meta_orchestrator.core.analysis.antipatterns.ping_pong import PingPong
from meta_orchestrator.core.analysis.antipatterns.shared.moves import Moves
from meta_orchestrator.messages.outputs import AntipatternCleared
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
    assert 3 * HOUR_S < found_s <= 3 * HOUR_S + 25 * MINUTE_S
    assert found.agents == ["x", "y", "z"]
    assert all(task.startswith("loop-") for task in found.tasks)
    assert "x→y→z" in found.evidence["most_often"]


def test_a_cycle_is_named_from_its_first_agent_on_wherever_it_is_entered():
    detector = HandoffCycle(POLICY)
    made = moves_of(handoffs("t", list("yzxyzx"), 0))
    assert {detector.subject(move) for move in made if detector.returns(move)} == {("x", "y", "z")}


def test_each_round_of_a_task_is_one_cycle():
    detector = HandoffCycle(POLICY)
    rounds = [detector.returns(move) for move in moves_of(handoffs("t", list("dxyzxyzxyze"), 0))]
    assert rounds == [False, False, False, True, False, False, True, False, False, False]


def crew_work(dice: np.random.Generator, back: float, tasks: int, begin_s: float, end_s: float) -> list:
    """Planners, coders and reviewers; with a probability of `back` a reviewed task begins anew at its planner."""
    said = []
    for n, at_s in enumerate(np.linspace(begin_s, end_s, tasks)):
        path = [planner := f"p{dice.integers(3)}", f"c{dice.integers(5)}", f"r{dice.integers(4)}"]
        while dice.random() < back:
            path += [planner, f"c{dice.integers(5)}", f"r{dice.integers(4)}"]
        said += handoffs(f"{begin_s}-{n}", [*path, "test"], float(at_s), 300)
    return said


def test_a_fault_that_sends_most_tasks_round_is_one_finding_until_it_ends():
    """Where most tasks go round a second time, later rounds must not hide the first ones."""
    dice, began_s, ended_s, until_s = np.random.default_rng(3), 10 * HOUR_S, 30 * HOUR_S, 40 * HOUR_S
    said = crew_work(dice, 0.05, 500, 0, began_s)
    said += crew_work(dice, 0.6, 1000, began_s, ended_s) + crew_work(dice, 0.05, 500, ended_s, until_s)
    [(found_s, _), (over_s, over)] = judged(HandoffCycle(POLICY), said, until_s)
    assert began_s < found_s <= began_s + HOUR_S
    assert ended_s < over_s <= ended_s + 4 * HOUR_S
    assert isinstance(over, AntipatternCleared)


def test_a_team_that_always_went_round_now_and_then_does_nothing_new():
    """400 look-backs at .01: more than nine findings in less than one run of a hundred."""
    teams = [crew_work(np.random.default_rng(seed), 0.05 + 0.02 * seed, 1000, 0, 20 * HOUR_S) for seed in range(10)]
    found = [one for team in teams for _, one in judged(HandoffCycle(POLICY), team, 20 * HOUR_S)]
    assert sum(not isinstance(one, AntipatternCleared) for one in found) <= 9


def restored(moves: Moves) -> Moves:
    again = Moves()
    again.load(orjson.loads(orjson.dumps(moves.dump())))
    return again


def test_a_path_that_is_stored_goes_on_where_it_was():
    made = handoffs("t", list("dxyzxyzxyzxabab"), 0)
    kept, stored = Moves(), Moves()
    for event in made:
        assert kept.read(event)._replace(path=None) == stored.read(event)._replace(path=None)
        stored = restored(stored)
    assert stored.dump() == kept.dump()


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
