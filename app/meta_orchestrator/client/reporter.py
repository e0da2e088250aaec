"""What the publishers of both worlds, with and without asyncio, have in common: who speaks, for which project, into
which outbox."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from meta_orchestrator.client.compose import Letter, compose
from meta_orchestrator.client.connection import Broker
from meta_orchestrator.client.outbox import Outbox

BUFFER_BYTES = 16 << 20
"""Some 50,000 events of a usual size."""
FLUSH_S = 5.0
PATIENCE_S = 0.005
"""How long a publisher waits at most for room, and only while Kafka is there."""


class Reporter:
    """Composes events and puts them into its outbox. Nothing here waits.

    `configversion`, if set, goes into every event: the version in force at the sender, an implied acknowledgement. A
    follower that acknowledges through a publisher keeps it up to date.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        source: str,
        project: str,
        prefix: str = "",
        buffer_bytes: int = BUFFER_BYTES,
        flush_s: float = FLUSH_S,
        **kafka: Any,
    ) -> None:
        self.source, self.project, self.flush_s = source, project, flush_s
        self.configversion: int | None = None
        self._outbox_of_its_own = partial(Outbox, source, broker, prefix, buffer_bytes, kafka)
        self._outbox = self._outbox_of_its_own()
        self._open = False

    @property
    def delivered(self) -> int:
        """Events that Kafka has taken."""
        return self._outbox.delivered

    @property
    def dropped(self) -> int:
        """Events given up: the buffer was full, Kafka refused them, or the end came before Kafka was back."""
        return self._outbox.dropped

    def post(self, kind: str, data: Mapping[str, Any], **attributes: Any) -> None:
        """Check an event and put it into the outbox. InvalidMessage if it breaks the contract."""
        self._put(self._compose(kind, data, attributes))

    def _compose(self, kind: str, data: Mapping[str, Any], attributes: Mapping[str, Any]) -> Letter:
        if not self._open:
            raise RuntimeError("not open yet: enter the publisher (`with` or `async with`) before publishing")
        if self.configversion is not None:
            attributes = {"configversion": self.configversion, **attributes}
        return compose(kind, data, self.source, self.project, attributes)

    def _put(self, letter: Letter) -> None:
        self._outbox.put(letter)
