"""A case of a log → tasks, handoffs and rework."""

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.wire.decode import parse
from tests.convert.making import Row, at, of, run, xes

ROWS: list[Row] = [
    ("c1", "Open", "Ann", at("10:00")),
    ("c1", "Work", "Bob", at("10:30")),
    ("c1", "Ask", "Ann", at("11:00")),
    ("c1", "Close", "Ann", at("11:10")),
]


def test_each_event_is_a_step_of_no_points_that_belongs_to_its_case(tmp_path: Path) -> None:
    events, _ = run(tmp_path, xes(ROWS))
    steps = of(events, "agent.task.started")
    assert [(step["task"], step["agent"], step["item"], step["points"]) for step in steps] == [
        ("c1#1", "Ann", "c1", 0),
        ("c1#2", "Bob", "c1", 0),
        ("c1#3", "Ann", "c1", 0),
        ("c1#4", "Ann", "c1", 0),
    ]


def test_a_step_lasts_since_the_event_before_where_only_ends_are_known(tmp_path: Path) -> None:
    events, _ = run(tmp_path, xes(ROWS))
    finished = {data["task"]: data["duration_ms"] for data in of(events, "agent.task.finished")}
    assert [finished[f"c1#{n}"] for n in (1, 2, 3, 4)] == [0, 30 * 60_000, 30 * 60_000, 10 * 60_000]
    starts = [event["time"] for event in events if event["type"] == "agent.task.started"]
    assert starts == [at("10:00"), at("10:00"), at("10:30"), at("11:00")]


def test_the_case_is_the_task_that_completes_with_its_point_at_its_last_event(tmp_path: Path) -> None:
    events, _ = run(tmp_path, xes(ROWS))
    last = events[-2]
    assert (last["type"], last["time"]) == ("agent.task.finished", at("11:10"))
    assert last["data"] == {
        "task": "c1",
        "agent": "Ann",
        "outcome": "succeeded",
        "duration_ms": 70 * 60_000,
        "points": 1,
    }


def test_another_resource_is_a_handoff_that_waited_since_the_event_before(tmp_path: Path) -> None:
    events, summary = run(tmp_path, xes(ROWS))
    arrived = of(events, "agent.handoff.completed")
    ways = [(data["task"], data["from_agent"], data["to_agent"], data["wait_ms"]) for data in arrived]
    assert ways == [("c1", "Ann", "Bob", 30 * 60_000), ("c1", "Bob", "Ann", 30 * 60_000)]
    assert (summary.tally.handoffs, summary.tally.returns) == (2, 1)


def test_a_handoff_starts_where_it_completes_for_it_must_not_time_out_on_paper(tmp_path: Path) -> None:
    events, _ = run(tmp_path, xes(ROWS))
    starts = [event["time"] for event in events if event["type"] == "agent.handoff.started"]
    ends = [event["time"] for event in events if event["type"] == "agent.handoff.completed"]
    assert starts == ends == [at("10:30"), at("11:00")]


def test_going_on_after_completion_is_rework_of_the_one_who_had_completed(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("c1", "Completed", "Ann", at("10:00")),
        ("c1", "Accepted", "Bob", at("11:00")),
        ("c1", "Resolve it", "Bob", at("12:00")),
        ("c1", "Closed", "Bob", at("12:30")),
        ("c1", "Accepted", "Eve", at("13:00")),
    ]
    events, summary = run(tmp_path, xes(rows))
    asked = of(events, "agent.rework.requested")
    assert [(data["task"], data["agent"], data["requested_by"], data["attempt"]) for data in asked] == [
        ("c1", "Ann", "Bob", 1),
        ("c1", "Bob", "Eve", 2),
    ]
    assert summary.tally.reworks == 2


def test_nobody_is_an_agent_of_its_own_and_hands_nothing_over(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("c1", "a", "Ann", at("10:00")),
        ("c1", "b", None, at("10:10")),
        ("c1", "c", "UNKNOWN", at("10:20")),
        ("c1", "d", "Bob", at("10:30")),
    ]
    events, summary = run(tmp_path, xes(rows))
    assert [data["agent"] for data in of(events, "agent.task.started")] == ["Ann", "unknown", "unknown", "Bob"]
    assert of(events, "agent.handoff.completed") == []
    assert (summary.tally.nobody, summary.tally.passed_over) == (2, 2)
    assert any("unknown" in line for line in summary.lines())


def test_start_and_complete_make_one_step_of_its_true_length(tmp_path: Path) -> None:
    rows = [
        ("c", "a", "Ann", "start", at("10:00")),
        ("c", "b", "Bob", "schedule", at("10:01")),
        ("c", "a", "Ann", "COMPLETE", at("10:05")),
        ("c", "b", "Bob", "start", at("10:25")),
    ]
    content = "case,activity,resource,lifecycle,timestamp\n" + "".join(f"{','.join(row)}\n" for row in rows)
    events, summary = run(tmp_path, content.encode(), "csv")
    finished = [(data["task"], data["duration_ms"]) for data in of(events, "agent.task.finished")]
    assert finished == [("c#1", 5 * 60_000), ("c", 25 * 60_000)]
    assert [data["wait_ms"] for data in of(events, "agent.handoff.completed")] == [20 * 60_000]
    assert (summary.tally.steps, summary.tally.unfinished, summary.tally.no_work) == (2, 1, 1)


def test_impact_becomes_criticality(tmp_path: Path) -> None:
    for word, level in (("Low", "minor"), ("Medium", "normal"), ("High", "major"), ("Major", "critical")):
        events, _ = run(tmp_path, xes(ROWS, f'<string key="impact" value="{word}"/>'))
        assert {data["criticality"] for data in of(events, "agent.task.started")} == {level}
    events, _ = run(tmp_path, xes(ROWS, '<string key="impact" value="?"/>'))
    assert all("criticality" not in data for data in of(events, "agent.task.started"))


def test_groups_are_types_of_agents_or_the_agents_themselves(tmp_path: Path) -> None:
    content = xes(ROWS, '<string key="org:group" value="Line 2"/>')
    events, _ = run(tmp_path, content)
    assert of(events, "agent.registered") == [
        {"agent": "Ann", "agent_type": "Line 2"},
        {"agent": "Bob", "agent_type": "Line 2"},
    ]
    events, summary = run(tmp_path, content, by_group=True)
    assert {data["agent"] for data in of(events, "agent.task.finished")} == {"Line 2"}
    assert summary.tally.handoffs == 0


def test_the_last_line_lets_all_that_waits_for_time_come_due(tmp_path: Path) -> None:
    events, _ = run(tmp_path, xes(ROWS))
    assert events[-1]["type"] == "clock.tick"
    assert events[-1]["time"] == "2024-03-06T12:10:00Z"
    assert "project" not in events[-1]


logs = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["Open", "Work", "Closed"]),
        st.sampled_from(["Ann", "Bob", "Eve", None]),
        st.integers(0, 59).map(lambda minute: at(f"10:{minute:02d}")),
    ),
    min_size=1,
    max_size=30,
)


@given(logs)
def test_any_log_gives_valid_events_in_the_order_of_time_each_with_an_id_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row]
) -> None:
    events, summary = run(tmp_path_factory.getbasetemp(), xes(rows))
    assert all(parse(orjson.dumps(event))["type"] != "unknown" for event in events)
    times = [event["time"] for event in events]
    assert times == sorted(times)
    assert len({event["id"] for event in events}) == len(events) == summary.written
    assert len(of(events, "agent.task.started")) == len(rows) == summary.events
    assert len(of(events, "agent.task.finished")) == len(rows) + len({row[0] for row in rows})
