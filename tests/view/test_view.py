"""What the outputs add up to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.messages.examples import examples
from meta_orchestrator.messages.inputs import TOPIC_OF
from meta_orchestrator.messages.outputs import OUTPUTS
from meta_orchestrator.messages.wording import short_text, sure_text
from meta_orchestrator.view import ProjectView, View, full_sentence, sentence, told_once, value_text
from tests.view.making import (
    MINUTE_US,
    T0,
    WIP,
    antipattern,
    change,
    decision,
    drift,
    escalation,
    record,
    snapshot,
    trial,
)

TOPICS = {kind.type: kind.topic for kind in OUTPUTS}
FINDING = record(antipattern(), 1)
CHANGED = decision("changed", "d2", change="change-1", version=1, trial=trial())
LIFE = [
    FINDING,
    record(decision("recommended", "d1", expires_at="2023-11-15T22:00:00Z"), 1),
    record(snapshot("steady"), 1),
    record(change(1, 4, 5, trigger=[FINDING["id"], "forgotten"]), 3),
    record(CHANGED, 3),
    record(snapshot("trial", 1), 3),
    record(change(2, 5, 4, kind="rollback"), 33),
    record(decision("rolled_back", "d3", change="change-2", version=2), 33),
    record(antipattern(over=True, agents=("ada", "ben", "cleo")), 40),
    record(snapshot("steady", 2), 40),
]
"""A finding, a recommendation that was approved, a trial that was rolled back."""


def seen(records: list[dict[str, Any]]) -> ProjectView:
    view = View()
    for one in records:
        view.add(one)
    return view.projects["checkout"]


def test_the_highest_version_is_in_force() -> None:
    project = seen([record(change(2, 5, 6)), record(change(1, 4, 5))])
    assert (project.version, project.config[WIP]) == (2, 6)


def test_before_any_change_the_baseline_is_in_force_which_the_outputs_do_not_know() -> None:
    project = seen([record(snapshot())])
    assert (project.version, project.config, project.phase) == (0, {}, "steady")


def test_a_trial_runs_from_changed_to_its_verdict() -> None:
    running = seen(LIFE[:6])
    assert running.trial is not None
    assert running.trial["data"]["decision"] == "d2"
    for verdict in ("kept", "rolled_back", "aborted"):
        assert seen([*LIFE[:6], record(decision(verdict, "d3"), 9)]).trial is None
    assert seen([*LIFE[:6], record(decision("kept", "d3", proposal="another"), 9)]).trial is not None


def test_a_recommendation_waits_until_it_is_answered_expires_or_its_ground_moves() -> None:
    recommended = LIFE[:2]
    assert len(seen(recommended).waiting(T0)) == 1
    assert seen(recommended).waiting(T0 + 2 * 24 * 60 * MINUTE_US) == []
    assert seen([*recommended, record(CHANGED, 2)]).waiting(T0) == []
    declined = decision("refused", "d2", refused_by="operator_command")
    assert seen([*recommended, record(declined, 2)]).waiting(T0) == []
    assert len(seen([*recommended, record(decision("refused", "d2", refused_by="mode"), 2)]).waiting(T0)) == 1
    assert seen([*recommended, record(change(1, 4, 6, kind="override", trial=None), 2)]).waiting(T0) == []


def test_findings_are_active_until_they_are_cleared_whoever_they_name_by_then() -> None:
    found = [record(antipattern(), 1), record(escalation(), 1)]
    assert (len(seen(found).antipatterns), len(seen(found).escalations)) == (1, 1)
    over = [record(antipattern(over=True, agents=("ada",)), 5), record(escalation(over=True), 5)]
    assert (seen([*found, *over]).antipatterns, seen([*found, *over]).escalations) == ({}, {})


def test_projects_are_kept_apart_and_what_is_no_output_is_left_alone() -> None:
    view = View()
    view.add(record(change(1, 4, 5), project="a"))
    view.add(record(change(3, 4, 5), project="b"))
    view.add({"type": "dead.letter", "data": {"reason": "not_json"}})
    view.add({"type": "something.new", "project": "a", "data": {}})
    assert {name: project.version for name, project in view.projects.items()} == {"a": 1, "b": 3}


def test_the_story_goes_from_the_finding_to_the_verdict() -> None:
    story = seen(LIFE).story("change-1")
    assert story is not None
    assert [one["id"] for one in story.triggers] == [FINDING["id"]]
    assert story.forgotten == ["forgotten"]
    assert [one["data"]["verdict"] for one in story.decisions] == ["recommended", "changed", "rolled_back"]
    assert [one["data"]["version"] for one in story.versions] == [1, 2]
    assert story.verdict is not None
    assert story.verdict["data"]["verdict"] == "rolled_back"
    assert "none of its values is in force" in story.fate
    said = [text for _, text in story.lines()]
    assert [text.split(":")[0] for text in said[:-1]] == [
        "Ping pong",
        "Recommended",
        "Changed",
        "Rolled back",
    ]
    assert said[2].endswith(" It is version 1.")


@pytest.mark.parametrize("reference", ["change-1", "1", 1, "v1", "p1", "d2", "d1"])
def test_a_story_is_found_by_change_version_proposal_or_decision(reference: str | int) -> None:
    story = seen(LIFE).story(reference)
    assert story is not None
    assert story.change is not None
    assert story.change["data"]["change"] == "change-1"


def test_a_wish_that_was_refused_has_a_story_without_a_change() -> None:
    view = View()
    view.add(record(decision("refused", "d9", proposal="p9", refused_by="bounds")))
    story = view.explain("checkout", "p9")
    assert story is not None
    assert (story.change, story.fate, len(story.decisions)) == (None, "Nothing was put in force.", 1)
    assert view.explain("checkout", "nosuch") is None
    assert view.explain("nosuch", "p9") is None


def test_the_fate_of_a_change_names_what_is_left_of_it() -> None:
    assert "Version 1 is in force." in seen([record(change(1, 4, 5))]).story(1).fate  # type: ignore[union-attr]
    later = change(2, 3, 2, kind="override", trial=None).model_copy(update={"config": {WIP: 5}})
    left = seen([record(change(1, 4, 5)), record(later, 3)]).story(1)
    assert left is not None
    assert f"still in force: {WIP}" in left.fate


def test_history_is_in_the_order_of_ticks_with_causes_before_effects() -> None:
    view = View()
    for one in reversed(LIFE):
        view.add(one)
    kinds = [one["type"] for one in view.history("checkout")]
    assert kinds == [
        "antipattern.detected",
        "decision",
        "config.change",
        "decision",
        "config.change",
        "decision",
        "antipattern.cleared",
    ]
    assert view.history("nosuch") == []


@given(st.permutations([TOPICS[one["type"]] for one in LIFE]), st.integers(0, len(LIFE) - 1))
def test_topics_may_be_read_in_any_order_and_records_twice(turns: list[str], again: int) -> None:
    topics = {topic: iter([one for one in LIFE if TOPICS[one["type"]] == topic]) for topic in turns}
    mixed = [next(topics[topic]) for topic in turns]
    told, expected = seen([*mixed, mixed[again]]), seen(LIFE)
    assert (told.change, told.trial, told.snapshot) == (expected.change, expected.trial, expected.snapshot)
    assert told.decisions == expected.decisions
    assert told.story(1) == expected.story(1)
    assert told.time_us == T0 + 40 * MINUTE_US


def test_every_kind_of_output_has_a_sentence() -> None:
    for kind, example in examples().items():
        if kind in TOPICS:
            said = sentence(example)
            assert said.endswith(".")
            assert said != kind
    told = {"config.applied", "config.rejected", "control.freeze"}
    assert all(sentence({"type": kind, "data": {}}) == kind for kind in set(TOPIC_OF) - told)


def test_a_sentence_ends_with_a_full_stop_and_its_times_with_seconds() -> None:
    data = {"verdict": "changed", "explanation": "on trial until 2026-11-22T18:30:00.123456Z", "version": 3}
    said = sentence({"type": "decision", "data": data})
    assert said == "Changed: on trial until 2026-11-22T18:30:00Z. It is version 3."
    assert full_sentence("It rests.") == "It rests."


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (11634.0, "11,630"),
        (0.02134, "0.02134"),
        (0.0, "0"),
        (5.0, "5"),
        (1e-7, "0.0000001"),
        (-1234.5, "-1,234"),
        (7, "7"),
    ],
)
def test_numbers_are_written_without_exponents(value: float, said: str) -> None:
    assert value_text(value) == said


def test_nothing_short_of_certain_is_called_so() -> None:
    assert [sure_text(p) for p in (0.5, 0.942, 0.9987)] == ["50%", "94%", "over 99%"]


def test_a_probability_that_is_short_by_little_is_told_with_as_many_digits_as_it_takes():
    assert short_text(0.34, 0.9) == "34% only, 90% are needed"
    assert short_text(0.99, 1.0) == "99% only, 100% are needed"
    assert short_text(0.59, 0.9969) == "59.0% only, 99.7% are needed"
    assert short_text(0.8963, 0.9) == "89.6% only, 90.0% are needed"
    assert short_text(0.8999, 0.9) == "89.99% only, 90.00% are needed"


def test_a_change_is_told_once_by_its_decision() -> None:
    unexplained = record(change(3, 4, 6), 50)
    assert told_once([*LIFE[:2], *LIFE[3:5], unexplained]) == [*LIFE[:2], LIFE[4], unexplained]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meta_orchestrator.view.fold.KEPT_RECORDS", 5)
    monkeypatch.setattr("meta_orchestrator.view.fold.KEPT_SNAPSHOTS", 5)
    records = [
        made
        for minute in range(20)
        for made in (
            record(drift(), minute),
            record(snapshot(), minute),
            record(decision("refused", f"d{minute}", refused_by="mode"), minute),
            record(change(minute + 1, 4, 5), minute),
        )
    ]
    project = seen(records)
    tables = (project.insights, project.snapshots, project.decisions, project.changes)
    assert [len(table) for table in tables] == [5, 5, 5, 5]
    assert project.version == 20
    assert len(project.drifts) == 5
