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
