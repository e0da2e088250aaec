"""The brokers that tests share, each started once a session for all folders (tests/conftest.py hands them out)."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from meta_orchestrator.wire import topics
from tests.kafka.broker import Broker, JavaBroker, UnavailableError, any_broker, embedded_broker, java_broker

PARTITIONS = 4


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """The best broker of this machine (broker.py says which)."""
    with any_broker() as running:
        yield running


@pytest.fixture(scope="session")
def kafka(broker: Broker) -> str:
    """The bootstrap address of a real Apache Kafka. Without one the test does not run, and says why."""
    if not broker.real:
        reason = f"needs real Apache Kafka: {broker.why_not}"
        if os.environ.get("META_ORCHESTRATOR_REQUIRE_KAFKA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return broker.bootstrap


@pytest.fixture(scope="session")
def embedded() -> Iterator[str]:
    """The bootstrap address of an embedded broker: no transactions, no append times."""
    with embedded_broker() as bootstrap:
        yield bootstrap


@pytest.fixture
def prefix(kafka: str) -> str:
    """A topic prefix that nobody else uses; all topics exist, with four partitions."""
    return new_prefix(kafka)


@pytest.fixture(scope="session")
def mortal_broker(kafka: str) -> Iterator[JavaBroker]:
    """Beside the one that lives as long as the session."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(java_broker())
        except UnavailableError as error:
            pytest.skip(f"a broker that may be killed needs Java and Maven: {error}")
        yield running


@pytest.fixture
def own_broker(mortal_broker: JavaBroker) -> JavaBroker:
    """A broker that a test may kill; the next test finds it running. Where there is none, it does not run."""
    if mortal_broker.process is None:
        mortal_broker.start()
    return mortal_broker


def new_prefix(bootstrap: str) -> str:
    """Create all topics under a prefix of their own."""
    chosen = f"t{uuid4().hex[:8]}-"
    asyncio.run(_create(bootstrap, chosen))
    return chosen


async def _create(bootstrap: str, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await topics.create(admin, prefix, PARTITIONS, replication=1)
    finally:
        await admin.close()
