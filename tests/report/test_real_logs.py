"""A person with an ordinary log gets an answer: public event logs, which do not belong to the repository."""

import io
from pathlib import Path

import pytest

from meta_orchestrator.convert import Summary, convert
from meta_orchestrator.convert.run import Format
from meta_orchestrator.drivers.report import Report
from meta_orchestrator.wire.journal import read_line
from tests.convert.test_real_logs import LOGS, PUBLISHED, pytestmark

__all__ = ["pytestmark"]


def _reported(name: str, form: Format) -> tuple[Report, Summary]:
    out = io.BytesIO()
    summary = convert(form, LOGS / Path(name), out)
    report = Report()
    for number, line in enumerate(out.getvalue().splitlines(), 1):
        project, event, _ = read_line(line, number)
        if project is not None:
            report.observe(project, event)
    return report, summary


@pytest.mark.parametrize(("name", "form", "events", "cases"), PUBLISHED)
def test_the_report_counts_what_the_conversion_counted(name: str, form: Format, events: int, cases: int) -> None:
    report, summary = _reported(name, form)
    said = report.text(200)
    (flow,) = report.flows.values()
    assert (flow.steps, flow.items, flow.tasks) == (events, cases, cases)
    assert (flow.handoffs, flow.returns, flow.reworks) == (
        summary.tally.handoffs,
        summary.tally.returns,
        summary.tally.reworks,
    )
    assert f"{events:,} steps of {cases:,} items by {len(summary.tally.agents):,} agents" in said
    assert f"{flow.returns:,} of {flow.handoffs:,} handoffs" in said


def test_the_known_trouble_of_a_known_log_is_named() -> None:
    """Volvo's closed problems: tickets are thrown to and fro around one person, and lie for months before another."""
    said = _reported("06_bpic2013_closed.xes.gz", "xes")[0].text(200)
    assert "Carolyn has a part in 54 % of them." in said
    assert "Ewa: 60 % of all waiting for a handoff, with 9.2 % of the handoffs" in said
    assert "values in windows of 7 d" in said
