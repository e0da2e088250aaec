"""What the inputs add to the outputs: what the orchestrator applied, what operators hold."""

from typing import Any

import pytest

from meta_orchestrator.messages.cloudevent import digest
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.view import ProjectView, View, sentence
from tests.view.making import MINUTE_US, T0, WIP, change, decision, record, snapshot

OVERRIDDEN = record(change(1, 4, 2, kind="override", trial=None), 1)


def heard(kind: str, minute: float, named: int | None = None, name: str = "i1", **data: Any) -> dict[str, Any]:
    time = format_time_us(T0 + round(minute * MINUTE_US))
    source = "desk" if kind.startswith("control") else "orchestrator"
    said = {"type": kind, "source": source, "id": name, "time": time, "project": "checkout"}
    return said | {"configversion": named, "data": data}


REGISTERED = heard("orchestrator.registered", 0, orchestrator="o", supports={WIP: 4})
APPLIED = heard("config.applied", 1.5, change="change-1", version=1)
REJECTED = heard("config.rejected", 1.5, change="change-1", version=1, reason="too low")


def seen(outputs: list[dict[str, Any]], inputs: list[dict[str, Any]], since_us: int | None = 0) -> ProjectView:
    view = View()
    for one in outputs:
        view.add(one)
    for one in inputs:
        view.hear(one)
    view.projects["checkout"].voice.since_us = since_us
    return view.projects["checkout"]


def in_minutes(minutes: float) -> str:
    return format_time_us(T0 + round(minutes * MINUTE_US))


SILENT = f"published, not yet acknowledged by the orchestrator (since {OVERRIDDEN['time']})"


@pytest.mark.parametrize(
    ("inputs", "standing"),
    [
        ([], SILENT),
        ([APPLIED], "in force"),
        ([REJECTED], "rejected by the orchestrator: too low"),
        ([heard("agent.heartbeat", 2, named=1)], "in force"),
        ([heard("agent.heartbeat", 2, named=0)], SILENT),
        ([heard("agent.heartbeat", 0.5, named=1)], SILENT),  # of a life before: it named a version 1 that was another
        ([heard("agent.heartbeat", 2, named=1) | {"source": "somebody"}], SILENT),
    ],
)
def test_a_version_is_in_force_when_the_orchestrator_said_so_or_named_it(inputs: list[dict[str, Any]], standing: str):
    project = seen([OVERRIDDEN], [REGISTERED, *inputs])
    assert project.standing == standing
    story = project.story(1)
    assert story is not None
    assert story.fate == f"Version 1 is {standing}."


@pytest.mark.parametrize("since_us", [None, T0 + 2 * MINUTE_US])
def test_silence_is_not_claimed_where_an_answer_may_have_been_forgotten(since_us: int | None):
    assert seen([OVERRIDDEN], [REGISTERED], since_us).standing == "in force"


def test_an_earlier_change_is_not_called_undone_by_a_version_that_nobody_acknowledged():
    undone = record(change(2, 2, 4, kind="rollback", trial=None), 3)
    story = seen([OVERRIDDEN, undone], [REGISTERED, APPLIED]).story(1)
    assert story is not None
    assert story.fate == (
        f"Version 2 is published, not yet acknowledged by the orchestrator (since {undone['time']}); "
        "it keeps of this one: nothing."
    )
    assert [said for _, said in story.lines()][1] == "The orchestrator put version 1 in force."


def freeze(until: float, minute: float = 1, name: str = "f1") -> dict[str, Any]:
    return heard("control.freeze", minute, name=name, until=in_minutes(until), owner="eve", reason="release")


def test_the_last_word_on_a_freeze_holds_until_its_end_and_a_repeated_one_does_not_count():
    project = seen([record(snapshot("frozen"))], [freeze(60)])
    assert project.orders.freeze(T0 + 59 * MINUTE_US)
    assert project.orders.freeze(T0 + 60 * MINUTE_US) is None
    ended = seen([record(snapshot())], [freeze(60), freeze(2, minute=2, name="f2"), freeze(60)])
    assert ended.orders.freeze(T0 + 3 * MINUTE_US) is None


def test_the_history_tells_who_froze_it_until_when_and_who_ended_that():
    view = View()
    view.add(record(snapshot("frozen")))
    for one in (freeze(60), freeze(2, minute=2, name="f2")):
        view.hear(one)
    assert [sentence(one) for one in view.history("checkout")] == [
        f'eve freezes all changes until {in_minutes(60)}: "release".',
        'eve ends the freeze: "release".',
    ]


OVERRIDE = heard(
    "control.override", 0.5, name="o1", parameter=WIP, value=2, until=in_minutes(60), owner="eve", reason="ill"
)
ANSWERED = record(decision("changed", "d1", digest("override", "desk", "o1"), to=2, change="change-1", version=1), 1)


def test_an_override_that_went_out_pins_until_it_ends_or_is_undone():
    project = seen([OVERRIDDEN, ANSWERED], [OVERRIDE])
    assert project.pins(T0 + 59 * MINUTE_US) == {WIP: OVERRIDE}
    assert project.pins(T0 + 60 * MINUTE_US) == {}
    for kind in ("rollback", "expiry"):
        undone = record(change(2, 2, 4, kind=kind, trial=None), 5)
        assert seen([OVERRIDDEN, ANSWERED, undone], [OVERRIDE]).pins(T0 + 6 * MINUTE_US) == {}


def test_an_override_that_was_refused_or_has_no_answer_pins_nothing():
    refused = record(decision("refused", "d1", digest("override", "desk", "o1"), refused_by="bounds"), 1)
    assert seen([refused], [OVERRIDE]).pins(T0 + MINUTE_US) == {}
    assert seen([record(snapshot())], [OVERRIDE]).pins(T0 + MINUTE_US) == {}


def test_a_freeze_holds_up_the_end_of_a_pin():
    project = seen([OVERRIDDEN, ANSWERED, record(snapshot("frozen", 1), 61)], [OVERRIDE, freeze(120)])
    assert project.pins(T0 + 61 * MINUTE_US) == {WIP: OVERRIDE}
