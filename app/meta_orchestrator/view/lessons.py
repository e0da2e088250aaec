"""What trials have taught, as Markdown that a team can keep and share: from the decisions that ended them."""

from collections.abc import Iterable
from typing import Any

from meta_orchestrator.messages.fields import format_time_us, parse_time_us
from meta_orchestrator.messages.wording import number_text, plural, sure_text
from meta_orchestrator.view.project import Record
from meta_orchestrator.view.sentences import time_text, value_text
from meta_orchestrator.view.story import ENDED

HEAD = "| when | change | verdict | what happened | expected | sure it helped |\n|---|---|---|---|---|---|"


def lessons(project: str, decisions: Iterable[Record]) -> str:
    """One section a project, one part a parameter: what was tried, what came of it, and under which conditions."""
    ended = [record for record in decisions if record["data"]["verdict"] in ENDED]
    parts = [f"# What {_plain(project)} has learnt about its settings"]
    if not ended:
        parts.append("No trial has ended yet.")
    by_parameter: dict[str, list[Record]] = {}
    for record in ended:
        by_parameter.setdefault(str(record["data"]["proposal"]["parameter"]), []).append(record)
    parts += [_part(parameter, records) for parameter, records in sorted(by_parameter.items())]
    return "\n\n".join(parts) + "\n"


def _part(parameter: str, records: list[Record]) -> str:
    kept = sum(record["data"]["verdict"] == "kept" for record in records)
    taken_back = sum(record["data"]["verdict"] == "rolled_back" for record in records)
    aborted = len(records) - kept - taken_back
    counted = f"Tried {plural(len(records), 'time')}: {kept} kept, {taken_back} taken back" + (
        f", {aborted} ended before they could be judged." if aborted else "."
    )
    rows = "\n".join(_row(record) for record in records)
    notes = "\n".join(_note(record) for record in records)
    return f"## {_plain(parameter)}\n\n{counted}\n\n{HEAD}\n{rows}\n\n{notes}"


def _row(record: Record) -> str:
    data = record["data"]
    move = f"{value_text(data['proposal']['from'])} → {value_text(data['proposal']['to'])}"
    measured = ", ".join(
        f"{name} {value_text(it['before'])} → {value_text(it['after'])}"
        for name, it in (data.get("measured") or {}).items()
    )
    expected = ", ".join(f"{name} {change:+.0%}" for name, change in (data.get("expected") or {}).items())
    sure = "-" if data.get("p_better") is None else sure_text(data["p_better"])
    verdict = str(data["verdict"]).replace("_", " ")
    cells = (_when(record), move, verdict, measured or "-", expected or "-", sure)
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _note(record: Record) -> str:
    """The sentence, and the load that it was learnt under."""
    context: dict[str, Any] = record["data"].get("context") or {}
    tasks = context.get("tasks_finished_per_hour_during")
    load = f" ({number_text(tasks)} tasks an hour)" if tasks is not None else ""
    return f"- {_when(record)}: {_plain(time_text(str(record['data']['explanation'])))}{load}"


def _when(record: Record) -> str:
    return time_text(format_time_us(parse_time_us(record["time"])))


def _plain(words: str) -> str:
    """Text of others is text: neither markup nor a further cell."""
    return "".join(f"\\{letter}" if letter in "\\|`*_<>[]#" else letter for letter in " ".join(words.split()))
