"""The demo's page and lines."""

import io
from importlib.resources import as_file, files
from typing import ClassVar

from rich.console import Console

from meta_orchestrator.demo.screen import Plain, page, screen_for, sparkline
from meta_orchestrator.demo.story import Story
from meta_orchestrator.policy import load_policy

TIME = "2026-01-05T08:00:00Z"


def snapshot(second: int, **values):
    metrics = {
        "consensus_latency_p95_ms": 1200.0,
        "consensus_success_rate": 0.9,
        "agent_utilization": {"coder": 0.5, "tester": None},
        "handoff_failure_rate": None,
        "development_velocity": 3000.0,
        "quality_regression_rate": 0.01,
        "coordination_failures": 3,
        "rework_percentage": 20.0,
        "phase": "steady",
        "config_version": 0,
    }
    time = f"2026-01-05T08:00:{second:02}Z"
    return {"id": f"s{second}", "type": "metrics.snapshot", "time": time, "project": "demo", "data": metrics | values}


def change():
    data = {
        "change": "c1",
        "version": 1,
        "kind": "trial",
        "changes": [{"parameter": "consensus.max_rounds", "from": 3, "to": 2}],
        "config": {"consensus.max_rounds": 2},
        "reason": "votes repeat.",
        "trigger": [],
        "expected": {},
    }
    return {"id": "e1", "type": "config.change", "time": TIME, "project": "demo", "data": data}


def rendered(story: Story) -> str:
    console = Console(file=io.StringIO(), width=140)
    console.print(page(story))
    return console.file.getvalue()


def test_a_sparkline_has_one_bar_a_value_and_a_gap_where_there_is_none():
    assert sparkline([0, None, 7, 3.5]) == "▁ █▅"
    assert sparkline([5, 5]) == "▁▁"
    assert sparkline([None]) == " "
    assert sparkline([]) == ""


def test_the_page_is_there_before_anything_has_happened():
    assert "before anything is changed" in rendered(Story())


def test_the_page_shows_metrics_and_what_happened():
    story = Story()
    for second in range(5):
        story.view.add(snapshot(second, development_velocity=3000.0 * second))
    event = change()
    story.view.add(event)
    story.hear(event)
    shown = rendered(story)
    assert "12,000 points/h" in shown
    assert "▁▃▅▆█" in shown
    assert "1,200 ms" in shown
    assert "consensus.max_rounds 3 → 2" in shown
    assert "version 1" in shown


def test_a_mean_over_types_leaves_out_the_unknown_and_null_is_a_dash():
    story = Story()
    story.view.add(snapshot(0))
    shown = rendered(story).splitlines()
    assert any("agent_utilization" in line and "50%" in line for line in shown)
    assert any("handoff_failure_rate" in line and " - " in line for line in shown)


def test_without_a_terminal_each_line_is_printed_once():
    out = io.StringIO()
    story = Story()
    with screen_for(Console(file=out), story) as screen:
        assert isinstance(screen, Plain)
        story.hear(change())
        screen.refresh()
        screen.refresh()
    assert out.getvalue().count("consensus.max_rounds 3 → 2") == 1


def test_after_kept_the_page_says_that_the_fault_is_still_on_and_made_up_for():
    story = Story(told_fault=True)
    assert "the team debates trifles" in rendered(story)
    data = {"verdict": "kept", "explanation": "it helped", "proposal": {"id": "p"}, "decision": "d"}
    story.hear({"id": "d", "type": "decision", "time": TIME, "project": "demo", "data": data})
    shown = rendered(story)
    assert "the fault is still on, the setting compensates" in shown
    assert shown.index("Kept: it helped.") < shown.index("The fault is still on:")


def test_a_refusal_is_not_told():
    story = Story()
    data = {"verdict": "refused", "explanation": "no", "proposal": {"id": "p"}}
    story.hear({"id": "d", "type": "decision", "time": TIME, "project": "demo", "data": data})
    assert not story.lines


def test_the_policy_of_the_demo_is_a_policy():
    with as_file(files("meta_orchestrator.demo").joinpath("policy.toml")) as path:
        policy = load_policy(path)
    assert {parameter.mode for parameter in policy.parameters.values()} == {"enforce"}
    assert policy.pace.warm_up_s + policy.trial.review_s < 60


class Counting:
    """A stage of which the books rise by a point a second, faster under version 1."""

    applied: ClassVar = [(47.0, 1), (112.0, 2)]
    seconds = 115.0

    class publisher:  # noqa: N801 - the stage's own name
        delivered = 1

    def points_per_hour(self, since_s: float, until_s: float) -> float:
        return 3600.0 if until_s <= 47 else 7200.0


def test_the_summary_tells_what_the_books_say_of_each_version_that_was_long_in_force():
    [books] = [line for line in Story(stage=Counting()).summary() if "books" in line]
    assert books == "  Points an hour by the team's own books: 3,600 before the fault, 7,200 under version 1."
