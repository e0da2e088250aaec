"""Which records of `config-changes` may be obeyed. Pure: the same record, trust and time give the same answer."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ValidationError

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.outputs import ConfigChange
from meta_orchestrator.wire.signing import signature_of, verify
from meta_orchestrator.wire.trust import Trust

TOPIC = ConfigChange.topic


class _Record(BaseModel):
    specversion: Literal["1.0"]
    type: Literal["config.change"]
    project: str
    data: ConfigChange


def read_change(
    project: str, value: bytes | None, headers: Sequence[tuple[str, bytes]], trust: Trust, at_us: int
) -> ConfigChange:
    """The change in a record whose key is `project`. BadRecord if no worker trusted for the project at `at_us` signed
    it, or if it cannot be read.

    The signature comes first: of bytes that nobody vouches for nothing is believed, not even their form.
    """
    value = value or b""
    verify(trust, "worker", project, signature_of(headers), TOPIC, project.encode(), value, at_us)
    try:
        record = _Record.model_validate_json(value)
    except ValidationError as error:
        raise _unreadable(error) from error
    if record.project != project:
        raise BadRecord("key_mismatch", f"the record key is {project!r}, the project {record.project!r}", "project")
    return record.data


def _unreadable(error: ValidationError) -> BadRecord:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    if not field:
        return BadRecord("not_json" if first["type"] == "json_invalid" else "not_cloudevent", first["msg"])
    return BadRecord("invalid" if field.startswith("data") else "not_cloudevent", first["msg"], field)
