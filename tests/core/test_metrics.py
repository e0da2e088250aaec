"""The metrics of the contract, rule by rule, through a replay. (All at once, against brute force: test_oracle.py.)"""

from typing import Any

import orjson
import pytest

from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.policy import Policy
from tests.core.making import clock, line

ALL = {"samples": {"p95": 1, "rate": 1}}


def outputs(*lines: bytes, policy: dict[str, Any] = ALL) -> list[dict[str, Any]]:
    written: list[bytes] = []
    Replay(Policy.model_validate(policy), written.append).run(lines)
    return [orjson.loads(text) for text in written]


def snapshot(*lines: bytes, at_s: float = 300) -> dict[str, Any]:
    """The snapshot of the tick that `at_s` names, once the clock has reached it."""
    found = [o["data"] for o in outputs(*lines, clock(at_s)) if o["type"] == "metrics.snapshot"]
    return found[-1]


def started(at_s: float, task: str = "t", agent: str = "a", **more: Any) -> bytes:
    return line(at_s, "agent.task.started", task=task, agent=agent, **more)


def finished(at_s: float, task: str = "t", agent: str = "a", outcome: str = "succeeded", **more: Any) -> bytes:
    return line(at_s, "agent.task.finished", task=task, agent=agent, outcome=outcome, duration_ms=1000, **more)


def handoff(at_s: float, kind: str, name: str = "h", **more: Any) -> bytes:
    return line(at_s, f"agent.handoff.{kind}", handoff=name, task="t", from_agent="a", to_agent="b", **more)


def vote(at_s: float, agent: str, choice: str) -> bytes:
    return line(at_s, "consensus.vote.cast", round="r", agent=agent, choice=choice)


def closed(at_s: float, outcome: str, name: str = "r", latency_ms: float = 5) -> bytes:
    return line(at_s, "consensus.round.closed", round=name, item="i", outcome=outcome, latency_ms=latency_ms, attempt=1)


class TestTime:
    def test_a_tick_sees_the_window_before_it_and_nothing_older(self) -> None:
        lines = [finished(5, "old"), finished(31, "new")]
        assert snapshot(*lines, at_s=300)["counts"] == {"agent.task.finished": 2}
        assert snapshot(*lines, at_s=330)["counts"] == {"agent.task.finished": 1}

    def test_a_tick_with_nothing_in_its_window_writes_nothing(self) -> None:
        last = outputs(finished(5), clock(5000))[-1]
        assert last["time"] == "2027-01-15T08:05:00Z"

    def test_a_late_record_is_counted_where_it_arrives_each_copy_and_nowhere_else(self) -> None:
        late = finished(5, "late")
        found = snapshot(finished(100, "on time"), late, late)
        assert (found["late_events"], found["counts"]) == (2, {"agent.task.finished": 1})

    def test_a_record_that_is_not_yet_late_counts(self) -> None:
        assert snapshot(finished(24.9, "first"), finished(0, "in time"))["late_events"] == 0
        assert snapshot(finished(25, "first"), finished(0, "too late"))["late_events"] == 1

    def test_recordedtime_drives_the_watermark_of_a_file(self) -> None:
        behind = orjson.loads(finished(5)) | {"recordedtime": "2027-01-15T08:02:00Z"}
        assert snapshot(orjson.dumps(behind))["late_events"] == 1

    def test_the_same_identity_counts_once_in_a_pane(self) -> None:
        assert snapshot(finished(5), finished(5))["counts"] == {"agent.task.finished": 1}

    def test_an_unknown_type_is_counted_as_unknown_and_names_no_agent(self) -> None:
        found = outputs(line(5, "agent.danced", agent="a"), clock(60))
        assert found[-1]["data"]["counts"] == {"unknown": 1}
        assert all(o["type"] == "metrics.snapshot" for o in found)


class TestUtilization:
    def test_work_is_the_time_started_and_neither_blocked_nor_finished(self) -> None:
        lines = [
            started(0),
            line(60, "agent.task.blocked", task="t", agent="x", waiting_for=["b"]),
            line(90, "agent.task.unblocked", task="t", agent="x"),
            finished(120),
        ]
        assert snapshot(*lines)["agent_utilization"] == {"unknown": pytest.approx(90 / 300)}

    def test_a_second_start_by_its_holder_changes_nothing(self) -> None:
        lines = [started(0), line(60, "agent.task.blocked", task="t", agent="a", waiting_for=["b"]), started(90)]
        assert snapshot(*lines)["agent_utilization"] == {"unknown": pytest.approx(60 / 300)}

    def test_a_start_by_another_agent_moves_the_task(self) -> None:
        registered = [line(0, "agent.registered", agent=a, agent_type=f"type-{a}") for a in "ab"]
        found = snapshot(*registered, started(0), started(200, agent="b"))
        assert found["agent_utilization"] == {
            "type-a": pytest.approx(2 / 3, 1e-5),
            "type-b": pytest.approx(1 / 3, 1e-5),
        }

    def test_capacity_divides_and_work_is_one_at_the_most(self) -> None:
        two = line(0, "agent.registered", agent="a", agent_type="coder", capacity=2)
        assert snapshot(two, started(0))["agent_utilization"] == {"coder": 0.5}
        assert snapshot(started(0), started(1, "u"))["agent_utilization"] == {"unknown": 1}

    def test_heartbeats_are_weighted_by_time_and_hold_ten_minutes(self) -> None:
        beats = [
            line(0, "agent.heartbeat", agent="a", utilization=1),
            line(700, "agent.heartbeat", agent="a", utilization=0),
        ]
        assert snapshot(*beats, at_s=750)["agent_utilization"] == {"unknown": pytest.approx(150 / 200)}

    def test_a_deregistered_agent_is_in_no_mean_until_it_registers_again(self) -> None:
        gone = [started(0), line(10, "agent.deregistered", agent="a")]
        assert snapshot(*gone)["agent_utilization"] == {}
        back = line(20, "agent.registered", agent="a", agent_type="coder")
        assert snapshot(*gone, back)["agent_utilization"] == {"coder": 1}

    def test_an_agent_without_tasks_and_heartbeats_is_left_out(self) -> None:
        assert snapshot(vote(1, "a", "approve"))["agent_utilization"] == {}

    def test_an_agent_is_live_for_ten_minutes_after_an_event(self) -> None:
        keep = line(1190, "operator.intervened", operator="o", kind="other")
        assert snapshot(started(600), keep, at_s=1200)["agent_utilization"] == {"unknown": 1}
        assert snapshot(started(599), keep, at_s=1200)["agent_utilization"] == {}


class TestHandoffs:
    def test_the_first_end_of_a_handoff_counts(self) -> None:
        found = snapshot(handoff(1, "failed", cause="error"), handoff(2, "completed", wait_ms=1))
        assert (found["handoff_failure_rate"], found["handoff_failure_causes"]) == (1, {"error": 1})

    def test_one_without_an_end_fails_by_timeout_after_fifteen_minutes(self) -> None:
        assert snapshot(handoff(7, "started"), at_s=930)["handoff_failure_causes"] == {"timeout": 1}

    def test_an_end_at_exactly_fifteen_minutes_still_counts(self) -> None:
        in_time = [handoff(7, "started"), handoff(907, "completed", wait_ms=1)]
        assert snapshot(*in_time, at_s=930)["handoff_failure_rate"] == 0
        too_late = [handoff(7, "started"), handoff(907.000001, "completed", wait_ms=1)]
        assert snapshot(*too_late, at_s=930)["handoff_failure_rate"] == 1

    def test_an_implied_timeout_makes_a_snapshot_but_no_agent_due(self) -> None:
        last = [o for o in outputs(handoff(7, "started"), clock(960)) if o["time"] == "2027-01-15T08:16:00Z"]
        assert [o["type"] for o in last] == ["metrics.snapshot"]

    def test_an_id_is_new_after_a_day(self) -> None:
        day = 86_400
        lines = [handoff(0, "failed", cause="error"), handoff(day + 1, "failed", cause="error")]
        assert snapshot(*lines, at_s=day + 300)["handoff_failure_causes"] == {"error": 1}


class TestRounds:
    def test_a_clear_no_is_a_success(self) -> None:
        lines = [
            closed(1, "accepted"),
            closed(2, "rejected", "r2"),
            closed(3, "timed_out", "r3"),
            closed(4, "no_quorum", "r4"),
        ]
        found = snapshot(*lines)
        assert (found["consensus_success_rate"], found["coordination_failures"]) == (0.5, 2)

    def test_the_last_vote_before_the_close_counts(self) -> None:
        votes = [vote(1, "a", "reject"), vote(2, "a", "approve"), vote(1, "b", "reject"), vote(1, "c", "abstain")]
        assert snapshot(*votes, closed(3, "accepted"), vote(4, "b", "approve"))["dissent_rate"] == 0.5

    def test_a_second_close_is_ignored(self) -> None:
        assert snapshot(closed(1, "accepted"), closed(2, "timed_out"))["consensus_success_rate"] == 1

    def test_votes_of_undecided_rounds_are_in_no_rate(self) -> None:
        assert snapshot(vote(1, "a", "reject"), closed(2, "timed_out"))["dissent_rate"] is None


class TestTasks:
    def test_velocity_is_points_of_first_successes_an_hour(self) -> None:
        lines = [
            started(1, points=3),
            finished(2),
            finished(3),
            finished(4, "u", points=2),
            finished(5, "v", outcome="failed"),
        ]
        assert snapshot(*lines)["development_velocity"] == (3 + 2) * 12

    def test_a_step_of_no_points_is_in_no_rate(self) -> None:
        regression = {"check": "c", "passed": False, "regression": True}
        lines = [
            started(1, "step", points=0),
            finished(2, "step"),
            finished(3, "task"),
            line(4, "agent.quality.checked", task="step", agent="a", **regression),
            line(4, "agent.quality.checked", task="task", agent="a", **regression),
            line(5, "agent.rework.requested", task="step", agent="a", requested_by="b", attempt=1),
        ]
        found = snapshot(*lines)
        assert (found["quality_regression_rate"], found["rework_percentage"]) == (1, 0)

    def test_rework_counts_tasks_not_requests(self) -> None:
        again = [line(n, "agent.rework.requested", task="t", agent="a", requested_by="b", attempt=n) for n in (1, 2)]
        assert snapshot(*again, finished(3, "u"))["rework_percentage"] == 50

    def test_an_abandoned_task_is_a_coordination_failure_once(self) -> None:
        assert (
            snapshot(finished(1, outcome="abandoned"), finished(2, outcome="abandoned"))["coordination_failures"] == 1
        )

    def test_too_little_data_is_null_and_never_zero(self) -> None:
        lines = [finished(n, f"t{n}") for n in range(9)]
        assert outputs(*lines, clock(30), policy={})[-1]["data"]["rework_percentage"] is None
        lines = [finished(n, f"t{n}") for n in range(10)]
        assert outputs(*lines, clock(30), policy={})[-1]["data"]["rework_percentage"] == 0


class TestAgents:
    def test_each_minute_each_agent_with_events_in_the_window(self) -> None:
        lines = [finished(1), handoff(2, "failed", cause="error"), closed(3, "accepted")]
        agents = [o for o in outputs(*lines, clock(90)) if o["type"] == "metrics.agent"]
        assert [(o["time"], o["data"]["agent"]) for o in agents] == [("2027-01-15T08:01:00Z", a) for a in "ab"]
        a, b = (o["data"] for o in agents)
        assert a["task_latency_p95_ms"] == pytest.approx(1000, rel=0.01)
        assert (a["handoff_failure_rate"], b["handoff_failure_rate"]) == (None, 1)


class TestCommands:
    def test_a_command_counts_in_its_pane_and_as_an_intervention(self) -> None:
        owner = {"reason": "r", "owner": "o"}
        lines = [
            line(5, "control.freeze", until="2027-01-15T09:00:00Z", **owner),
            line(6, "control.rollback", to_version=0, **owner),
            line(7, "operator.intervened", operator="o", kind="restart"),
        ]
        found = snapshot(*lines)
        assert found["manual_interventions"] == 2
        assert found["counts"] == {"control.freeze": 1, "control.rollback": 1, "operator.intervened": 1}
