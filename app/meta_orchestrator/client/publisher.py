"""Tell the team's events from asyncio."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from meta_orchestrator.client.reporter import PATIENCE_S
from meta_orchestrator.client.spans import Spans


class Publisher(Spans):
    """Publishes a project's events: `async with Publisher(broker=…, source=…, project=…) as team: await
    team.publish(…)`.

    `source` names the sender; `prefix` is that of the topics. `buffer_bytes` bounds what waits while Kafka is away
    (the oldest is dropped and counted in `dropped`), `flush_s` how long the end waits for delivery. Further keywords
    go to aiokafka (TLS, SASL).
    """

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Begin to deliver. Kafka need not be there yet."""
        self._outbox.start()
        self._open = True

    async def close(self) -> None:
        """Deliver what waits, for at most `flush_s`, and end."""
        await self._outbox.close(self.flush_s)

    async def publish(self, kind: str, data: Mapping[str, Any], **attributes: Any) -> None:
        """Tell that something happened, now, or at `time=` where that is given; other attributes of the envelope
        likewise.

        InvalidMessage (a ValueError) if it breaks the contract. Never an error, and no more than a few ms of waiting,
        because of Kafka: whether it got through is in `delivered` and `dropped`.
        """
        letter = self._compose(kind, data, attributes)
        if self._outbox.pressed:
            await asyncio.sleep(PATIENCE_S)
        self._put(letter)
        await asyncio.sleep(0)  # the outbox gets its turn even where a caller only publishes

    async def register(self, orchestrator: str, supports: Mapping[str, Any]) -> None:
        """Name the parameters that may be changed, with their values of today: the golden baseline."""
        await self.publish("orchestrator.registered", {"orchestrator": orchestrator, "supports": supports})

    async def flush(self, patience_s: float | None = None) -> bool:
        """Wait until all is delivered, at most `patience_s` (usually `flush_s`); whether it was."""
        return await self._outbox.flush(self.flush_s if patience_s is None else patience_s)
