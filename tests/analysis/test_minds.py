"""The room as a whole: the same insights after a restart, in their order, and at little cost."""

import time

import orjson
import pytest

from meta_orchestrator.core.analysis.antipatterns.shared.moves import TASKS, Moves
from meta_orchestrator.core.analysis.minds import Minds
from meta_orchestrator.core.collection.measures import Measures
from meta_orchestrator.messages.outputs import Antipattern, Drift, Escalation, EscalationCleared
from meta_orchestrator.policy import Policy
from tests.analysis.making import HOUR_S, MINUTE_S, TICK_S, Room, Team, event, handoffs, us
from tests.analysis.test_excessive_rounds import votes
from tests.analysis.test_ping_pong import looping


def story() -> list:
    """Five hours with a loop of handoffs and a fit of voting."""
    said = Team(1).work(1000, 0, 5 * HOUR_S) + looping(30, 3 * HOUR_S, 4 * HOUR_S)
    said += votes(1, 300, 0, 3 * HOUR_S, 0.1) + votes(2, 120, 3 * HOUR_S, 4 * HOUR_S, 0.6)
    return sorted(said + votes(3, 100, 4 * HOUR_S, 5 * HOUR_S, 0.1))


def told(restore_every: int | None = None) -> Room:
    """The story through the room; handoffs fail from the third hour on."""
    waiting, room = story(), Room()
    random = Team(9).random
    for tick in range(5 * HOUR_S // TICK_S):
        end_us, events = us(room.now_s + TICK_S), []
        while waiting and waiting[0][0] < end_us:
            events.append(waiting.pop(0))
        failing = 0.6 if 3 * HOUR_S <= room.now_s < 4 * HOUR_S else 0.1
        rows = {"handoffs_ended": 10, "handoffs_failed": int(random.binomial(10, failing))}
        room.tick(rows, events, Measures(handoff_failure_rate=failing))
        if restore_every and tick % restore_every == 0:
            room.store_and_restore()
    return room


@pytest.fixture(scope="module")
def room() -> Room:
    return told()


def test_what_is_planted_is_said_and_nothing_else(room):
    said = [type(output.data).type + ":" + _what(output.data) for output in room.said]
    assert sorted(said) == [
        "antipattern.cleared:excessive_rounds",
        "antipattern.cleared:ping_pong",
        "antipattern.detected:excessive_rounds",
        "antipattern.detected:ping_pong",
        "drift.detected:handoff_failure_rate",
        "drift.detected:handoff_failure_rate",
        "escalation.cleared:handoff_failure_rate",
        "escalation.raised:handoff_failure_rate",
    ]


def _what(data: Drift | Antipattern | Escalation) -> str:
    return data.kind if isinstance(data, Antipattern) else data.metric


def test_stored_and_restored_in_the_middle_it_says_the_same(room):
    assert [output.to_json() for output in told(restore_every=5).said] == [output.to_json() for output in room.said]


def test_findings_hold_what_goes_on_now_and_insights_what_is_new():
    room, high = Room(), Measures(handoff_failure_rate=0.9)
    for _ in range(20):
        assert not room.tick(measures=high).insights
    findings = room.tick(measures=high)
    assert [type(insight) for insight in findings.insights] == [Escalation]
    name = "handoff_failure_rate > 0.5 for 600 s"
    assert list(findings.escalations) == [name]
    findings = room.tick(measures=high)
    assert (findings.insights, list(findings.escalations)) == ([], [name])
    findings = room.tick(measures=Measures(handoff_failure_rate=0.1))
    assert [type(insight) for insight in findings.insights] == [EscalationCleared]
    assert findings.escalations == {}


def test_a_severe_antipattern_escalates_in_the_same_tick():
    rule = {"metric": "ping_pong", "threshold": 0.4, "for_s": 0, "action": "require_approval"}
    room = Room(Policy.model_validate({"escalation": [rule]}))
    room.ledger.config = {"workflow.max_handoffs": 6}
    findings = room.tick(events=handoffs("t", list("abababab"), 0, step_s=1))
    assert [insight.type for insight in findings.insights] == ["antipattern.detected", "escalation.raised"]
    assert [output.data for output in room.said] == findings.insights
    assert list(findings.antipatterns) == ["ping_pong"]


def test_an_idle_project_is_looked_at_again_while_something_goes_on():
    room = Room()
    room.ledger.config = {"workflow.max_handoffs": 6}
    assert room.minds.next_deadline_us() is None
    room.tick(events=handoffs("t", list("abababab"), 0, step_s=1))
    looks = 0
    while (deadline_us := room.minds.next_deadline_us()) is not None:
        room.tick(after_s=max(TICK_S, deadline_us / 1e6 - room.now_s))
        looks += 1
    assert [output.data.type for output in room.said] == ["antipattern.detected", "antipattern.cleared"]
    assert looks < 10
    assert room.now_s < HOUR_S


def test_minds_of_other_settings_are_thrown_away_and_say_so(room):
    stored = orjson.loads(orjson.dumps(room.minds.dump()))
    assert not Minds.load(Policy(), stored).rebuilt
    other = Minds.load(Policy.model_validate({"analysis": {"alpha": 0.05}}), stored)
    assert other.rebuilt
    assert other.dump() == Minds(Policy.model_validate({"analysis": {"alpha": 0.05}})).dump()
    assert Minds.load(Policy(), stored | {"fingerprint": "of another library"}).rebuilt


def test_settings_that_have_nothing_to_do_with_them_leave_minds_alone(room):
    stored = room.minds.dump()
    assert not Minds.load(Policy.model_validate({"pace": {"warm_up_s": 1}}), stored).rebuilt


def test_state_is_bounded_however_much_happens():
    moves = Moves()
    for n in range(20_000):
        moves.read(handoffs(f"a-task-with-a-long-name-{n}", [f"a{n % 7}", f"b{n % 11}"], n)[0])
        if n % 500 == 0:
            moves.turn(us(n), us(1000))
    assert len(moves.paths) == TASKS
    assert len(orjson.dumps(moves.dump())) < 100_000


def test_an_event_that_is_none_of_its_business_costs_next_to_nothing():
    room = Room()
    beats = [event(1, "agent.heartbeat", agent="a", utilization=0.5)] * 50_000
    begin = time.perf_counter()
    room.tick(events=beats)
    assert (time.perf_counter() - begin) / len(beats) < 2e-6  # 0.1 µs measured; the rest is for a busy machine


def test_a_tick_without_a_look_costs_little():
    room = told_until_quiet()
    moment = room.moment()
    begin = time.perf_counter()
    for _ in range(100):
        room.minds.antipatterns.judge(moment)
    assert (time.perf_counter() - begin) / 100 < 2e-3


def told_until_quiet() -> Room:
    room = Room()
    waiting = sorted(Team(2).work(300, 0, HOUR_S))
    while room.now_s < HOUR_S + 10 * MINUTE_S:
        end_us, events = us(room.now_s + TICK_S), []
        while waiting and waiting[0][0] < end_us:
            events.append(waiting.pop(0))
        room.tick(events=events)
    return room
