"""The views as tables: pure, a view in, rich's tables out."""

from typing import Any

from rich.table import Table
from rich.text import Text

from meta_orchestrator.cli.diagnosis import SILENCE_US
from meta_orchestrator.messages.fields import MINUTE_US, format_time_us
from meta_orchestrator.view import ProjectView, Record, Story, full_sentence, sentence, time_text, told_once, value_text

SHARE = "of 1"
"""The unit of what is shown in percent."""
METRICS = {
    "consensus_latency_p95_ms": "ms",
    "consensus_success_rate": SHARE,
    "dissent_rate": SHARE,
    "handoff_failure_rate": SHARE,
    "development_velocity": "points/h",
    "quality_regression_rate": SHARE,
    "coordination_failures": "",
    "rework_percentage": "%",
    "manual_interventions": "",
    "late_events": "",
}
"""Metric of a snapshot → its unit."""


def _row(table: Table, *cells: object) -> None:
    table.add_row(*(_plain(cell) for cell in cells))


def _plain(cell: object) -> Text:
    """Text of others is no markup."""
    return Text(printable(str(cell)))


def printable(text: str) -> str:
    """Text of others has no control codes for this terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def status_tables(project: ProjectView, now_us: int) -> list[Table]:
    tables = [_head(project), _config(project), _held(project, now_us), _metrics(project), _findings(project)]
    tables.append(_waiting(project, now_us))
    return [table for table in tables if table.row_count]


def silence(project: ProjectView, now_us: int) -> str | None:
    """A doubt where nothing was written of a project for long; from the outputs alone nobody can tell why."""
    if project.time_us is None or now_us - project.time_us <= SILENCE_US:
        return None
    minutes = (now_us - project.time_us) // MINUTE_US
    since = f"nothing was written for {minutes} min, since {format_time_us(project.time_us)}"
    return f"{project.name}: {since}: no events, or no worker? meta-orchestrator doctor tells"


def status_value(project: ProjectView, now_us: int) -> dict[str, Any]:
    """The same for programs."""
    freeze = project.orders.freeze(now_us)
    return {
        "project": project.name,
        "time": None if project.time_us is None else format_time_us(project.time_us),
        "version": project.version,
        "standing": project.standing,
        "phase": project.phase,
        "freeze": freeze and freeze["data"],
        "pins": [order["data"] for order in project.pins(now_us).values()],
        "config": project.config,
        "trial": project.trial and project.trial["data"],
        "proposals": [record["data"] for record in project.waiting(now_us)],
        "antipatterns": [record["data"] for record in project.antipatterns.values()],
        "escalations": [record["data"] for record in project.escalations.values()],
        "metrics": project.snapshot and project.snapshot["data"],
    }


def story_table(name: str, story: Story) -> Table:
    table = Table("time", "what happened", title=_plain(f"{name}: {_title(story)}"), title_justify="left")
    for when, said in story.lines():
        _row(table, when, said)
    return table


def history_table(name: str, records: list[Record]) -> Table:
    table = Table("time", "what", "what happened", "id", title=_plain(name), title_justify="left")
    for record in told_once(records):
        _row(table, time_text(record["time"]), record["type"], sentence(record), reference(record))
    return table


def reference(record: Record) -> str:
    """What `explain`, `approve` and `rollback` take."""
    data = record["data"]
    if record["type"] == "decision":
        return str(data.get("change") or data["proposal"]["id"])
    return str(data.get("change", ""))


def _title(story: Story) -> str:
    if story.change is None:
        return "a proposal"
    return f"change {story.change['data']['change']}, version {story.change['data']['version']}"


def _head(project: ProjectView) -> Table:
    table = Table("version", "phase", "last tick", "on trial", title=_plain(project.name), title_justify="left")
    seen = "-" if project.time_us is None else time_text(format_time_us(project.time_us))
    version = f"version {project.version}, {project.standing}" if project.version else "the baseline (version 0)"
    trial = full_sentence(project.trial["data"]["explanation"]) if project.trial else "nothing"
    _row(table, version, project.phase or "-", seen, trial)
    return table


def _config(project: ProjectView) -> Table:
    table = Table("parameter", "value")
    for parameter, value in sorted(project.config.items()):
        _row(table, parameter, value_text(value))
    return table


def _held(project: ProjectView, now_us: int) -> Table:
    """What nobody but its owner changes before its end."""
    table = Table("until", "by", "what operators hold", "why")
    if freeze := project.orders.freeze(now_us):
        what = "all changes are frozen" if project.phase == "frozen" else "a freeze, from the next tick on"
        _order_row(table, freeze["data"], what)
    for name, order in project.pins(now_us).items():
        _order_row(table, order["data"], f"{name} = {value_text(order['data']['value'])}")
    return table


def _order_row(table: Table, order: dict[str, Any], what: str) -> None:
    _row(table, time_text(order["until"]), order["owner"], what, order["reason"])


def _metrics(project: ProjectView) -> Table:
    """A null is a dash: too few values to say."""
    table = Table("metric", f"window until {time_text(project.snapshot['time'])}" if project.snapshot else "")
    data = project.snapshot["data"] if project.snapshot else {}
    for metric, unit in METRICS.items() if data else ():
        _row(table, metric, _measured(data[metric], unit))
    for kind, busy in sorted(data.get("agent_utilization", {}).items()):
        _row(table, f"agent_utilization {kind}", _measured(busy, SHARE))
    return table


def _measured(value: float | None, unit: str) -> str:
    """With its unit; a share in percent."""
    if value is None:
        return "-"
    return f"{value_text(100.0 * value)} %" if unit == SHARE else f"{value_text(value)} {unit}".rstrip()


def _findings(project: ProjectView) -> Table:
    table = Table("since", "what is wrong")
    for record in [*project.escalations.values(), *project.antipatterns.values()]:
        _row(table, time_text(record["data"]["since"]), sentence(record))
    return table


def _waiting(project: ProjectView, now_us: int) -> Table:
    table = Table("proposal", "waits for approve or decline until", "what it would do")
    for record in project.waiting(now_us):
        data = record["data"]
        _row(table, data["proposal"]["id"], time_text(data["expires_at"]), full_sentence(data["explanation"]))
    return table
