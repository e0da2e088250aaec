"""The person's summary of a replay: its numbers, counted here in another way, and that it says what matters."""

from collections.abc import Iterable
from io import StringIO
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from meta_orchestrator.drivers.report import Report
from meta_orchestrator.drivers.report.course import Course
from meta_orchestrator.drivers.report.flow import Flow
from meta_orchestrator.drivers.report.spread import Spread
from meta_orchestrator.drivers.report.windows import Windows
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import MINUTE_US, format_time_us
from meta_orchestrator.messages.outputs import Output, Proposal
from meta_orchestrator.policy import Policy
from tests.view.making import T0, antipattern, change, decision, drift, escalation, snapshot, trial


def event(kind: str, data: dict[str, Any], minute: float = 0, name: str = "") -> Event:
    identity = name or f"{kind}-{minute}-{orjson.dumps(data).decode()}"
    return (T0 + round(minute * MINUTE_US), "test", identity, kind, data, b"", 0, None)


def handoff(task: str, one: str, other: str, minute: float = 0, wait_ms: float = 1000) -> Event:
    data = {"handoff": f"{task}-{minute}", "task": task, "from_agent": one, "to_agent": other, "wait_ms": wait_ms}
    return event("agent.handoff.completed", data, minute)


def finished(task: str, agent: str, minute: float = 0, **more: Any) -> Event:
    data = {"task": task, "agent": agent, "outcome": "succeeded", "duration_ms": 1000} | more
    return event("agent.task.finished", data, minute)


def told(events: Iterable[Event] = (), outputs: Iterable[tuple[Output, int]] = (), width: int = 300) -> str:
    report = Report()
    for one in events:
        report.observe("checkout", one)
    for data, minute in outputs:
        report.output(CloudEvent("checkout", T0 + minute * MINUTE_US, data))
    return report.text(width)


def flowed(events: Iterable[Event]) -> Flow:
    flow = Flow()
    for one in events:
        flow.observe(one)
    flow.close()
    return flow


# ---- where work bounces ---------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("ABC"), st.sampled_from("ABC")), max_size=40))
def test_a_return_is_a_handoff_that_undoes_the_one_before_of_its_task(moves: list[tuple[str, str, str]]) -> None:
    flow = flowed(handoff(task, one, other, minute) for minute, (task, one, other) in enumerate(moves))
    ways = {task: [move[1:] for move in moves if move[0] == task] for task in "xyz"}
    returns = {task: sum(a == b[::-1] for a, b in pairwise(way)) for task, way in ways.items()}
    assert flow.handoffs == len(moves)
    assert flow.returns == sum(returns.values()) == sum(pair.returns for pair in flow.pairs.values())
    assert flow.bounced == sum(number > 0 for number in returns.values())
    assert {task.name: task.returns for task in flow.worst} == {task: n for task, n in returns.items() if n}


def test_the_pair_between_which_work_bounces_is_named_first() -> None:
    events = [handoff("t1", *pair, minute) for minute, pair in enumerate([("ada", "ben"), ("ben", "ada")] * 6)]
    events += [handoff("t2", "ada", "cleo", 30), handoff("t2", "cleo", "dan", 31)]
    said = told(events)
    assert "11 of 14 handoffs (79 %) went straight back" in said
    assert "ada ⇄ ben" in said
    assert "ada ⇄ cleo" not in said.split("between")[1]
    assert "ben has a part in 100 % of them." in said


def test_a_step_belongs_to_its_agent_and_a_case_to_no_one() -> None:
    steps = [
        event("agent.task.started", {"task": f"c#{n}", "agent": "ada", "item": "c", "points": 0}, n) for n in (1, 2)
    ]
    ends = [finished(f"c#{n}", "ada", n, points=0, duration_ms=n * 60_000) for n in (1, 2)]
    flow = flowed([*steps, *ends, finished("c", "ada", 3, points=1, duration_ms=9e9)])
    assert (flow.steps, flow.items, flow.tasks) == (2, 1, 1)
    assert flow.agents["ada"].finished == 2
    assert flow.agents["ada"].durations_ms.total == 180_000


def test_rework_is_told_with_the_share_of_tasks() -> None:
    asked = {"task": "t1", "agent": "ada", "requested_by": "ben"}
    events = [finished(f"t{n}", "ada", n) for n in range(2, 5)]
    events += [event("agent.rework.requested", asked | {"attempt": n}, n) for n in (1, 2)]
    assert "came back 2 times (rework), to 25 % of the tasks." in told([*events, finished("t1", "ada", 9)])


def test_a_copy_of_a_line_counts_once() -> None:
    one = handoff("t1", "ada", "ben")
    report = Report()
    report.observe("checkout", one)
    report.observe("checkout", one)
    report.observe("other", one)
    assert (report.flows["checkout"].handoffs, report.flows["other"].handoffs) == (1, 1)


# ---- who is the bottleneck ------------------------------------------------------------------------------------------


def test_who_has_far_more_of_the_waiting_than_of_the_handoffs_is_the_bottleneck() -> None:
    slow = [handoff(f"s{n}", "ada", "ben", n, wait_ms=3_600_000) for n in range(10)]
    fast = [handoff(f"f{n}", "ben", "ada", n, wait_ms=60_000) for n in range(30)]
    said = told([*slow, *fast])
    share = 100 * 36_000_000 / (36_000_000 + 1_800_000)
    assert f"ben: {share:.0f} % of all waiting for a handoff, with 25 % of the handoffs (median wait 1 h" in said


def test_nobody_is_blamed_where_waiting_is_spread_as_the_work_is() -> None:
    events = [handoff(f"t{n}", "ada", ("ben", "cleo")[n % 2], n, wait_ms=60_000) for n in range(40)]
    assert "Nobody stands out." in told(events)


def test_too_little_says_so() -> None:
    assert "Not known" in told([handoff("t1", "ada", "ben")])


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=200), st.sampled_from([0.25, 0.5, 0.95, 1.0]))
def test_quantiles_of_a_spread_are_within_one_percent(values: list[float], share: float) -> None:
    spread = Spread()
    for value in values:
        spread.add(value)
    rank = max(1, -(-round(share * 100) * len(values) // 100))
    assert spread.quantile(share) == pytest.approx(sorted(values)[rank - 1], rel=0.0101)
    assert Spread.together([spread, spread]).quantile(share) == spread.quantile(share)
    assert Spread().quantile(share) is None


# ---- in which window rates have values ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gap_minutes", "length"),
    [(0.4, 5 * MINUTE_US), (1, 10 * MINUTE_US), (30, 8 * 60 * MINUTE_US), (24 * 60, 14 * 24 * 60 * MINUTE_US)],
)
def test_the_shortest_window_in_which_a_rate_has_values_is_found(gap_minutes: float, length: int) -> None:
    windows = Windows(Policy())
    for n in range(200):
        windows.observe(handoff(f"t{n}", "ada", "ben", n * gap_minutes))
    (rate,) = windows.rates()
    assert (rate.metric, rate.count, rate.length_us) == ("handoff_failure_rate", 200, length)
    assert (rate.share_at_window > 0.5) == (length == 5 * MINUTE_US)


def test_too_few_events_have_no_window() -> None:
    windows = Windows(Policy())
    for n in range(9):
        windows.observe(handoff(f"t{n}", "ada", "ben", n))
    (rate,) = windows.rates()
    assert rate.length_us is None
    assert "No length of window" in told(handoff(f"t{n}", "ada", "ben", n) for n in range(9))


def test_the_worst_window_is_the_one_with_the_failures() -> None:
    windows = Windows(Policy())
    base = -(-T0 // (5 * MINUTE_US)) * 5 - T0 / MINUTE_US
    for window in range(4):
        for n in range(20):
            minute = base + window * 5 + n * 0.2
            one = handoff(f"t{window}-{n}", "ada", "ben", minute)
            if window == 2 and n < 5:
                one = event("agent.handoff.failed", one[4] | {"cause": "timeout"}, minute)
            windows.observe(one)
    (rate,) = windows.rates()
    assert (rate.whole, rate.worst, rate.length_us) == (5 / 80, 5 / 20, 5 * MINUTE_US)
    assert rate.worst_us == T0 + round((base + 10) * MINUTE_US)


def test_quality_is_not_called_good_where_nobody_checks() -> None:
    assert "quality_regression_rate" not in told(finished(f"t{n}", "ada", n) for n in range(50))
    checked = {"task": "t1", "agent": "ada", "check": "c", "passed": False, "regression": True}
    events = [*(finished(f"t{n}", "ada", n) for n in range(50)), event("agent.quality.checked", checked, 1)]
    assert "quality_regression_rate: 2.0 % of 50" in told(events)


# ---- what the loop said ---------------------------------------------------------------------------------------------


def test_findings_come_first_the_severest_on_top_each_once() -> None:
    outputs: list[tuple[Output, int]] = [
        (drift(), 1),
        (antipattern(), 2),
        (antipattern(over=True), 3),
        (antipattern(), 9),
    ]
    said = told([finished("t", "ada")], outputs)
    section = said.split("Where work bounces")[0]
    assert section.index("Ping pong") < section.index("went up")
    assert section.count("Ping pong") == 1
    assert "Seen 2 times" in section


def test_decisions_are_told_with_their_sentence_and_refusals_by_their_limiter() -> None:
    outputs: list[tuple[Output, int]] = [
        (change(1, 4, 5), 1),
        (decision("changed", change="change-1", version=1, trial=trial()), 1),
        (decision("kept", "d2"), 31),
        (decision("refused", "d3", refused_by="cooldown"), 40),
        (decision("refused", "d4", refused_by="cooldown"), 50),
    ]
    said = told([finished("t", "ada")], outputs)
    assert "4 decisions: 2 refused, 1 changed, 1 kept." in said
    assert "changed: workflow.wip_limit 4 → 5. It was changed." in said
    assert "refused 2 times by cooldown, as: It was refused." in said
    assert "At the end version 1 is in force: consensus.max_rounds 3, workflow.wip_limit 5." in said


def test_a_decision_about_several_parameters_names_none_of_them() -> None:
    several = decision("changed", change="change-1", version=1)
    several = several.model_copy(update={"proposal": Proposal(id="change-1", parameter=None, from_=None, to=None)})
    assert "changed: It was changed." in told([finished("t", "ada")], [(change(1, 4, 5), 1), (several, 1)])


def test_an_unsupported_parameter_tells_how_to_see_more() -> None:
    said = told([finished("t", "ada")], [(decision("refused", refused_by="unsupported"), 1)])
    assert "--assume-orchestrator" in said


def test_bad_records_are_counted_by_reason_and_an_empty_file_says_so() -> None:
    report = Report()
    for reason in ("not_json", "invalid", "invalid"):
        report.bad(reason)
    said = report.text()
    assert "3 bad records left out: 2 invalid, 1 not_json." in said
    assert "nothing to report on" in said


def test_names_in_a_log_cannot_command_the_terminal() -> None:
    evil = "\x1b]0;owned\x07[bold]x[/bold]"
    events = [handoff("t1", *pair, minute) for minute, pair in enumerate([(evil, "ben"), ("ben", evil)] * 6)]
    said = told(events, [(antipattern(agents=(evil,)), 1)])
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "[bold]x[/bold]" in said


def test_snapshots_without_values_do_not_break_the_report() -> None:
    assert "2 snapshots" in told([handoff("t", "a", "b")], [(snapshot(), 1), (snapshot(failures=0.5), 2)])


def test_memory_does_not_grow_with_the_tasks_of_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meta_orchestrator.drivers.report.flow.MOST_TASKS", 10)
    flow = Flow()
    for n in range(1000):
        flow.observe(event("agent.task.started", {"task": f"t{n}#1", "agent": "ada", "item": f"t{n}"}, n))
        flow.observe(handoff(f"t{n}", "ada", "ben", n))
        flow.observe(handoff(f"t{n}", "ben", "ada", n + 0.5))
    assert len(flow._open) <= 10
    assert len(flow._items) <= 10
    assert len(flow.worst) <= 5
    assert flow.returns == 1000
    flow.close()
    assert (flow.tasks, flow.bounced) == (1000, 1000)


def test_that_nothing_was_found_means_little_where_there_was_too_little_to_test() -> None:
    sparse = told(handoff(f"t{n}", "ada", "ben", n * 120) for n in range(100))
    assert "That says little" in sparse
    assert "[time] history_s = 172800" in sparse
    dense = told(handoff(f"t{n}", "ada", "ben", n) for n in range(100))
    assert "says little" not in dense


def test_what_the_log_does_not_tell_of_was_not_judged() -> None:
    said = told([handoff("t1", "ada", "ben")])
    assert "consensus.frequency, consensus.max_rounds (no votes)" in said
    assert "workflow.review_depth (no quality checks)" in said


def test_what_bounced_all_along_is_the_first_point_though_no_test_can_find_it() -> None:
    ways = [("ada", "ben"), ("ben", "ada")]
    events = [handoff(f"t{n // 2}", *ways[n % 2], n) for n in range(100)]
    section = told(events).split("What matters first")[1].split("Where work bounces")[0]
    assert section.strip().startswith("• 50 % of the handoffs went straight back, all along")
    assert section.count("went straight back") == 1
    found = told(events, [(antipattern(), 1)]).split("Where work bounces")[0]
    assert "all along" not in found
    assert "In the log as a whole 50 % of the handoffs went straight back" in found


def test_what_began_to_bounce_half_way_did_not_bounce_all_along() -> None:
    ways = [("ada", "ben"), ("ben", "ada")]
    calm = [handoff(f"c{n}", "ada", "ben", n) for n in range(50)]
    section = " ".join(told([*calm, *(handoff(f"t{n // 2}", *ways[n % 2], 50 + n) for n in range(50))]).split())
    assert "25 % of the handoffs went straight back (0 % in the first half, 50 % in the second): too few to" in section
    assert "all along" not in section


def test_little_or_few_that_bounce_are_no_first_point() -> None:
    rare = [handoff(f"t{n}", "ada", "ben", n) for n in range(90)] + [handoff(f"t{n}", "ben", "ada", 91) for n in (1, 2)]
    few = [handoff("t", *pair, n) for n, pair in enumerate([("ada", "ben"), ("ben", "ada")] * 5)]
    assert "all along" not in told(rare) + told(few)


def test_a_log_of_one_day_is_told_with_its_hours() -> None:
    day = format_time_us(T0)[:10]
    hours = [format_time_us(T0 + minute * MINUTE_US)[11:16] for minute in (0, 7)]
    assert f"{day} {hours[0]} to {hours[1]} (" in told([handoff("t", "a", "b"), handoff("t", "b", "a", 7)])
    assert f"{day} to {format_time_us(T0 + 3000 * MINUTE_US)[:10]} (" in told(
        [handoff("t", "a", "b"), handoff("t", "b", "a", 3000)]
    )


def test_no_line_ends_in_blanks_where_it_is_no_terminal() -> None:
    report, page = Report(), StringIO()
    report.observe("checkout", handoff("t1", "ada", "ben"))
    report.render(Console(file=page, width=60))
    assert "Not judged" in page.getvalue()
    assert [line for line in page.getvalue().splitlines() if line != line.rstrip()] == []


# ---- what matters first, and plots ----------------------------------------------------------------------------------


def test_what_matters_first_are_three_things_at_the_most_and_not_told_again() -> None:
    outputs = [(antipattern(agents=(name, "zoe")), n) for n, name in enumerate("abcde")]
    outputs += [(drift(), 6), (escalation(), 7), (decision("recommended", expires_at="2023-11-15T22:00:00Z"), 8)]
    said = told([finished("t", "ada")], outputs)
    first = said.split("What matters first")[1].split("What went wrong")[0]
    assert [line.split()[1] for line in first.splitlines() if "•" in line] == [
        "Escalation",  # about the same metric as the drift, which is told below
        "Ping",
        "Recommended:",
    ]
    rest = said.split("What went wrong")[1].split("Where work bounces")[0]
    assert rest.count("Ping pong") == 4
    assert "handoff_failure_rate went up" in rest
    assert "Escalation" not in rest


def test_a_move_with_which_its_explanation_begins_is_told_once() -> None:
    move = "workflow.wip_limit 4 → 5"
    begun = decision("changed", trial=trial()).model_copy(update={"explanation": f"{move}: all places are taken."})
    assert told([finished("t", "ada")], [(begun, 1)]).count(move) == 1
    assert told([finished("t", "ada")], [(decision("changed", trial=trial()), 1)]).count(move) == 1


def test_a_finding_is_told_with_what_explains_it() -> None:
    explained = drift().model_copy(update={"evidence": {"sentence": "Agent ben explains 80% of it."}})
    assert "Agent ben explains 80% of it." in told([finished("t", "ada")], [(explained, 1)])


def test_where_nothing_matters_nothing_is_put_first() -> None:
    assert "What matters first" not in told([finished("t", "ada")])


def test_a_line_of_a_plot_holds_what_the_events_say() -> None:
    course = Course(Policy())
    for n in range(200):
        course.observe(handoff("t", "ada", "ben", n) if n % 4 else event("agent.handoff.failed", {"task": "t"}, n))
        course.observe(finished(f"t{n}", "ada", n, points=2))
    lines = course.lines()
    assert {round(value, 6) for _, value in lines["development_velocity"][1:-1]} == {120.0}
    assert sum(value for _, value in lines["handoff_failure_rate"]) == pytest.approx(
        0.25 * len(lines["handoff_failure_rate"]), rel=0.1
    )
    assert "consensus_latency_p95_ms" not in lines


def test_a_log_of_years_takes_no_more_buckets_than_one_of_days() -> None:
    course = Course(Policy())
    for day in range(2000):
        course.observe(finished(f"t{day}", "ada", day * 1440, points=1))
    assert len(course.buckets) <= 512
    points = [(value, at_us) for at_us, value in course.lines()["development_velocity"]]
    length_us = points[1][1] - points[0][1]
    assert sum(value for value, _ in points) * length_us / 3600e6 == pytest.approx(2000)


def test_the_page_holds_the_report_and_its_plots_and_needs_nothing_from_elsewhere() -> None:
    report = Report()
    for n in range(100):
        report.observe("<checkout>", handoff("t", "ada", "ben", n))
        report.observe("<checkout>", finished(f"t{n}", "ada", n))
    report.output(CloudEvent("<checkout>", T0 + 50 * MINUTE_US, change(1, 4, 5)))
    page = report.html()
    assert page.count("<svg") == 2
    assert "Where work bounces" in page
    assert "<checkout>" not in page
    for foreign in ("<script", "src=", "@import", "<link"):
        assert foreign not in page
