"""Publish and follow without asyncio, from any number of plain threads.

    from meta_orchestrator.client.sync import Publisher, follow

    with Publisher(broker="localhost:9092", source="agent-7", project="checkout") as team:
        team.publish("agent.heartbeat", {"agent": "agent-7", "utilization": 0.4})
        with team.task("t1", agent="agent-7"):
            ...

    for change in follow("checkout", broker="localhost:9092", trust="trust.toml"):
        apply(change.config)
        change.applied()

Publishing puts the event into a buffer and returns; one background thread a process does the rest (portal.py).
"""

import asyncio
import atexit
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from meta_orchestrator.client import follower as asynchronous
from meta_orchestrator.client.compose import Letter
from meta_orchestrator.client.follower import Offer
from meta_orchestrator.client.portal import end, leave_to_parent, portal
from meta_orchestrator.client.reporter import PATIENCE_S
from meta_orchestrator.client.spans import Spans

__all__ = ["Change", "Follower", "Publisher", "follow"]


class Publisher(Spans):
    """`with Publisher(broker=…, source=…, project=…) as team: team.publish(…)`; arguments as of the asyncio one.

    In a forked child it begins anew, with an empty buffer: what waited is the parent's to deliver. A program that
    ends without closing it still delivers what waits, for at most `flush_s`.
    """

    def __init__(self, **about: Any) -> None:
        super().__init__(**about)
        self._starting = threading.Lock()
        self._running = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Begin to deliver. Kafka need not be there yet."""
        self._run()
        self._open = True
        _publishers.add(self)

    def close(self) -> None:
        """Deliver what waits, for at most `flush_s`, and end."""
        _publishers.discard(self)
        portal().call(self._outbox.close(self.flush_s))

    def publish(self, kind: str, data: Mapping[str, Any], **attributes: Any) -> None:
        """Tell that something happened; as the asyncio one, from any thread."""
        letter = self._compose(kind, data, attributes)
        if self._outbox.pressed:
            time.sleep(PATIENCE_S)
        self._put(letter)

    def register(self, orchestrator: str, supports: Mapping[str, Any]) -> None:
        """Name the parameters that may be changed, with their values of today: the golden baseline."""
        self.publish("orchestrator.registered", {"orchestrator": orchestrator, "supports": supports})

    def flush(self, patience_s: float | None = None) -> bool:
        """Wait until all is delivered, at most `patience_s` (usually `flush_s`); whether it was."""
        return portal().call(self._outbox.flush(self.flush_s if patience_s is None else patience_s))

    def _put(self, letter: Letter) -> None:
        if not self._running:
            self._run()
        self._outbox.put(letter)

    def _run(self) -> None:
        with self._starting:
            if not self._running:
                portal().call(self._begin())
                self._running = True

    async def _begin(self) -> None:
        self._outbox.start()

    def _begin_anew(self) -> None:
        """In a forked child: neither the parent's thread nor its letters are ours, and its lock may be held for
        ever."""
        leave_to_parent(self._outbox)
        self._outbox = self._outbox_of_its_own()
        self._starting, self._running = threading.Lock(), False


class Change(Offer):
    """A configuration to put in force. Say what became of it: a change without an answer is taken back."""

    def applied(self) -> None:
        """It is in force from now on."""
        self.accept()

    def rejected(self, reason: str) -> None:
        """It cannot be put in force."""
        self.refuse(reason)


class Follower:
    """The changes of one project: `for change in follower`, until it breaks or another thread calls `close`.

    Arguments and counters are those of the asyncio one.
    """

    def __init__(self, project: str, **about: Any) -> None:
        self._follower = asynchronous.Follower(project, **about)
        self._lock = threading.Lock()
        self._step: Future[asynchronous.Change] | None = None
        self._closed = False

    @property
    def version(self) -> int:
        return self._follower.version

    @property
    def refused(self) -> Counter[str]:
        return self._follower.refused

    def close(self) -> None:
        """End the iteration, from any thread."""
        with self._lock:
            self._closed = True
        self._cancel_step()

    def __iter__(self) -> Iterator[Change]:
        changes, turn = aiter(self._follower), asyncio.Lock()
        try:
            while (step := self._next(changes, turn)) is not None:
                offer = step.result()
                yield Change(offer.message, offer.answer)
        except CancelledError:
            return  # closed, or the program ends
        finally:
            self._cancel_step()
            if not portal().ended:
                portal().call(_close(changes, turn))

    def _next(
        self, changes: AsyncGenerator[asynchronous.Change, None], turn: asyncio.Lock
    ) -> "Future[asynchronous.Change] | None":
        with self._lock:
            self._step = None if self._closed else portal().submit(_advance(changes, turn))
            return self._step

    def _cancel_step(self) -> None:
        if (step := self._step) is not None:
            step.cancel()  # nothing to one that is done


async def _advance(changes: AsyncGenerator[asynchronous.Change, None], turn: asyncio.Lock) -> asynchronous.Change:
    async with turn:
        return await anext(changes)


async def _close(changes: AsyncGenerator[asynchronous.Change, None], turn: asyncio.Lock) -> None:
    """A step that was interrupted takes a moment to unwind, and a generator that runs cannot be closed."""
    async with turn:
        await changes.aclose()


def follow(project: str, **about: Any) -> Follower:
    """`for change in follow(project, broker=…, trust=…)`: see Follower."""
    return Follower(project, **about)


_publishers: WeakSet[Publisher] = WeakSet()


def _after_fork() -> None:
    for publisher in list(_publishers):
        publisher._begin_anew()


async def _close_all(publishers: list[Publisher]) -> None:
    await asyncio.gather(*(publisher._outbox.close(publisher.flush_s) for publisher in publishers))


def _at_exit() -> None:
    running = [publisher for publisher in _publishers if publisher._running]
    if running:
        portal().call(_close_all(running))
    end()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
