"""The simulated team at a real broker: it publishes there, and obeys what a worker publishes there.

Both sides keep step by the team's clock. Records carry the team's time as their append time, which Kafka takes from
the sender only where a topic says so: the topics do, but while a worker starts, since it would refuse them. The team
lives in 2076, so that for the worker's own clock, which moves time on where a topic is silent, nothing is ever due.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from meta_orchestrator.drivers.closed_loop import ClosedLoop
from meta_orchestrator.drivers.live.clock import clock_tick
from meta_orchestrator.messages.fields import format_time_us, parse_time_us
from meta_orchestrator.messages.inputs import TOPIC_OF
from meta_orchestrator.messages.outputs import ConfigChange
from meta_orchestrator.wire.records import partition_of
from meta_orchestrator.wire.topics import INPUTS
from meta_orchestrator.wire.trust import Trust, load_trust
from tests.kafka.conftest import PARTITIONS
from tests.kafka.harness import Bench
from tests.kafka.reading import Record

START_US = parse_time_us("2076-01-06T08:00:00Z")
PATIENCE_S = 30
NO_LIMIT = str(2**63 - 1)


class TeamInProcess(ClosedLoop):
    """With the meta-orchestrator beside it."""

    start_us = START_US


class TeamOnKafka(ClosedLoop):
    """The same, but for what lies between the team and those who decide.

    The worker is killed inside of a transaction once the team has heard of `kill_after` trials, and another goes on.
    """

    start_us = START_US

    def __init__(self, bench: Bench, kill_after: int, *arguments: Any) -> None:
        self.bench, self.kill_after = bench, kill_after
        self.unsent: list[tuple[str, int, bytes]] = []
        self.snapshot: dict[str, Any] = {"time": ""}
        self.trials = 0
        super().__init__(*arguments)
        self.key = self.project.encode()
        self.partition = partition_of(self.key, PARTITIONS)
        self.runner = asyncio.Runner()

    def __enter__(self) -> "TeamOnKafka":
        self.runner.run(self._connect())
        self._start_worker()
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.run(self._disconnect())
        self.runner.close()

    # ---- instead of a replay in process ----

    def _publish(self, kind: str, data: dict[str, Any], source: str) -> None:
        line = self.envelopes.wrap(kind, data, source)
        if self.journal is not None:
            self.journal(line + b"\n")
        self.unsent.append((TOPIC_OF[kind], self.envelopes.now_us, line))

    def _clock_tick(self, time_us: int) -> None:
        """Everything up to here goes out, and comes back decided."""
        is_the_end = self.trials == self.kill_after
        if is_the_end:
            self.kill_after = -1
            self.bench.workers[-1].stop_file.touch()
        self.runner.run(self._send(time_us + self.replay.lateness_us))
        if is_the_end:
            self._replace_worker()
        self.runner.run(asyncio.wait_for(self._hear(time_us), PATIENCE_S))

    def _trust(self) -> Trust:
        return load_trust(self.bench.directory / "trust.toml")

    # ---- the worker ----

    def _start_worker(self) -> None:
        """It starts only on topics whose append times are the broker's own."""
        self.runner.run(self._set_clock("LogAppendTime"))
        self.bench.worker().wait_for("ready")
        self.runner.run(self._set_clock("CreateTime"))

    def _replace_worker(self) -> None:
        """The present one stops itself before its next commit, with everything sent."""
        killed = self.bench.workers[-1]
        killed.process.wait(PATIENCE_S)
        killed.stop_file.unlink()
        self._start_worker()

    # ---- the broker ----

    async def _connect(self) -> None:
        broker = self.bench.bootstrap
        self.producer = AIOKafkaProducer(bootstrap_servers=broker)
        self.reader = AIOKafkaConsumer(
            bootstrap_servers=broker, isolation_level="read_committed", fetch_max_wait_ms=20, enable_auto_commit=False
        )
        self.admin = AIOKafkaAdminClient(bootstrap_servers=broker)
        await asyncio.gather(self.producer.start(), self.reader.start(), self.admin.start())
        topics = [TopicPartition(self.bench.prefix + name, self.partition) for name in ("config-changes", "metrics")]
        self.reader.assign(topics)
        await self.reader.seek_to_beginning()

    async def _disconnect(self) -> None:
        await asyncio.gather(self.producer.stop(), self.reader.stop(), self.admin.close())

    async def _set_clock(self, whose: str) -> None:
        """Whose time the append times of the input topics are; a sender's may be any."""
        settings = {"message.timestamp.type": whose, "message.timestamp.after.max.ms": NO_LIMIT}
        names = [self.bench.prefix + name for name in INPUTS]
        await self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, settings) for name in names])

    async def _send(self, now_us: int) -> None:
        """What the team has said, and to all input topics what time it is."""
        ticks = [(topic, now_us, clock_tick("team", topic, self.partition)) for topic in INPUTS]
        unsent, self.unsent = [*self.unsent, *ticks], []
        for topic, at_us, value in unsent:
            where = {"partition": self.partition, "timestamp_ms": at_us // 1000}
            await self.producer.send(self.bench.prefix + topic, value, key=self.key, **where)
        await self.producer.flush()

    async def _hear(self, time_us: int) -> None:
        """Until the tick's snapshot and every change up to it are there: two topics may show a transaction in turn."""
        until = format_time_us(time_us)
        while self.snapshot["time"] < until or self.orchestrator.version < self.snapshot["data"]["config_version"]:
            for records in (await self.reader.getmany(timeout_ms=1000)).values():
                self._take(records)

    def _take(self, records: Iterable[Record]) -> None:
        for record in records:
            one = orjson.loads(record.value or b"")
            if one["type"] == "metrics.snapshot":
                self.snapshot = one
            elif one["type"] == ConfigChange.type:
                self.trials += one["data"]["kind"] == "trial"
                self.orchestrator.receive(record.value or b"", record.headers)
