"""The kinds of values that messages are made of, and time and number as they are written."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
MINUTE_US = 60 * SECOND
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
"""Time inside the product is an integer number of microseconds since the Unix epoch."""

GREATEST = 10**15
"""No number of an input is greater (31,000 years in ms), so sums stay finite and whole numbers fit 64 bits."""

NAME_CHARACTERS = 1024
"""No name or id is longer: outputs list dozens of them, state holds thousands, and Kafka's records have limits."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_CHARACTERS)]
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=GREATEST)]
Ordinal = Annotated[int, Field(ge=1, le=GREATEST)]
Version = Annotated[int, Field(ge=0, le=GREATEST)]
TIME_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
is_time = re.compile(TIME_PATTERN, re.ASCII).fullmatch
Time = Annotated[str, StringConstraints(pattern=TIME_PATTERN), Field(json_schema_extra={"format": "date-time"})]
EventTime = Annotated[str, Field(json_schema_extra={"format": "date-time", "pattern": TIME_PATTERN})]
"""A time that is checked when it is turned into a number (`wire.decode`): once an event, so that it has to be quick."""
Value = int | float | str
"""The value of a parameter."""

Criticality = Literal["minor", "normal", "major", "critical"]
SMALL = ("minor", "normal")
"""Changes that would hardly be missed, or hardly do harm, if a vote on them were saved."""


def six_digits(value: Any) -> Any:
    """Fractions with at most 6 significant digits, so that replays agree across machines; the rest as it is."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


Fraction = Annotated[float, AfterValidator(six_digits)]


def optional(description: str | None = None) -> Any:
    """A field that is left out of the JSON where it is None."""
    return Field(default=None, exclude_if=lambda value: value is None, description=description)


def parse_time_us(text: str) -> int:
    """Microseconds since the epoch of an RFC 3339 time; what is finer is cut. ValueError where no such day exists."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(text.upper())  # RFC 3339 allows small t and z
    since = moment - _EPOCH  # in whole numbers: a float of seconds is too coarse beyond the year 2255
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def format_time_us(time_us: int) -> str:
    """RFC 3339 in UTC, with a fraction only where there is one."""
    second, micros = divmod(time_us, SECOND)
    return f"{_second_text(second)}.{micros:06d}Z" if micros else f"{_second_text(second)}Z"


@lru_cache(1_000)
def _second_text(second: int) -> str:
    """Many events share a second, and a second's text costs four times what a fraction does."""
    return datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat()
