"""How we talk to Kafka and about it: patient, and one line when it goes away and one when it is back."""

import asyncio
import logging
import random
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextvars import Context, ContextVar, copy_context
from typing import Any

log = logging.getLogger("meta_orchestrator.client")

REQUEST_TIMEOUT_MS = 10_000
END_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0

Broker = str | Sequence[str]
"""`host:port`, several with commas, or a list of them."""


def arguments(broker: Broker, kafka: dict[str, Any]) -> dict[str, Any]:
    """What aiokafka is called with; the caller's own words (TLS, SASL, time-outs) win."""
    usual = {"bootstrap_servers": broker, "request_timeout_ms": REQUEST_TIMEOUT_MS, "retry_backoff_ms": 200}
    return usual | kafka


def pauses() -> Iterator[float]:
    """Seconds to wait between attempts: doubling, capped, and never the same for two clients."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s * random.uniform(0.5, 1)  # noqa: S311 - only to spread attempts
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


class Presence:
    """Whether Kafka is there, as far as one client knows; says so once when that changes."""

    def __init__(self, who: str, broker: Broker) -> None:
        self.who, self.broker = who, broker
        self.away_since: float | None = None

    def lost(self, error: BaseException) -> None:
        if self.away_since is None:
            self.away_since = time.monotonic()
            log.warning(
                "%s: Kafka at %s is away, trying again until it is back: %s", self.who, self.broker, _text(error)
            )

    def found(self) -> None:
        if self.away_since is not None:
            away_s, self.away_since = time.monotonic() - self.away_since, None
            log.warning("%s: Kafka at %s is back after %.1f s", self.who, self.broker, away_s)


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__


async def bounded(work: Coroutine[Any, Any, None], patience_s: float) -> None:
    """Let something end, for a while; how it ends is of no interest (aiokafka may even cancel who stops it)."""
    task = asyncio.create_task(work)
    await asyncio.wait([task], timeout=patience_s)
    if task.cancel() or task.cancelled():
        return
    if (error := task.exception()) is not None:
        log.debug("at the end of a connection: %r", error)


# ---- aiokafka's own lines --------------------------------------------------------------------------------------------

_ours: ContextVar[bool] = ContextVar("meta_orchestrator_client", default=False)


def quiet() -> Context:
    """A context for tasks in which aiokafka's lines, some ten a second while a broker is away, are ours at level DEBUG.

    Tasks hand their context on to the tasks and transports they make, so other users of aiokafka in this process
    keep their lines.
    """
    _demote_aiokafka()
    context = copy_context()
    context.run(_ours.set, True)
    return context


class _Demote(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if not _ours.get():
            return True
        log.debug("%s: %s", record.name, record.getMessage(), exc_info=record.exc_info)
        return False


_demote = _Demote()


def _demote_aiokafka() -> None:
    """A filter acts on the lines of its own logger only, not on those of its children: so it goes to each."""
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("aiokafka")]:
        logging.getLogger(name).addFilter(_demote)  # adding it twice changes nothing
