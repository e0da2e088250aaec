"""Time passes in silence too: a topic in which nothing is written would hold every tick back.

Where a tick would be due by the clock and an input topic's silence holds it back, a `clock.tick` is written into that
topic's partition: its append time moves the watermark. Only then, so an idle worker writes nothing.
"""

import asyncio
import time

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from meta_orchestrator.drivers.live.app import App
from meta_orchestrator.drivers.live.log import warn
from meta_orchestrator.drivers.live.partition import Partition
from meta_orchestrator.messages.fields import SECOND, format_time_us

LOOK_S = 0.1
SILENT_S = 0.5
"""A topic that was read more recently than this may be about to bring the time itself."""
MARGIN_US = 10_000
"""Ask for a tick this much after its time, so that the broker's append time is past it too."""
SEND_S = 5


class Clock:
    """Looks ten times a second whether a partition of ours waits for time to pass."""

    def __init__(self, app: App) -> None:
        self.app, self.options = app, app.options
        self.producer = AIOKafkaProducer(
            bootstrap_servers=self.options.broker, linger_ms=0, **self.options.settings.kafka_options()
        )
        self.idle_until_us: dict[int, int] = {}
        """By partition: no tick can become due before. New records could change that, and they bring their time."""

    async def run(self) -> None:
        await self.producer.start()
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                await self.app.owner.send_letters()
                await asyncio.gather(*(self._look(partition) for partition in self.app.owner.partitions()))
        finally:
            await self.producer.stop()

    async def _look(self, partition: Partition) -> None:
        now_us = time.time_ns() // 1000 - MARGIN_US
        if now_us < self.idle_until_us.get(partition.number, 0):
            return
        silent = partition.held_back(now_us)
        if silent is None:
            self.idle_until_us[partition.number] = partition.next_tick_us(now_us)
        else:
            await asyncio.gather(*(self._tick(topic, partition.number) for topic in silent))

    async def _tick(self, topic: str, number: int) -> None:
        heard_s = self.app.heard_s
        if time.monotonic() - heard_s.get((topic, number), 0) < SILENT_S:
            return
        heard_s[topic, number] = time.monotonic()
        where = self.options.settings.prefix + topic
        event = clock_tick(self.options.application, topic, number)
        try:
            sent = await self.producer.send(where, event, partition=number)
            await asyncio.wait_for(sent, SEND_S)
        except (KafkaError, TimeoutError) as error:
            warn("a clock.tick was not written", topic=where, partition=number, error=repr(error))


def clock_tick(source: str, topic: str, partition: int) -> bytes:
    """The event itself. Nobody is deduplicated by it, but its identity is one all the same."""
    now_us = time.time_ns() // 1000
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"{topic}/{partition}/{now_us}",
            "source": source,
            "type": "clock.tick",
            "time": format_time_us(now_us - now_us % (SECOND // 1000)),
            "data": {},
        }
    )
