"""A connection to the broker that is waited for, aloud and not for ever."""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from meta_orchestrator.errors import BrokerUnavailable

if TYPE_CHECKING:
    from meta_orchestrator.settings import Settings

WAIT_S = 15.0
RETRY_S = 0.5

Client = TypeVar("Client", AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient)


@asynccontextmanager
async def connected(kind: type[Client], settings: "Settings", **options: Any) -> AsyncIterator[Client]:
    """A client of aiokafka, started; closed at the end. BrokerUnavailable if no broker answers within the wait."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its warnings repeat what is said here in one sentence
    client = await _started(kind, settings, options)
    try:
        yield client
    except KafkaConnectionError as error:
        raise BrokerUnavailable(f"the broker at {settings.broker} went away: {error}") from error
    finally:
        await _close(client)


async def _started(kind: type[Client], settings: "Settings", options: dict[str, Any]) -> Client:
    deadline = time.monotonic() + WAIT_S
    announced = False
    while True:
        client: Client = kind(bootstrap_servers=settings.broker, **settings.kafka_options(), **options)
        try:
            await asyncio.wait_for(client.start(), max(RETRY_S, deadline - time.monotonic()))
            return client
        except (KafkaError, TimeoutError, OSError) as error:
            await _close(client)
            if time.monotonic() + RETRY_S > deadline:
                raise BrokerUnavailable(f"no broker answered at {settings.broker} within {WAIT_S:g} s") from error
        if not announced:
            sys.stderr.write(f"waiting up to {WAIT_S:g} s for the broker at {settings.broker}\n")
            announced = True
        await asyncio.sleep(RETRY_S)


async def _close(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient) -> None:
    await (client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop())
