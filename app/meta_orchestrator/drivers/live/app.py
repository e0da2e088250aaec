"""The Faust app: two tables of plain bytes, one agent over the four input topics. Faust commits nothing for them.

`heads` holds what changes at every tick (ledgers, positions), `panes` what was learnt from closed panes. Both are
written by the owner's transactions, straight to their changelogs; Faust assigns partitions and brings the tables
back.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faust
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import TP, Message

from meta_orchestrator.drivers.live.batch import Batch
from meta_orchestrator.drivers.live.ending import Ending
from meta_orchestrator.drivers.live.log import LOGGER, say
from meta_orchestrator.drivers.live.options import Options
from meta_orchestrator.drivers.live.owner import NotCopartitionedError, Owner
from meta_orchestrator.drivers.live.partition import Partition
from meta_orchestrator.drivers.live.positions import Reading
from meta_orchestrator.drivers.live.transport import Transport
from meta_orchestrator.drivers.live.writers import Writer
from meta_orchestrator.settings import Settings
from meta_orchestrator.wire.topics import INPUTS, TABLES

BATCHES_WAITING = 8
"""Batches a topic's queue holds: one is all that a fetch brought of a partition, and Faust's default is 4096."""
BATCH_RECORDS, FETCH_BYTES = 16_000, 4 << 20
"""What a fetch brings of a partition: so many records of a changelog; of an input, where aiokafka counts whole batches
of Kafka, it is bounded by its bytes alone."""


class App(faust.App):  # type: ignore[misc]  # Faust is not typed
    """One worker's app. `owner` and `ending` are asked by the mended transport."""

    def __init__(
        self,
        options: Options,
        ending: Ending,
        new_writer: Callable[[int], Writer],
        new_partition: Callable[[int], Partition],
    ) -> None:
        self.options, self.ending = options, ending
        self.owner = Owner(self, ending, new_writer, new_partition)
        self.input_topics = {options.settings.prefix + topic: topic for topic in INPUTS}
        self.heard_s: dict[tuple[str, int], float] = {}
        """When something was last read, by (topic without prefix, partition), in seconds of `time.monotonic`."""
        super().__init__(options.application, **_configuration(options))
        self.stored = {
            name: self.Table(name, key_type=bytes, value_type=bytes, partitions=options.partitions) for name in TABLES
        }
        inputs = self.topic(
            *self.input_topics, value_type=bytes, value_serializer="raw", acks=False, maxsize=BATCHES_WAITING
        )
        self.agent(inputs, name="crank")(self._crank)

    # ---- the agent ----

    async def _crank(self, stream: Any) -> None:
        async for event in stream.events():
            await self._receive(event.message)

    async def _receive(self, message: Message) -> None:
        partition = self.owner.alive(message.partition)
        if partition is None or message.generation_id != self.consumer_generation_id:
            return  # fetched for an assignment that is over
        topic, batch = self.input_topics[message.topic], self._in_order(message, partition)
        if batch is None:
            position = partition.head.readings[topic].next
            say("read again", topic=message.topic, partition=message.partition, position=position)
            await self.consumer.seek_wait({message.tp: position})
        elif batch.end > batch.start:
            self.heard_s[topic, message.partition] = time.monotonic()
            partition.observe(topic, batch, batch.start, batch.end)
            await self.owner.observed(message.partition, batch.count)

    def _in_order(self, message: Message, partition: Partition) -> Batch | None:
        """What of a batch comes next; None where something was dropped on the way here.

        Faust empties its queues during a rebalance and reads on from where aiokafka stands, in silence: without this
        check 70 of 60,000 events were lost under ten SIGKILLs. It stays for ever.
        """
        batch: Batch = message.value
        position = partition.head.readings[self.input_topics[message.topic]].next
        if position is None or batch.start > position:
            return None
        if batch.start < position:  # read twice
            return Batch(batch.fetched, position, max(batch.end, position))
        return batch

    async def _on_agent_error(self, agent: Any, exc: BaseException) -> None:
        """Faust would take the batch as handled and go on."""
        LOGGER.critical("an error in the agent", exc_info=exc)
        self.ending.fail(f"an error in the agent: {exc!r}")

    # ---- an assignment ----

    async def acquire(self, assigned: set[TP]) -> None:
        """Own the assigned partitions, if inputs and changelogs were assigned alike.

        A changelog that was created a moment ago may be unknown to the leader of the group, which then leaves it out.
        """
        together = (*self.input_topics, *self.tables.changelog_topics)
        numbers = [frozenset(tp.partition for tp in assigned if tp.topic == topic) for topic in together]
        if len(set(numbers)) > 1:
            found = {topic: sorted(some) for topic, some in zip(together, numbers, strict=True)}
            raise NotCopartitionedError(f"topics that belong together were assigned differently: {found}")
        await self.owner.acquire(numbers[0])

    def is_recovered(self) -> bool:
        """The tables are whole, for the present assignment. If Faust gave up on the way, the worker ends."""
        recovery = self.tables.recovery
        over = self.consumer.flow_active and not self.in_recovery
        if not over or recovery._generation_id != self.consumer_generation_id:
            return False
        if recovery.need_recovery() or not recovery.active_tps <= set(recovery.active_highwaters):
            self.ending.fail(f"the tables were not recovered: {recovery.active_stats()}")
            return False
        return True

    async def rejoin(self) -> None:
        """Ask the group for a new assignment."""
        await self.consumer._thread.rejoin()

    def readings_to_seek(self) -> dict[TP, Reading]:
        """Where reading goes on in the input topics of partitions that do not count yet."""
        return {
            TP(topic, owned.partition.number): owned.partition.head.readings[name]
            for owned in self.owner.owned.values()
            if owned.partition is not None and not owned.alive
            for topic, name in self.input_topics.items()
        }

    def begin(self) -> None:
        """Count from here."""
        self.owner.begin()
        say("ready", partitions=sorted(self.owner.owned), generation=self.consumer_generation_id)

    async def on_stop(self) -> None:
        await self.owner.release()
        await super().on_stop()

    # ---- the tables, by partition ----

    def of(self, table: str, partition: int) -> dict[bytes, bytes]:
        """The committed rows of a partition."""
        store = self.stored[table].data
        return {key: value for key, value in store.data.items() if value and store._key_partition.get(key) == partition}

    def keep(self, table: str, partition: int, key: bytes, value: bytes) -> None:
        """A row that was just committed: the store must know whose it is, or recovery would never let go of it."""
        store = self.stored[table].data
        store.data[key] = value
        store._key_partition[key] = partition

    # ---- connections ----

    def reader_options(self) -> dict[str, Any]:
        """Of a reader beside Faust's."""
        return {
            "bootstrap_servers": self.options.broker,
            "enable_auto_commit": False,
            "isolation_level": "read_committed" if self.options.transactions else "read_uncommitted",
            "fetch_max_wait_ms": 50,
            **self.options.settings.kafka_options(),
        }

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Transport:
        return Transport(self.conf.broker_producer, self)


def _configuration(options: Options) -> dict[str, Any]:
    """Faust's settings; each that is not its default is here for a reason."""
    brokers = [f"kafka://{address.strip()}" for address in options.broker.split(",")]
    return {
        "broker": brokers,
        "broker_credentials": credentials(options.settings),
        "store": "memory://",
        "datadir": Path(tempfile.gettempdir()) / "meta-orchestrator",  # Faust makes it; nothing of ours is kept there
        "topic_partitions": options.partitions,
        "topic_replication_factor": 1,  # it creates no topics (NoTopics)
        "topic_disable_leader": True,  # no timers of a leader: nothing of ours coordinates workers
        "table_standby_replicas": 0,  # of no use to tables in memory
        "web_enabled": False,  # it would show tables to everybody
        "stream_wait_empty": False,  # it can hang a stop; acks are off, so there is nothing to wait for
        "stream_recovery_delay": 0,
        "broker_session_timeout": options.session_timeout_s,
        "broker_heartbeat_interval": options.session_timeout_s / 6,
        "broker_rebalance_timeout": max(options.session_timeout_s, 10),
        "broker_commit_interval": 5,  # there is nothing to commit
        "broker_max_poll_records": BATCH_RECORDS,
        "consumer_max_fetch_size": FETCH_BYTES,  # of a partition
        "consumer_auto_offset_reset": "earliest",
    }


def credentials(settings: Settings) -> SASLCredentials | SSLCredentials | None:
    """The settings' security in Faust's words. The context must stand on SASL's credentials, or there is no TLS."""
    context = settings.ssl_context()
    if settings.uses_sasl:
        return SASLCredentials(
            username=settings.username,
            password=settings.password,
            mechanism=settings.sasl_mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context=context) if context is not None else None
