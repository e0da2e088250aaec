"""The tables of `status` and `history`, as a person reads them."""

import io

from rich.console import Console

from meta_orchestrator.cli.tables import history_table, status_tables
from meta_orchestrator.view import View
from tests.view.making import T0, change, decision, record, snapshot, trial


def shown(*tables) -> str:
    page = io.StringIO()
    Console(file=page, width=300).print(*tables)
    return page.getvalue()


def seen(*records) -> View:
    view = View()
    for one in records:
        view.add(one)
    return view


def test_shares_are_shown_in_percent():
    view = seen(record(snapshot(failures=0.125)))
    lines = shown(*status_tables(view.projects["checkout"], T0)).splitlines()
    assert any("handoff_failure_rate" in line and "12.5 %" in line for line in lines)


def test_a_change_and_its_decision_are_one_line_of_the_history():
    decided = decision("changed", "d1", change="change-1", version=1, trial=trial())
    view = seen(record(change(1, 4, 5), 3), record(decided, 3))
    told = shown(history_table("checkout", view.history("checkout")))
    assert told.count("change-1") == 1
    assert "It was changed. It is version 1." in told


def test_status_tells_who_holds_what_until_when_and_what_nobody_acknowledged():
    view = seen(record(change(1, 4, 5)), record(snapshot("frozen", 1)))
    until, owner, reason = "2033-01-01T00:00:00Z", "eve@desk", "release day"
    order = {"type": "control.freeze", "source": "desk", "id": "f1", "time": "2023-11-14T22:00:00Z"}
    view.hear(order | {"project": "checkout", "data": {"until": until, "owner": owner, "reason": reason}})
    view.projects["checkout"].voice.since_us = 0
    told = shown(*status_tables(view.projects["checkout"], T0))
    assert "version 1, published, not yet acknowledged by the orchestrator (since 2023-11-14T22:14:00Z)" in told
    (held,) = [line for line in told.splitlines() if owner in line]
    assert [cell.strip() for cell in held.strip("│").split("│")] == [until, owner, "all changes are frozen", reason]
