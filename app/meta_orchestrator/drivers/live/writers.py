"""How a turn reaches Kafka: as one fenced transaction, or in careful order where the broker has no transactions."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from meta_orchestrator.drivers.live.options import Options
from meta_orchestrator.drivers.live.partition import Turn
from meta_orchestrator.drivers.live.positions import head_key
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.wire.dead_letters import fit
from meta_orchestrator.wire.signing import HEADER, sign
from meta_orchestrator.wire.topics import CHANGELOG_RECORD_BYTES, DEAD_LETTERS
from meta_orchestrator.wire.trust import Key

CONTENT_TYPE = ("content-type", b"application/cloudevents+json")
SIGNED = ("config-changes",)
START_S, START_AGAIN_S = 30, 0.5
STOP_S = 5
TRANSACTION_MS = 60_000
"""The broker aborts a transaction that is open for longer, as in a long outage; its partition is then read again."""
RETRY_BACKOFF_MS = 20
"""Kafka now and then answers a transaction's first produce with NOT_ENOUGH_REPLICAS while it verifies it."""

Parcel = tuple[str, bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""(topic, key, value, headers)"""


class Writer(ABC):
    """Writes the turns of one partition, with a producer of its own."""

    def __init__(self, options: Options, key: Key | None, number: int) -> None:
        self.options, self.key, self.number = options, key, number
        self.producer = self._new_producer()

    async def start(self) -> None:
        """Connect; with transactions, this is what shuts a former owner out.

        Partitions are assigned anew when a broker comes or goes, so that it may well do so again: that is waited for.
        """
        async with asyncio.timeout(START_S):
            while not await self._has_started():
                await asyncio.sleep(START_AGAIN_S)
                self.producer = self._new_producer()

    async def _has_started(self) -> bool:
        """False where another try may help."""
        try:
            await self.producer.start()
        except KafkaError as error:
            await self.producer.stop()
            if error.retriable or type(error) is KafkaError:  # that is how aiokafka wraps what it does not know
                return False
            raise
        return True

    def _new_producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self.options.broker,
            linger_ms=0,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            max_request_size=CHANGELOG_RECORD_BYTES,
            acks="all",
            **self.guarantee(),
            **self.options.settings.kafka_options(),
        )

    async def stop(self) -> None:
        await asyncio.wait_for(self.producer.stop(), STOP_S)

    @abstractmethod
    def guarantee(self) -> dict[str, Any]:
        """The producer's arguments."""

    @abstractmethod
    async def write(self, turn: Turn) -> None:
        """All of it, or an exception: then nobody knows how much."""

    def published(self, turn: Turn) -> list[Parcel]:
        """What others read."""
        parcels = [self._output(output) for output in turn.outputs]
        letters_to = self.options.settings.prefix + DEAD_LETTERS
        fitting = (fit(letter.key, letter.value, letter.headers) for letter in turn.letters)
        return parcels + [(letters_to, *letter) for letter in fitting]

    def remembered(self, turn: Turn) -> list[Parcel]:
        """What only a successor reads; the head, which makes the rest count, comes last."""
        rows = [(self._changelog(table), key, value, ()) for table, key, value in turn.rows]
        return [*rows, (self._changelog("heads"), head_key(self.number), turn.head, ())]

    async def send(self, parcels: Sequence[Parcel]) -> list["asyncio.Future[Any]"]:
        """Hand records to the producer; the futures tell when they are there."""
        return [
            await self.producer.send(topic, value, key=key, partition=self.number, headers=headers)
            for topic, key, value, headers in parcels
        ]

    def _output(self, output: CloudEvent) -> Parcel:
        topic, key, value = output.data.topic, output.project.encode(), output.to_json()
        headers = [CONTENT_TYPE]
        if self.key is not None and topic in SIGNED:
            headers.append((HEADER, sign(self.key, topic, key, value).encode()))
        return self.options.settings.prefix + topic, key, value, headers

    def _changelog(self, table: str) -> str:
        return f"{self.options.application}-{table}-changelog"


class Transaction(Writer):
    """Outputs, dead letters, state and the group's offsets appear together or not at all; from a former owner never."""

    def guarantee(self) -> dict[str, Any]:
        transactional_id = f"{self.options.application}-{self.number}"
        return {"transactional_id": transactional_id, "transaction_timeout_ms": TRANSACTION_MS}

    async def write(self, turn: Turn) -> None:
        await self.producer.begin_transaction()
        sent = await self.send([*self.published(turn), *self.remembered(turn)])
        prefix = self.options.settings.prefix
        offsets = {TopicPartition(prefix + topic, self.number): offset for topic, offset in turn.offsets.items()}
        await self.producer.send_offsets_to_transaction(offsets, self.options.application)
        await self.producer.commit_transaction()
        await asyncio.gather(*sent)


class Sequential(Writer):
    """Outputs, then state, then the head: a crash in between repeats outputs, the same, and loses nothing."""

    def guarantee(self) -> dict[str, Any]:
        return {}

    async def write(self, turn: Turn) -> None:
        *rows, head = self.remembered(turn)
        for parcels in (self.published(turn), rows, [head]):
            await asyncio.gather(*await self.send(parcels))
