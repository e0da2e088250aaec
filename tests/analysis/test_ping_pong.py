"""ping_pong: found where it is planted, named and cleared; not found where returns are chance or custom."""

from collections.abc import Iterable

import pytest

from meta_orchestrator.core.analysis.antipatterns.ping_pong import PingPong
from meta_orchestrator.core.analysis.antipatterns.shared.moves import Move, Moves
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.messages.outputs import AntipatternCleared
from meta_orchestrator.policy import Policy
from tests.analysis.making import COMPLETED, HOUR_S, MINUTE_S, Team, event, handoffs, judged, us

POLICY = Policy()


def looping(tasks: int, begin_s: float, end_s: float) -> list:
    """Tasks that go x → y → x → … six times, spread over a time."""
    step_s = (end_s - begin_s) / tasks
    return [
        said for n in range(tasks) for said in handoffs(f"loop-{n}", ["c", "d", *("xy" * 3), "e"], begin_s + n * step_s)
    ]


def test_handoffs_by_chance_are_no_ping_pong():
    """40 teams, 3 h each: 240 look-backs at an alpha of .01; more than 7 alarms would have a probability of .004."""
    found = [len(judged(PingPong(POLICY), Team(s).work(600, 0, 3 * HOUR_S), 3 * HOUR_S)) for s in range(40)]
    assert sum(found) <= 2 * 7  # each alarm is cleared, too


def test_a_log_with_shuffled_agents_is_no_ping_pong():
    """A/A: who hands on to whom stays, the order within tasks is lost."""
    fired = 0
    for seed in range(20):
        team = Team(seed)
        real = [path for path in (team.path() for _ in range(300)) if len(path) > 2]
        everyone = team.random.permutation([agent for path in real for agent in path]).tolist()
        said = []
        for n, path in enumerate(real):
            shuffled = [everyone.pop() for _ in path]
            said += handoffs(f"t{n}", shuffled, float(team.random.uniform(0, 2 * HOUR_S)))
        fired += bool(judged(PingPong(POLICY), said, 2 * HOUR_S))
    assert fired <= 2


@pytest.mark.parametrize(("authors", "reviewers"), [(6, 2), (30, 10)])
def test_authors_and_reviewers_who_always_did_it_are_no_ping_pong(authors, reviewers):
    team, said = Team(1), []
    for n in range(400):
        author, reviewer = f"a{team.random.integers(authors)}", f"r{team.random.integers(reviewers)}"
        rounds = int(team.random.integers(1, 4))
        path = [author, *([reviewer, author] * rounds), "merge"]
        said += handoffs(f"t{n}", path, float(team.random.uniform(0, 4 * HOUR_S)), step_s=20)
    assert judged(PingPong(POLICY), said, 4 * HOUR_S) == []


@pytest.mark.parametrize("seed", range(3))
def test_other_people_who_work_as_those_before_them_did_are_no_ping_pong(seed):
    """Of the new ones nobody has a habit yet; that work comes back to its author now and then is the project's."""
    team, said = Team(seed), []
    for begin_s, crew in ((0, "old"), (3 * HOUR_S, "new")):
        for n in range(300):
            author, reviewer = f"{crew}-a{team.random.integers(10)}", f"{crew}-r{team.random.integers(10)}"
            rounds = int(team.random.integers(0, 2))
            path = [author, *([reviewer, author] * rounds), "merge", "ship"]
            said += handoffs(f"{crew}-{n}", path, begin_s + float(team.random.uniform(0, 3 * HOUR_S)), step_s=20)
    assert judged(PingPong(POLICY), said, 6 * HOUR_S) == []


def test_a_planted_loop_is_found_dated_and_named():
    said = Team(2).work(700, 0, 3.5 * HOUR_S) + looping(12, 3 * HOUR_S, 3.4 * HOUR_S)
    [(found_s, found)] = judged(PingPong(POLICY), said, 3.5 * HOUR_S)
    assert 3 * HOUR_S < found_s <= 3 * HOUR_S + 20 * MINUTE_S
    assert {"x", "y"} <= set(found.agents)
    assert set(found.agents) <= {"x", "y", "c", "d"}
    assert found.tasks
    assert all(task.startswith("loop-") for task in found.tasks)
    assert abs(parse_time_us(found.since) - us(3 * HOUR_S)) < us(5 * MINUTE_S)
    assert found.severity > 0.3
    assert found.evidence["observed"] > 1.5 * found.evidence["expected"]
    assert found.evidence["p_value"] <= POLICY.analysis.alpha
    assert "x⇄y" in found.evidence["most_often"]


def test_it_is_cleared_once_when_it_has_stopped_and_not_before():
    said = Team(3).work(1000, 0, 5 * HOUR_S) + looping(30, 3 * HOUR_S, 4 * HOUR_S)
    (_, found), (cleared_s, cleared) = judged(PingPong(POLICY), said, 5 * HOUR_S)
    assert isinstance(cleared, AntipatternCleared)
    assert not isinstance(found, AntipatternCleared)
    assert 4 * HOUR_S < cleared_s <= 4 * HOUR_S + 40 * MINUTE_S
    assert (cleared.kind, cleared.since) == (found.kind, found.since)


def test_what_was_wrong_does_not_become_custom():
    """The same loop again an hour later is as wrong as the first time."""
    said = Team(4).work(1400, 0, 7 * HOUR_S) + looping(30, 3 * HOUR_S, 4 * HOUR_S)
    again = [list(said_) for said_ in looping(30, 5.5 * HOUR_S, 6.5 * HOUR_S)]
    for one in again:
        one[4] = one[4] | {"task": "again-" + one[4]["task"], "handoff": "again-" + one[4]["handoff"]}
    found = judged(PingPong(POLICY), said + [tuple(one) for one in again], 6.5 * HOUR_S)
    assert [type(finding) is AntipatternCleared for _, finding in found] == [False, True, False]


def test_without_a_past_custom_and_fault_cannot_be_told_apart_and_nothing_is_said():
    assert judged(PingPong(POLICY), looping(40, 0, HOUR_S / 2), HOUR_S / 2) == []


def test_events_hours_apart_are_looked_at_over_a_longer_time():
    team = Team(6)
    said = team.work(120, 0, 480 * HOUR_S)
    for n in range(40):
        said += handoffs(f"loop-{n}", list("xyxy"), 480 * HOUR_S + n * HOUR_S / 2, step_s=600)
    found = judged(PingPong(POLICY), said, 500 * HOUR_S)
    assert [set(finding.agents) for _, finding in found[:1]] == [{"x", "y"}]
    assert found[0][1].evidence["lookback_s"] > 10 * POLICY.analysis.lookback_s


def test_a_single_task_in_a_loop_is_found_among_many_that_are_not():
    """Ten returns of one task are nothing among those of a busy team, and much for a task."""
    said = Team(5).work(3000, 0, 4.5 * HOUR_S) + handoffs("loop", list("cdxyxyxyxyxye"), 3.5 * HOUR_S, step_s=30)
    (found_s, found), (_, cleared) = judged(PingPong(POLICY), said, 4.5 * HOUR_S)
    assert 3.5 * HOUR_S < found_s <= 3.5 * HOUR_S + 6 * MINUTE_S
    assert (found.agents, found.tasks) == (["x", "y"], ["loop"])
    assert found.evidence["e_value"] >= 1000 / POLICY.analysis.alpha
    assert isinstance(cleared, AntipatternCleared)


def test_fewer_events_than_asked_for_are_not_judged():
    assert judged(PingPong(POLICY), handoffs("t", list("abababababab"), 0), HOUR_S) == []


def test_a_task_that_used_up_its_handoffs_is_found_at_the_next_tick():
    detector = PingPong(POLICY)
    detector.configure({"workflow.max_handoffs": 6})
    [(found_s, found)] = judged(detector, handoffs("t", list("ababababc"), 100), 3 * MINUTE_S)
    assert found_s == 150  # the sixth move was made at 125 s
    assert (found.agents, found.tasks) == (["a", "b"], ["t"])
    assert found.evidence["max_handoffs"] == 6


def test_a_long_way_without_returns_is_no_ping_pong_at_the_limit():
    detector = PingPong(POLICY)
    detector.configure({"workflow.max_handoffs": 6})
    assert judged(detector, handoffs("t", list("abcdefgh"), 100), 3 * MINUTE_S) == []


def test_the_limit_is_the_policys_where_none_is_in_force():
    assert PingPong(POLICY).most_handoffs == 20


def moves_of(said: Iterable[Event]) -> list[Move]:
    moves = Moves()
    return [move for one in said if (move := moves.read(one))]


@pytest.mark.parametrize("kind", ["agent.handoff.started", COMPLETED])
def test_a_handoff_moves_its_task_once(kind):
    """When it completes; when it starts, in a log that knows no more."""
    made = moves_of(handoffs("t", list("aba"), 0, kind=kind))
    assert [(move.from_agent, move.to_agent) for move in made] == [("a", "b"), ("b", "a")]


def test_a_started_completed_and_repeated_handoff_is_one_move():
    data = {"handoff": "h", "task": "t", "from_agent": "a", "to_agent": "b"}
    kinds = ["agent.handoff.started", COMPLETED, COMPLETED, "agent.handoff.started"]
    assert len(moves_of(event(n, kind, **data) for n, kind in enumerate(kinds))) == 1


def test_a_failed_handoff_moves_nothing():
    data = {"handoff": "h", "task": "t", "from_agent": "a", "to_agent": "b"}
    failed = event(0, "agent.handoff.failed", cause="rejected", **data)
    started = event(1, "agent.handoff.started", **data)
    assert moves_of([failed, started]) == []  # a log that knows ends


def test_a_task_that_came_to_an_agent_without_a_handoff_begins_a_new_path():
    again = event(9, COMPLETED, handoff="h", task="t", from_agent="a", to_agent="b")
    made = moves_of([*handoffs("t", "ab", 0), again])
    assert [move.earlier for move in made] == [(), ()]
    assert made[-1].path.moves == 2


def asked(team: Team, tasks: int, begin_s: float, end_s: float, rounds: int) -> list[Event]:
    """A questioner asks an answerer some rounds about each task, and hands on; by custom it is one round."""
    said = []
    for n in range(tasks):
        at_s = float(team.random.uniform(begin_s, end_s))
        said += handoffs(f"q-{begin_s}-{n}", ["in", *(["q", "a"] * rounds), "q", "out"], at_s, step_s=20)
    return said


def test_a_questioner_that_asks_again_and_again_is_found_though_the_answerer_always_returns():
    team = Team(8)
    said = team.work(600, 0, 3.5 * HOUR_S) + asked(team, 150, 0, 3 * HOUR_S, 1)
    said += asked(team, 12, 3 * HOUR_S, 3.4 * HOUR_S, 5)
    found_s, found = judged(PingPong(POLICY), said, 3.5 * HOUR_S)[0]
    assert 3 * HOUR_S < found_s <= 3 * HOUR_S + 20 * MINUTE_S
    assert found.agents == ["a", "q"]


def test_a_questioner_that_asks_as_often_as_ever_is_no_ping_pong():
    team = Team(9)
    said = team.work(600, 0, 4 * HOUR_S) + asked(team, 200, 0, 4 * HOUR_S, 3)
    assert judged(PingPong(POLICY), said, 4 * HOUR_S) == []
