"""An event on its way from the wire into the core: a plain tuple, since millions of them wait in open panes."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from meta_orchestrator.errors import Reason

Event: TypeAlias = tuple[int, str, str, str, dict[str, Any], bytes, int, int | None]
"""(time_us, source, id, type, data, value, position, configversion)

`type` is UNKNOWN where the contract does not know it (`data` is empty then), `value` the bytes as they were read,
`position` the
offset in the input partition or the line of the file, `configversion` None where the sender did not name one.
"""

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was readable but may not count (over a limit, a repeated command): a dead letter made at a tick."""

    project: str
    event: Event
    reason: Reason
    detail: str
    field: str | None = None
