"""The one background thread with an event loop that plain threads share, and what becomes of it in a fork and at the
end."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

END_S = 3.0


class Portal:
    """An event loop in a daemon thread. It ends when the program does."""

    def __init__(self) -> None:
        self.ended = False
        self._ready: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._main, name="meta-orchestrator-client", daemon=True)
        self._thread.start()
        self._loop = self._ready.result()

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Have it done over there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Have it done over there, and wait for it. If we are interrupted, so is it."""
        done = self.submit(work)
        try:
            return done.result()
        except BaseException:
            done.cancel()
            raise

    def end(self) -> None:
        """Stop the loop and wait for its thread, but not for ever."""
        self.ended = True
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(END_S)

    def _main(self) -> None:
        asyncio.run(self._serve())  # at the end it cancels what is left

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._ready.set_result(asyncio.get_running_loop())
        await self._stop.wait()


_lock = threading.Lock()
_portal: Portal | None = None
_left_to_parent: list[Any] = []
"""A forked child keeps what belongs to its parent's loop: to collect it would complain about tasks that are not its
own."""


def portal() -> Portal:
    """The one of this process, started when first asked for."""
    global _portal  # noqa: PLW0603 - one a process
    with _lock:
        if _portal is None:
            _portal = Portal()
        return _portal


def end() -> None:
    if _portal is not None:
        _portal.end()


def leave_to_parent(thing: Any) -> None:
    _left_to_parent.append(thing)


def _after_fork() -> None:
    """Only the thread that forked lives on in a child, so the portal's is gone, and its lock may be held for ever."""
    global _portal, _lock
    leave_to_parent(_portal)
    _portal, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
