"""Ends the process when it is stuck: Faust has faults that leave a worker running that does nothing.

Stuck is: the event loop does not turn; partitions are assigned but do not come alive; there are records to read or a
tick to decide, and nothing moves. A broker that cannot be reached is not the worker's fault: then it waits. Looks are
counted, not seconds, so that a process that was paused is not taken for one that hangs.
"""

import asyncio
import os
import threading
import time

from faust.types import TP

from meta_orchestrator.drivers.live.app import App
from meta_orchestrator.drivers.live.log import say, warn

LOOK_S = 1.0
REJOIN_LOOKS, LOST_LOOKS = 3, 15
"""At partitions that were lost in a failed turn, with the broker in reach: the group is asked to assign anew, which it
does within its session."""
CONNECT_S = 3


class Watchdog:
    """`run` looks at the app from inside the event loop, a thread looks at the event loop."""

    def __init__(self, app: App) -> None:
        self.app, self.patience = app, int(app.options.stuck_s / LOOK_S)
        self.turns = 0
        """Of the event loop; the thread sees them go up."""
        self.without_progress = 0
        self._seen: object = None
        self.lost_looks = 0

    async def run(self) -> None:
        threading.Thread(target=self._guard_event_loop, daemon=True, name="watchdog").start()
        while True:
            await asyncio.sleep(LOOK_S)
            self.turns += 1
            await self.look()

    async def look(self) -> None:
        """Count looks at which there was work and nothing moved; too many of them end the worker."""
        await self._look_for_lost()
        work, progress = self.work(), self.progress()
        self.without_progress = self.without_progress + 1 if work and progress == self._seen else 0
        self._seen = progress
        if work and self.without_progress >= self.patience:
            self.without_progress = 0
            if await reachable(self.app.options.broker):
                self.app.ending.fail(f"no progress for {self.app.options.stuck_s:g} s: {work}")
            else:
                warn("waiting for the broker", broker=self.app.options.broker, work=work)

    async def _look_for_lost(self) -> None:
        """A broker that comes back after long has the group assigned anew only then: an outage is not counted."""
        lost = [number for number, owned in self.app.owner.owned.items() if owned.lost]
        is_overdue = bool(lost) and await reachable(self.app.options.broker)
        self.lost_looks = self.lost_looks + 1 if is_overdue else 0
        if self.lost_looks == REJOIN_LOOKS:
            warn("asking for a new assignment", lost=lost)
            await self.app.rejoin()
        if self.lost_looks >= LOST_LOOKS:
            self.app.ending.fail(f"partitions {lost} were lost in failed transactions and not assigned again")

    def work(self) -> str | None:
        """What there is to do."""
        owner = self.app.owner
        if self.app.consumer_generation_id == 0 and not owner.owned:
            return "no partitions were assigned yet"
        for number, owned in owner.owned.items():
            if not owned.alive:
                return f"partition {number} is assigned and not read"
        for partition in owner.partitions():
            if partition.held_back(time.time_ns() // 1000) is not None:
                return f"partition {partition.number} has a tick to decide"
        return self._lag()

    def _lag(self) -> str | None:
        for partition in self.app.owner.partitions():
            for topic, name in self.app.input_topics.items():
                end = self.app.consumer.highwater(TP(topic, partition.number)) or 0
                if end > (partition.head.readings[name].next or 0):
                    return f"{topic} {partition.number} has records to read"
        return None

    def progress(self) -> object:
        """Something that differs whenever anything has moved."""
        recovered = sum(offset or 0 for offset in self.app.tables.recovery.active_offsets.values())
        moved = [owned.moved_s for owned in self.app.owner.owned.values()]
        return self.app.consumer_generation_id, recovered, moved

    def _guard_event_loop(self) -> None:
        seen, missed = -1, 0
        while missed < self.patience:
            time.sleep(LOOK_S)
            missed = missed + 1 if self.turns == seen else 0
            seen = self.turns
        say("the event loop does not turn any more", 50, seconds=self.app.options.stuck_s)
        os._exit(1)


async def reachable(broker: str) -> bool:
    """Whether any of the addresses takes a connection."""
    for address in broker.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host.strip("[]"), int(port)), CONNECT_S)
        except (OSError, TimeoutError):
            continue
        writer.close()
        return True
    return False
