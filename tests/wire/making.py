"""Events as other programs would write them, and changes to them."""

from typing import Any

import orjson

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.examples import examples

LEFT_OUT = object()
EXAMPLES = examples()


def envelope(kind: str = "agent.heartbeat", **changes: Any) -> dict[str, Any]:
    """The example of a type, with attributes changed or left out."""
    whole = {**EXAMPLES[kind], **changes}
    return {name: value for name, value in whole.items() if value is not LEFT_OUT}


def structured(kind: str = "agent.heartbeat", **changes: Any) -> bytes:
    return orjson.dumps(envelope(kind, **changes))


def with_data(kind: str, /, **changes: Any) -> bytes:
    """The example of a type, with fields of its data changed or left out."""
    data = {**EXAMPLES[kind]["data"], **changes}
    return structured(kind, data={name: value for name, value in data.items() if value is not LEFT_OUT})


def binary(event: dict[str, Any]) -> tuple[bytes, list[tuple[str, bytes]]]:
    """(value, headers) of an event in binary mode."""
    headers = [(f"ce_{name}", str(value).encode()) for name, value in event.items() if name != "data"]
    return orjson.dumps(event["data"]), headers


def blame(bad: BadRecord) -> tuple[str, str | None]:
    return bad.reason, bad.field
