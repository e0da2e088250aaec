"""How a worker comes to its end: asked to, or because it cannot go on. Whoever sees that first says so here."""

import asyncio
import threading

from meta_orchestrator.errors import Stuck


class Ending:
    """Set once, from any thread. `reason` None is a clean stop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._come = asyncio.Event()
        self.reason: Stuck | None = None
        self.is_set = False

    def stop(self) -> None:
        """The owner of the process wants it to end."""
        self._set(None)

    def fail(self, why: str) -> None:
        """It cannot go on: end with a status that says so, to be started again from outside."""
        self._set(Stuck(why))

    async def wait(self) -> None:
        await self._come.wait()

    def _set(self, reason: Stuck | None) -> None:
        with self._lock:
            if self.is_set:
                return
            self.is_set, self.reason = True, reason
        self._loop.call_soon_threadsafe(self._come.set)
