"""JSONL journals: one structured CloudEvent a line, with `recordedtime` where it was in a broker (CONTRACT §1, §6)."""

from meta_orchestrator.messages.event import Event
from meta_orchestrator.wire.decode import check_not_ahead, event_of, parse, time_us
from meta_orchestrator.wire.quick import usual_event


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
