"""An event from what its sender says, checked as the worker will check it: so a mistake shows where it is made."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.messages.inputs import COMMANDS, TOPIC_OF
from meta_orchestrator.wire.decode import event_of, parse

HEADERS = [("content-type", b"application/cloudevents+json")]


class InvalidMessage(BadRecord, ValueError):
    """What was to be published breaks the contract. That is the caller's bug, so the caller hears of it at once."""


class Letter(NamedTuple):
    """A checked event, ready to be sent. `topic` is without prefix."""

    topic: str
    key: bytes
    value: bytes


def compose(kind: str, data: Mapping[str, Any], source: str, project: str, attributes: Mapping[str, Any]) -> Letter:
    """The letter that tells `data` of type `kind`; `attributes` are those of the envelope that are not to be as
    usual."""
    if kind not in TOPIC_OF:
        raise InvalidMessage("invalid", f"{kind!r} is not an input message", "type")
    if kind in COMMANDS:
        raise InvalidMessage("invalid", f"{kind} must be signed by an operator: use the command line", "type")
    value = _encode({**_envelope(source, project), **attributes, "type": kind, "data": data})
    try:
        event_of(parse(value), value, 0)
    except BadRecord as error:
        raise InvalidMessage(error.reason, error.detail, error.field) from error
    return Letter(TOPIC_OF[kind], project.encode(), value)


def _envelope(source: str, project: str) -> dict[str, Any]:
    now = format_time_us(time.time_ns() // 1000)
    return {"specversion": "1.0", "id": str(uuid4()), "source": source, "time": now, "project": project}


def _encode(event: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(event)
    except TypeError as error:
        raise InvalidMessage("not_json", str(error), "data") from error
