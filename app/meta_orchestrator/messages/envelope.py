"""The envelope of all that is read (CONTRACT §1), and the root of what it carries."""

from typing import Annotated, Any, Literal, NotRequired, Required

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from meta_orchestrator.messages.fields import GREATEST, EventTime, Name, Time, Version

_RANGE = Field(ge=-GREATEST, le=GREATEST)
Given = Annotated[int, _RANGE] | Annotated[float, _RANGE] | str
"""A parameter's value as others name it. (A range of `int | float` would be lost in the JSON Schema.)"""
_STRICT = ConfigDict(strict=True, allow_inf_nan=False, extra="ignore")


class Data(TypedDict):
    """The root of all `data`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]


class Envelope(TypedDict):
    """A CloudEvent 1.0 as it is read; `recordedtime` stands only in journals, the broker's append time takes its
    place.
    """

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    specversion: Literal["1.0"]
    id: Name
    source: Name
    time: EventTime
    subject: NotRequired[str | None]
    dataschema: NotRequired[str | None]
    traceparent: NotRequired[str | None]
    correlationid: NotRequired[str | None]
    causationid: NotRequired[str | None]
    configversion: NotRequired[Version | None]
    recordedtime: NotRequired[Time | None]


class ProjectEnvelope(Envelope):
    """All but `clock.tick` belong to a project, which is the record's key."""

    project: Name


class ClockTick(Envelope):
    """Time has passed; belongs to no project."""

    type: Literal["clock.tick"]
    data: Required[dict[str, Any]]
