"""What becomes of a record that cannot count (CONTRACT §2, §6): its bytes untouched, with the reason beside them.

In Kafka the reason stands in headers, in a file it is a `dead.letter` line.
"""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson
from pydantic import TypeAdapter

from meta_orchestrator.errors import BadRecord, Reason
from meta_orchestrator.messages.cloudevent import SOURCE, digest
from meta_orchestrator.messages.event import Refused
from meta_orchestrator.messages.fields import Time, format_time_us
from meta_orchestrator.wire.decode import time_us
from meta_orchestrator.wire.topics import LETTER_BYTES

TYPE = "dead.letter"
PREFIX = "dlq."
Headers = Sequence[tuple[str, bytes]]
CUT_BYTES = 512 * 1024
_TIME = TypeAdapter[str](Time)


def headers(
    bad: BadRecord | Refused, topic: str, partition: int, offset: int, recorded_us: int, original: Headers = ()
) -> list[tuple[str, bytes]]:
    """Headers of the dead letter: those of the record (a binary event is lost without them), then `dlq.*`.

    `topic` as the broker names it; `dlq.time` is the append time of the record, so that a letter written twice is the
    same letter.
    """
    said = {
        "topic": topic,
        "partition": str(partition),
        "offset": str(offset),
        "reason": bad.reason,
        "field": bad.field,
        "time": format_time_us(recorded_us),
    }
    kept = [(name, raw) for name, raw in original if not name.startswith(PREFIX)]
    return kept + [(PREFIX + name, text.encode()) for name, text in said.items() if text is not None]


def fit(key: bytes | None, value: bytes | None, letter_headers: Headers) -> tuple[bytes | None, bytes | None, Headers]:
    """What the dead-letter topic takes of a letter: all of it, but for monsters.

    A compressed batch of 20 kB may hold a record of 20 MB. Of such a one go the first 512 KiB of key and value, no
    headers but ours, and `dlq.bytes`, the size that it had: refused by the broker, it would stop its
    partition for good.
    """
    if key is None and value is None:
        value = b""  # aiokafka sends no record without both
    bytes_ = len(key or b"") + len(value or b"")
    bytes_ += sum(len(name.encode()) + len(raw or b"") for name, raw in letter_headers)
    if bytes_ <= LETTER_BYTES:
        return key, value, letter_headers
    ours = [(name, raw) for name, raw in letter_headers if name.startswith(PREFIX)]
    return key and key[:CUT_BYTES], value and value[:CUT_BYTES], [*ours, (PREFIX + "bytes", b"%d" % bytes_)]


def line_of(bad: BadRecord, value: bytes, number: int) -> bytes:
    """The `dead.letter` line of line `number` (from 1); `time` and `project` only where they could be read."""
    when, project = _readable(value)
    return _line(bad.reason, bad.field, value, number, when, project)


def line_of_refused(refused: Refused) -> bytes:
    """The same for what was read well and refused at a tick."""
    value, number = refused.event[5], refused.event[6]
    return _line(refused.reason, refused.field, value, number, format_time_us(refused.event[0]), refused.project)


def _line(reason: Reason, field: str | None, value: bytes, number: int, when: str | None, project: str | None) -> bytes:
    data: dict[str, Any] = {"reason": reason}
    if field is not None:
        data["field"] = field
    data["line"] = number
    data.update(_quoted(value))
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": digest(TYPE, number, sha256(value).hexdigest(), reason),
        "source": SOURCE,
        "type": TYPE,
    }
    if when is not None:
        envelope["time"] = when
    if project is not None:
        envelope["project"] = project
    return orjson.dumps({**envelope, "datacontenttype": "application/json", "data": data})


def _quoted(value: bytes) -> dict[str, str]:
    try:
        return {"value": value.decode()}
    except UnicodeDecodeError:
        return {"value_base64": b64encode(value).decode()}


def _readable(value: bytes) -> tuple[str | None, str | None]:
    try:
        content = orjson.loads(value)
    except ValueError:
        return None, None
    if not isinstance(content, dict):
        return None, None
    project = content.get("project")
    return _time(content.get("time")), project if isinstance(project, str) and project else None


def _time(given: Any) -> str | None:
    """As we write times, if it is one that the contract can read."""
    try:
        return format_time_us(time_us(_TIME.validate_python(given), "time"))
    except (ValueError, BadRecord):  # pydantic's ValidationError is a ValueError
        return None
