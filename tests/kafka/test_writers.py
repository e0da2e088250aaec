"""A writer and a broker that is not there yet."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, ProducerFenced

from meta_orchestrator.drivers.live import writers
from meta_orchestrator.drivers.live.options import Options
from meta_orchestrator.drivers.live.writers import Transaction
from meta_orchestrator.settings import Settings


class Producers:
    """What each producer in turn meets when it starts."""

    def __init__(self, *errors: KafkaError | None) -> None:
        self.errors, self.made, self.stopped = list(errors), 0, 0

    def __call__(self, **_: Any) -> "Producers":
        self.made += 1
        return self

    async def start(self) -> None:
        error = self.errors.pop(0)
        if error is not None:
            raise error

    async def stop(self) -> None:
        self.stopped += 1


def start(monkeypatch: pytest.MonkeyPatch, producers: Producers) -> None:
    monkeypatch.setattr(writers, "AIOKafkaProducer", producers)
    monkeypatch.setattr(writers, "START_AGAIN_S", 0)
    asyncio.run(Transaction(Options(Settings()), None, 0).start())


def test_a_broker_that_goes_while_a_writer_starts_is_tried_again_by_a_new_producer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    producers = Producers(KafkaConnectionError("gone"), KafkaError("KafkaConnectionError('closed')"), None)
    start(monkeypatch, producers)
    assert (producers.made, producers.stopped) == (3, 2)


def test_what_another_try_would_not_mend_is_raised_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    producers = Producers(ProducerFenced("another one writes"))
    with pytest.raises(ProducerFenced):
        start(monkeypatch, producers)
    assert (producers.made, producers.stopped) == (1, 1)


def test_a_writer_does_not_try_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "START_S", 0.05)
    with pytest.raises(TimeoutError):
        start(monkeypatch, Producers(*[KafkaConnectionError("gone")] * 100_000))
