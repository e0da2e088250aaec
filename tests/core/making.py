"""Events for tests: seconds after a round hour in, journal lines or events out."""

from typing import Any

import orjson

from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.wire.journal import read_line

START_S = 1_800_000_000
"""A round tick, minute and hour: 2027-01-15T08:00:00Z."""


def line(at_s: float, kind: str, /, project: str = "p", id: str | None = None, source: str = "s", **data: Any) -> bytes:
    """A journal line `at_s` seconds after START_S; its id follows from its content."""
    event = {
        "specversion": "1.0",
        "id": id or f"{kind}-{at_s}-{sorted(data.items())}",
        "source": source,
        "type": kind,
        "time": format_time_us(round((START_S + at_s) * SECOND)),
        "project": project,
        "data": data,
    }
    return orjson.dumps(event)


def clock(at_s: float) -> bytes:
    """A `clock.tick` line: sets the watermark."""
    return line(at_s, "clock.tick")


def event(at_s: float, kind: str, /, **data: Any) -> Event:
    return read_line(line(at_s, kind, **data), 1)[1]


def at_us(at_s: float) -> int:
    return round((START_S + at_s) * SECOND)
