"""Small logs, and what a conversion of them gives."""

import gzip
import io
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import orjson

from meta_orchestrator.convert import Mapping, Summary, convert
from meta_orchestrator.convert.run import Format

Row = tuple[str, str, str | None, str]
"""(case, activity, resource, time)"""

DAY = "2024-03-05T"


def xes(rows: list[Row], extra: str = "") -> bytes:
    """An XES log of some rows, a trace a case; `extra` stands in every event."""
    cases = dict.fromkeys(row[0] for row in rows)
    traces = "".join(
        f'<trace><string key="concept:name" value={quoteattr(case)}/>'
        + "".join(_event(row, extra) for row in rows if row[0] == case)
        + "</trace>"
        for case in cases
    )
    return f'<?xml version="1.0"?><log xmlns="http://www.xes-standard.org/">{traces}</log>'.encode()


def _event(row: Row, extra: str) -> str:
    _, activity, resource, time = row
    who = "" if resource is None else f'<string key="org:resource" value={quoteattr(resource)}/>'
    when = f'<date key="time:timestamp" value="{time}"/>'
    return f'<event><string key="concept:name" value={quoteattr(activity)}/>{who}{when}{extra}</event>'


def run(
    folder: Path,
    content: bytes,
    form: Format = "xes",
    mapping: Mapping | None = None,
    by_group: bool = False,
    packed: bool = False,
) -> tuple[list[dict[str, Any]], Summary]:
    """(events, summary) of a log."""
    path = folder / f"log.{form}"
    path.write_bytes(gzip.compress(content) if packed else content)
    out = io.BytesIO()
    summary = convert(form, path, out, mapping, "log", by_group)
    return [orjson.loads(line) for line in out.getvalue().splitlines()], summary


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The data of all events of a type."""
    return [event["data"] for event in events if event["type"] == kind]


def at(clock: str) -> str:
    return f"{DAY}{clock}:00Z"
