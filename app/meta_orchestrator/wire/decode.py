"""Bytes → checked events (CONTRACT §1, §3): what cannot be read or breaks a field is a `BadRecord` that says where.

The usual events are taken by `quick.py`. All others cost one call into pydantic, and what fails there is looked at
again, to find out what to say.
"""

from collections.abc import Callable, Iterable
from typing import Any, NotRequired

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from meta_orchestrator.errors import BadRecord, Reason
from meta_orchestrator.messages.envelope import Envelope, ProjectEnvelope
from meta_orchestrator.messages.event import UNKNOWN, Event
from meta_orchestrator.messages.fields import DAY_US, MINUTE_US, SECOND, Name, is_time, parse_time_us
from meta_orchestrator.messages.inputs import TOPIC_OF, Input

MAX_VALUE_BYTES = 262_144
FREE_TEXT_CHARACTERS = 500
"""Free text of others (`reason`, `detail`, `comment`) is cut here."""
OVERRIDE_MAX_US = 7 * DAY_US
TIME_AHEAD_US = MINUTE_US

_FIRST_US, _LAST_US = parse_time_us("0001-01-01T00:00:00Z"), parse_time_us("9999-12-31T23:59:59.999999Z")
_CE = "ce_"
_SHOWN = 100
"""Characters of a wrong time that its dead letter repeats."""

SECONDS_KNOWN = 10_000
SECONDS_US: dict[str, int] = {}
"""Second ("2026-01-05T08:00:00.") → microseconds since the epoch, of times in UTC that were met."""
MILLISECONDS_US = {f"{n:03}": 1000 * n for n in range(1000)}
MICROSECONDS = {f"{n:03}{zone}": n for n in range(1000) for zone in ("Z", "+00:00")} | {"Z": 0, "+00:00": 0}


class _AnyTick(Envelope):
    type: Name
    data: NotRequired[Any]


class _AnyEvent(ProjectEnvelope):
    """An envelope whose `type` is not ours, or whose `data` is wrong."""

    type: Name
    data: NotRequired[Any]


check = TypeAdapter[Any](Input, config=ConfigDict(cache_strings="keys")).validator.validate_json
"""The envelope with its `data`, all checked but `time`. Raises pydantic's ValidationError."""
_check_event = TypeAdapter(_AnyEvent).validator.validate_python
_check_tick = TypeAdapter(_AnyTick).validator.validate_python
_ATTRIBUTES = tuple(name for name in _AnyEvent.__annotations__ if name != "data")


def parse(value: bytes) -> dict[str, Any]:
    """Structured mode: the envelope with its `data`, checked but for its `time`, which `event_of` reads.

    An unknown type becomes `unknown` with empty data.
    """
    if len(value) > MAX_VALUE_BYTES:
        raise _too_large(value)
    return _parse(value)


def parse_binary(value: bytes, headers: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Binary mode: `value` is `data`, the attributes are the headers `ce_*`."""
    if len(value) > MAX_VALUE_BYTES:
        raise _too_large(value)
    _load(value)  # by itself, or a crafted value could close `data` and add attributes
    members = [orjson.dumps(name) + b":" + orjson.dumps(text) for name, text in _attributes(headers).items()]
    return _parse(b"{" + b",".join([*members, b'"data":' + value]) + b"}")


def is_binary(headers: Iterable[tuple[str, bytes]]) -> bool:
    for name, _ in headers:  # noqa: SIM110 - on every record, and a generator would take twice the time
        if name == "ce_specversion":
            return True
    return False


def event_of(envelope: dict[str, Any], value: bytes, position: int) -> Event:
    """What the core keeps of an envelope. `value` are the bytes as read, `position` their offset or line."""
    return (
        event_time_us(envelope["time"]),
        envelope["source"],
        envelope["id"],
        envelope["type"],
        envelope["data"],
        value,
        position,
        envelope.get("configversion"),
    )


def event_time_us(text: str) -> int:
    """Microseconds since the epoch of an envelope's `time`.

    Nearly all are "2026-01-05T08:00:00.123456Z" in a second that was met before: three tables know them.
    """
    try:
        return SECONDS_US[text[:20]] + MILLISECONDS_US[text[20:23]] + MICROSECONDS[text[23:]]
    except KeyError:
        return _learn_second(text)


def _learn_second(text: str) -> int:
    happened_us = time_us(text, "time")
    if text[19:20] == "." and text[23:] in MICROSECONDS:
        if len(SECONDS_US) >= SECONDS_KNOWN:
            SECONDS_US.clear()
        SECONDS_US[text[:20]] = happened_us - happened_us % SECOND
    return happened_us


def time_us(text: str, field: str, reason: Reason = "not_cloudevent") -> int:
    """Microseconds since the epoch; what is no RFC 3339 time or on no calendar (February 30th) is its field's fault."""
    try:
        if not is_time(text):
            raise ValueError(text)
        moment = parse_time_us(text)
    except ValueError as error:
        raise BadRecord(reason, f"no such time: {text[:_SHOWN]}", field) from error
    if not _FIRST_US <= moment <= _LAST_US:
        raise BadRecord(reason, f"outside of the years 1 to 9999 in UTC: {text}", field)
    return moment


def check_not_ahead(event_us: int, recorded_us: int) -> None:
    if event_us - recorded_us > TIME_AHEAD_US:
        ahead = (event_us - recorded_us) // SECOND
        raise BadRecord("time_ahead", f"{ahead} s ahead of the append time, at most {TIME_AHEAD_US // SECOND}", "time")


def _parse(value: bytes) -> dict[str, Any]:
    try:
        envelope: dict[str, Any] = check(value)
    except ValidationError as error:
        return _look_again(value, error)
    kind = envelope["type"]
    if kind in _CHECKS:
        _CHECKS[kind](envelope)
    if kind in FREE_TEXT:
        cut_free_text(FREE_TEXT[kind], envelope["data"])
    return envelope


def _attributes(headers: Iterable[tuple[str, bytes]]) -> dict[str, str | int]:
    """The attributes that we know, from their headers. Header values are strings, of numbers too."""
    texts = {name[len(_CE) :]: raw for name, raw in headers if name.startswith(_CE)}
    attributes: dict[str, str | int] = {name: _text(name, texts[name]) for name in _ATTRIBUTES if name in texts}
    if "configversion" in attributes:
        attributes["configversion"] = _whole("configversion", str(attributes["configversion"]))
    return attributes


# ---- what a TypedDict cannot say ----


def _freeze(envelope: dict[str, Any]) -> None:
    time_us(envelope["data"]["until"], "data.until", "invalid")


def _override(envelope: dict[str, Any]) -> None:
    until_us = time_us(envelope["data"]["until"], "data.until", "invalid")
    if until_us - time_us(envelope["time"], "time") > OVERRIDE_MAX_US:
        raise BadRecord("invalid", "an override lasts at most 7 days from its time", "data.until")


def _rollback(envelope: dict[str, Any]) -> None:
    data = envelope["data"]
    if (data.get("to_version") is None) == (data.get("change") is None):
        raise BadRecord("invalid", "exactly one of to_version and change", "data")


_CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "control.freeze": _freeze,
    "control.override": _override,
    "control.rollback": _rollback,
}
FREE_TEXT = {
    "agent.task.blocked": "reason",
    "agent.handoff.failed": "detail",
    "agent.rework.requested": "reason",
    "agent.feedback": "comment",
    "config.rejected": "reason",
    "control.freeze": "reason",
    "control.override": "reason",
    "control.rollback": "reason",
    "control.approve": "reason",
    "control.decline": "reason",
}
"""Type → the field of its `data` that is somebody's words."""


def cut_free_text(field: str, data: dict[str, Any]) -> None:
    text = data.get(field)
    if text is not None and len(text) > FREE_TEXT_CHARACTERS:
        data[field] = text[:FREE_TEXT_CHARACTERS]


# ---- why it failed ----


def _too_large(value: bytes) -> BadRecord:
    return BadRecord("too_large", f"{len(value)} bytes, at most {MAX_VALUE_BYTES}")


def _load(value: bytes) -> Any:
    try:
        return from_json(value, allow_inf_nan=False)
    except ValueError as error:
        raise BadRecord("not_json", str(error)) from error


def _look_again(value: bytes, error: ValidationError) -> dict[str, Any]:
    """The first thing that is wrong, envelope before data; or nothing but a type that we do not know."""
    content = _load(value)
    if not isinstance(content, dict):
        raise BadRecord("not_cloudevent", "not a JSON object")
    envelope = _envelope(content)
    if not isinstance(envelope.get("data"), dict):
        raise BadRecord("invalid", "missing or not a JSON object", "data")
    if envelope["type"] in TOPIC_OF or envelope["type"] == "clock.tick":
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise BadRecord("invalid", first["msg"], _field(first))
    return {**envelope, "type": UNKNOWN, "data": {}}


def _envelope(content: dict[str, Any]) -> dict[str, Any]:
    check = _check_tick if content.get("type") == "clock.tick" else _check_event
    try:
        envelope: dict[str, Any] = check(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise BadRecord("not_cloudevent", first["msg"], str(first["loc"][0])) from error
    time_us(envelope["time"], "time")
    return envelope


def _field(error: ErrorDetails) -> str:
    """`data.x` of (type, "data", "x", ...); places in lists and branches of unions are left to the detail."""
    return ".".join(str(part) for part in error["loc"][1:3])


def _text(name: str, raw: bytes | None) -> str:
    if raw is None:  # Kafka's headers may have no value, whatever its clients' types say
        raise BadRecord("not_cloudevent", "no value", name)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadRecord("not_cloudevent", "not UTF-8", name) from error


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise BadRecord("not_cloudevent", "not a whole number", name)
    return int(text)
