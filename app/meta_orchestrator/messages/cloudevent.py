"""The envelope of everything that we write."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.messages.outputs import Output

SOURCE = "meta-orchestrator"


def digest(*parts: Any) -> str:
    """A name that follows from its parts: the same decision has the same id wherever it is made."""
    return sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """An output with its envelope. `time_us` is its tick's, `id` follows from its content, or from its place alone."""

    project: str
    time_us: int
    data: Output

    @property
    def id(self) -> str:
        return self._name(self.data.model_dump(mode="json"))

    def to_json(self) -> bytes:
        """One line of structured-mode JSON, byte for byte the same for the same content."""
        content = self.data.model_dump(mode="json")
        return orjson.dumps(
            {
                "specversion": "1.0",
                "id": self._name(content),
                "source": SOURCE,
                "type": self.data.type,
                "time": format_time_us(self.time_us),
                "project": self.project,
                "datacontenttype": "application/json",
                "data": content,
            }
        )

    def _name(self, content: dict[str, Any]) -> str:
        if self.data.once_a_tick:
            return name_in_advance(type(self.data), self.project, self.time_us)
        return digest(self.data.type, self.project, self.time_us, content)


def name_in_advance(kind: type[Output], project: str, time_us: int) -> str:
    """The id of what comes once a tick, before it is said: a decision names the snapshot that follows it."""
    return digest(kind.type, project, time_us)
