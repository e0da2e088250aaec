"""Fixtures of the tests that need a broker: topics of one's own for every test, and workers."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.brokers import PARTITIONS, new_prefix
from tests.kafka.harness import Bench

__all__ = ["PARTITIONS", "new_prefix"]

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers come and go here, and it tells of each time


@pytest.fixture
def bench(kafka: str, prefix: str, tmp_path: Path) -> Iterator[Bench]:
    """Workers on the session's broker, under a prefix of their own."""
    bench = Bench(kafka, prefix, tmp_path)
    yield bench
    bench.end()
