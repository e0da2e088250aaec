"""JSONL journals: one structured CloudEvent a line, with `recordedtime` where it was in a broker (CONTRACT §1, §6)."""

from meta_orchestrator.messages.event import Event
from meta_orchestrator.wire.decode import check_not_ahead, event_of, parse, time_us


def read_line(line: bytes, number: int) -> tuple[str | None, Event, int | None]:
    """(project, event, recorded_us) of a line; `number` from 1; project None is a `clock.tick`; raises BadRecord."""
    value = line.rstrip(b"\r\n")
    envelope = parse(value)
    event = event_of(envelope, value, number)
    recorded = envelope.get("recordedtime")
    if recorded is None:
        return envelope.get("project"), event, None
    recorded_us = time_us(recorded, "recordedtime")
    check_not_ahead(event[0], recorded_us)
    return envelope.get("project"), event, recorded_us
