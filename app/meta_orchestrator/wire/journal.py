"""JSONL journals: one structured CloudEvent a line, with `recordedtime` where it was in a broker (CONTRACT §1, §6)."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from meta_orchestrator.messages.event import Event
from meta_orchestrator.wire.decode import MAX_VALUE_BYTES, check_not_ahead, event_of, parse, time_us
from meta_orchestrator.wire.quick import usual_event

LONGEST = MAX_VALUE_BYTES + 3
"""A value with its end of line, and one byte more to know that it is too long."""


def lines_of(source: BinaryIO) -> Iterator[bytes]:
    """The lines as they come, less a byte order mark. One that is too long is cut there: what has no ends of lines must
    not fill the memory.
    """
    for number, line in enumerate(iter(partial(source.readline, LONGEST), b"")):
        yield line if number else line.removeprefix(BOM_UTF8)
        if len(line) == LONGEST:
            _skip_rest(source, line)


def _skip_rest(source: BinaryIO, part: bytes) -> None:
    while part and not part.endswith(b"\n"):
        part = source.readline(LONGEST)


def read_line(line: bytes, number: int) -> tuple[str | None, Event, int | None]:
    """(project, event, recorded_us) of a line; `number` from 1; project None is a `clock.tick`; raises BadRecord."""
    value = line.rstrip(b"\r\n")
    found = usual_event(value, number)
    if found is not None:
        one, event = found
        return one.project, event, None if one.recordedtime is None else _recorded_us(one.recordedtime, event)
    envelope = parse(value)
    event = event_of(envelope, value, number)
    recorded = envelope.get("recordedtime")
    return envelope.get("project"), event, None if recorded is None else _recorded_us(recorded, event)


def _recorded_us(text: str, event: Event) -> int:
    recorded_us = time_us(text, "recordedtime")
    check_not_ahead(event[0], recorded_us)
    return recorded_us
