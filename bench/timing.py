"""Timing shared by the parts."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.policy import Policy
from tests.kafka.harness import event

ROUNDS = 3
"""The least time of so many is what the code takes; more is what else the machine did."""
Row = tuple[str, str, str, str]
"""What, figure, unit, ratio."""
START_US = 1_800_000_000 * SECOND
POLICY: dict[str, Any] = {"time": {"pane_s": 1, "tick_s": 2, "window_s": 20, "lateness_s": 2}}
"""Short windows: many ticks a backlog, so that they weigh as much as they ever will."""


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Seconds since the block began, then how long it took."""
    began, took = time.perf_counter(), 0.0
    yield lambda: took or time.perf_counter() - began
    took = time.perf_counter() - began


def journal(events: int, rate: float, tail_s: float = 3600) -> list[bytes]:
    """The load of the Kafka tests as a file: `rate` events a second, ended by a `clock.tick`."""
    import random

    dice = random.Random(1)  # noqa: S311 - a load, no secret
    step_us = SECOND / rate
    lines = [orjson.dumps(event(n, START_US + round(n * step_us), dice)) + b"\n" for n in range(events)]
    end = {"specversion": "1.0", "id": "end", "source": "bench", "type": "clock.tick", "data": {}}
    end_us = START_US + round(events * step_us + tail_s * SECOND)
    return [*lines, orjson.dumps(end | {"time": format_time_us(end_us)}) + b"\n"]


def policy() -> Policy:
    return Policy.model_validate(POLICY)
