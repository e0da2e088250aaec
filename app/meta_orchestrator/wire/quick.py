"""The usual events, read by msgspec in half of the time that pydantic takes.

Its types are made from the messages' own, so that there is one definition. What it refuses is read again by pydantic,
whose word counts (`decode.py`); what it takes, pydantic takes as well, with the same values (tests/wire/test_quick.py).
"""

import types
from typing import Annotated, Any, ClassVar, NotRequired, Union, get_args, get_origin, get_type_hints

import msgspec
from pydantic import StringConstraints
from typing_extensions import TypedDict

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import is_time
from meta_orchestrator.messages.inputs import MESSAGES, type_of
from meta_orchestrator.wire.decode import FREE_TEXT, MAX_VALUE_BYTES, cut_free_text, event_time_us

TOPICS = ("agent-events", "consensus-events")
"""Of the others there are few, and each command is looked at closely."""
SHALLOW_BYTES, MOST_OPENED = 400, 100
"""In fields that nobody knows msgspec minds neither UTF-8 nor depth; pydantic refuses what is 200 deep."""
_LIMITS = ("min_length", "max_length", "ge", "le")


class Usual(msgspec.Struct, kw_only=True, gc=False):
    """An envelope with its `data`; one without a field has None."""

    kind: ClassVar[str]
    id: str
    source: str
    time: str
    project: str
    data: dict[str, Any]
    configversion: int | None = None
    recordedtime: str | None = None


def usual_event(value: bytes, position: int) -> tuple[Usual, Event] | None:
    """An event of the usual types with its envelope, all checked; None where the rules' own code has to look."""
    if (len(value) > SHALLOW_BYTES or not value.isascii()) and _is_odd(value):
        return None
    try:
        one = decode(value)
        time_us = event_time_us(one.time)
    except (msgspec.MsgspecError, RecursionError, BadRecord):
        return None
    if one.recordedtime is not None and not is_time(one.recordedtime):
        return None
    kind = one.kind
    if kind in FREE_TEXT:
        cut_free_text(FREE_TEXT[kind], one.data)
    return one, (time_us, one.source, one.id, kind, one.data, value, position, one.configversion)


def _is_odd(value: bytes) -> bool:
    """Too large or too deep, or not UTF-8."""
    opened = value.count(b"[") + value.count(b"{")
    return len(value) > MAX_VALUE_BYTES or opened > MOST_OPENED or not (value.isascii() or _is_utf8(value))


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


# ---- pydantic's types as msgspec has them ----


def _usual_of(message: Any) -> Any:
    """A subclass of Usual for a message."""
    hints = get_type_hints(message, include_extras=True)
    hints |= {"data": _typed_dict(hints["data"]), "recordedtime": NotRequired[str | None]}
    del hints["type"]
    fields = [
        (name, _like(get_args(hint)[0]), None) if get_origin(hint) is NotRequired else (name, _like(hint))
        for name, hint in hints.items()
    ]
    kind, name = type_of(message), message.__name__
    return msgspec.defstruct(
        name, fields, bases=(Usual,), namespace={"kind": kind}, tag_field="type", tag=kind, kw_only=True, gc=False
    )


def _typed_dict(message: Any) -> Any:
    hints = get_type_hints(message, include_extras=True)
    return TypedDict(message.__name__, {name: _like(hint) for name, hint in hints.items()})  # type: ignore[operator]


def _like(hint: Any) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return Annotated[_like(args[0]), msgspec.Meta(**_limits(args[1:]))]
    if origin is NotRequired:
        return NotRequired[_like(args[0])]
    if origin in {Union, types.UnionType}:
        return Union[tuple(map(_like, args))]  # noqa: UP007 - of any number
    if origin is list:
        return list[_like(args[0])]  # type: ignore[misc]
    return hint


def _limits(given: tuple[Any, ...]) -> dict[str, Any]:
    """The limits that pydantic's constraints name."""
    constraints = [part for one in given for part in ([one] if isinstance(one, StringConstraints) else one.metadata)]
    named = ((limit, getattr(one, limit, None)) for one in constraints for limit in _LIMITS)
    return {limit: value for limit, value in named if value is not None}


_Types = Union[tuple(_usual_of(message) for topic in TOPICS for message in MESSAGES[topic])]  # type: ignore[valid-type]  # noqa: UP007
decode = msgspec.json.Decoder(_Types).decode
"""Bytes → one of `Usual`'s subclasses. Raises MsgspecError, and RecursionError where brackets go deep."""
