"""Letters wait here until Kafka takes them. Whoever puts one in never waits and never fails because of Kafka.

The buffer is bounded in bytes. When it is full the oldest letter is dropped, and counted: after an outage the oldest
would come too late to count, the newest tells how things stand. Delivery is at least once; the worker counts a resend
once.
"""

import asyncio
import threading
from asyncio import Future
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    for_code,
)

from meta_orchestrator.client.compose import HEADERS, Letter
from meta_orchestrator.client.connection import END_S, Broker, Presence, arguments, bounded, log, pauses, quiet

BATCH_BYTES = 65_536
REFUSALS: tuple[type[KafkaError], ...] = (
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    InvalidTopicError,
    for_code(87),  # INVALID_RECORD
)
"""What Kafka says of a letter that it will never take."""


class Outbox:
    """One bounded buffer, filled from any thread, and the task of one event loop that empties it."""

    def __init__(self, who: str, broker: Broker, prefix: str, limit_bytes: int, kafka: dict[str, Any]) -> None:
        self.delivered = self.dropped = self._accepted = 0
        self._arguments = {"max_batch_size": BATCH_BYTES, "acks": "all"} | arguments(broker, kafka)
        self._prefix, self._limit_bytes = prefix, limit_bytes
        self._presence = Presence(who, broker)
        self._lock = threading.Lock()
        self._waiting: deque[Letter] = deque()
        self._waiting_bytes = 0
        self._in_flight: dict[Future[Any], Letter] = {}
        self._failure: BaseException | None = None
        self._refused: set[tuple[str, type[BaseException]]] = set()
        self._asleep = self._closed = self._told_late = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._more, self._settled = asyncio.Event(), asyncio.Event()

    # ---- any thread --------------------------------------------------------------------------------------------------

    def put(self, letter: Letter) -> None:
        with self._lock:
            self._accepted += 1
            if self._closed:
                self._drop_late()
                return
            self._waiting.append(letter)
            self._waiting_bytes += len(letter.value)
            self._drop_oldest()
            wake, self._asleep = self._asleep, False
        if wake and self._loop is not None:
            self._loop.call_soon_threadsafe(self._more.set)

    @property
    def pressed(self) -> bool:
        """Nearly full although Kafka is there: a sender that can wait a moment loses nothing."""
        return self._waiting_bytes > self._limit_bytes * 0.9 and self._presence.away_since is None

    @property
    def undelivered(self) -> int:
        return self._accepted - self.delivered - self.dropped

    def _drop_late(self) -> None:
        self.dropped += 1
        if not self._told_late:
            self._told_late = True
            log.warning("%s: events come after the publisher was closed, they are dropped", self._presence.who)

    def _drop_oldest(self) -> None:
        while self._waiting_bytes > self._limit_bytes:
            self._waiting_bytes -= len(self._waiting.popleft().value)
            self.dropped += 1

    # ---- the loop's thread -------------------------------------------------------------------------------------------

    def start(self) -> None:
        AIOKafkaProducer(**self._arguments)._closed = True  # a wrong argument is the caller's, and shows here
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), context=quiet())
        self._task.add_done_callback(self._ended)

    async def flush(self, patience_s: float) -> bool:
        """Wait until all is delivered, but not longer; whether it was."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while self.undelivered:
                    self._settled.clear()
                    await self._settled.wait()
        return not self.undelivered

    async def close(self, patience_s: float) -> None:
        """Deliver what can be delivered in time; the rest counts as dropped, as does all that comes later."""
        delivered = await self.flush(patience_s)
        with self._lock:
            self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if not delivered:
            log.warning("%s: %d events were not delivered before the end", self._presence.who, self.undelivered)
        with self._lock:
            self.dropped += self.undelivered
            self._waiting.clear()

    async def _run(self) -> None:
        """Send what comes; whenever Kafka fails begin anew with a new producer, since an old one never asks the
        bootstrap addresses again."""
        pause = pauses()
        while True:
            sent = self.delivered
            try:
                async with self._producer() as producer:
                    await self._send_all(producer)
            except (KafkaError, OSError) as error:
                self._presence.lost(error)
            if self.delivered > sent:
                pause = pauses()
            await asyncio.sleep(next(pause))

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: delivery has ended by a bug, nothing more gets through", self._presence.who, exc_info=error)

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(**self._arguments)
        try:
            await producer.start()
            yield producer
        finally:
            self._take_back()
            await _discard(producer)

    async def _send_all(self, producer: AIOKafkaProducer) -> None:
        self._failure = None
        while True:
            letter = await self._next()
            try:
                sent = await producer.send(self._prefix + letter.topic, letter.value, letter.key, headers=HEADERS)
            except REFUSALS as error:
                self._refuse(letter, error)
            except BaseException:
                self._return(letter)
                raise
            else:
                self._in_flight[sent] = letter
                sent.add_done_callback(self._settle)

    async def _next(self) -> Letter:
        while True:
            if self._failure is not None:
                raise self._failure
            with self._lock:
                if self._waiting:
                    letter = self._waiting.popleft()
                    self._waiting_bytes -= len(letter.value)
                    return letter
                self._asleep = True
                self._more.clear()
            await self._more.wait()

    def _settle(self, sent: "Future[Any]") -> None:
        letter, error = self._in_flight.pop(sent, None), sent.exception()
        if letter is None:  # taken back before
            return
        if error is None:
            self.delivered += 1
            self._presence.found()
        elif isinstance(error, REFUSALS):
            self._refuse(letter, error)
        else:
            self._return(letter)
            self._failure = error
            self._more.set()
        self._settled.set()

    def _refuse(self, letter: Letter, error: BaseException) -> None:
        with self._lock:
            self.dropped += 1
        self._settled.set()
        if (letter.topic, type(error)) not in self._refused:
            self._refused.add((letter.topic, type(error)))
            log.error("%s: Kafka refuses events on %s, they are dropped: %r", self._presence.who, letter.topic, error)

    def _return(self, letter: Letter) -> None:
        with self._lock:
            self._waiting.appendleft(letter)
            self._waiting_bytes += len(letter.value)
            self._drop_oldest()

    def _take_back(self) -> None:
        """What a producer that is given up has not delivered waits again, in its order."""
        letters = list(self._in_flight.values())
        self._in_flight.clear()
        for letter in reversed(letters):
            self._return(letter)


async def _discard(producer: AIOKafkaProducer) -> None:
    """End a producer without its own flush, which waits for as long as the broker is away."""
    producer._closed = True
    await bounded(producer.client.close(), END_S)
    await bounded(producer._sender.close(), END_S)
