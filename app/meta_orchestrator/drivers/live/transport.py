"""What Faust 0.15.3 must do differently. One class a fault, each on top of the class of Faust that has it.

Faust's fault is named first in each docstring, then what is done. All of it was met under SIGKILL, rebalances and
broker restarts; the tests of `tests/kafka` fail without it. Its reading thread is mended in fetching.py.
"""

from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from meta_orchestrator.drivers.live.batch import Batch
from meta_orchestrator.drivers.live.fetching import Thread
from meta_orchestrator.drivers.live.log import warn
from meta_orchestrator.errors import ForeignState, MetaOrchestratorError

if TYPE_CHECKING:
    from meta_orchestrator.drivers.live.app import App


class _Consumer(driver.Consumer):  # type: ignore[misc]  # Faust is not typed
    app: "App"


class OwnBeforeRecovery(_Consumer):
    """Faust recovers tables while the former owner may still write to them.

    The former owner is shut out first (`Owner.acquire`), and a turn that is being committed ends before partitions
    go. What fails in here Faust would only log, and then hang: so it ends the worker.
    """

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await self.app.owner.release()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        try:
            await self.app.acquire(assigned)
        except (KafkaError, TimeoutError, OSError, MetaOrchestratorError) as error:
            self.app.ending.fail(f"the assigned partitions could not be taken over: {error!r}")
            return
        await super().on_partitions_assigned(assigned, generation_id)


class SeekAfterRecovery(_Consumer):
    """Faust seeks also before and during recovery, when the tables are not whole: versions would begin again at 1.

    Sought is only once the recovery of this very assignment is over; partitions come alive only when they stand where
    their heads say. A state that cannot be read ends the worker: Faust would only log it.
    """

    async def perform_seek(self) -> None:
        if self.app.is_recovered():
            generation = self.app.consumer_generation_id
            try:
                self.app.owner.load()
            except ForeignState as error:
                self.app.ending.fail(str(error))
                return
            await super().perform_seek()
            if self.flow_active and generation == self.app.consumer_generation_id:
                self.app.begin()


class BatchMessages(_Consumer):
    """Faust makes its message of one record. Of a batch it gets the last offset, or it would drop it after a seek."""

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, Batch):
            return super()._to_message(tp, record)
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            record.end - 1,
            timestamp=0,
            timestamp_type=0,
            headers=[],
            key=None,
            value=record,  # it reaches the agent as it is: the topic's values are raw
            checksum=None,
            serialized_key_size=-1,
            serialized_value_size=-1,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )


class NoTopics(_Consumer):
    """Faust creates changelogs with settings of its own, when the leader of the group does not know them yet.

    `topics create` makes them, with the settings that they need; the worker checks them before it starts.
    """

    async def create_topic(self, topic: str, *_: Any, **__: Any) -> None:
        warn("Faust asked for a topic", topic=topic)


class Consumer(OwnBeforeRecovery, SeekAfterRecovery, BatchMessages, NoTopics):
    """Faust's consumer, mended."""

    def _new_consumer_thread(self) -> Thread:
        return Thread(self, loop=self.loop, beacon=self.beacon)


class Producer(driver.Producer):  # type: ignore[misc]  # Faust is not typed
    """The same for the producer, through which Faust declares changelogs."""

    async def create_topic(self, topic: str, *_: Any, **__: Any) -> None:
        """The topics are there: that was checked."""


class Transport(driver.Transport):  # type: ignore[misc]  # Faust is not typed
    Consumer = Consumer
    Producer = Producer
