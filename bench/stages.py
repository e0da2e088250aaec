"""Where the time of an event goes, stage by stage, without Kafka."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from bench.timing import Row, journal
from meta_orchestrator.core import loop as loop_module
from meta_orchestrator.core.loop import Loop
from meta_orchestrator.drivers.garbage import look_seldom
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.journal import read_line

STEPS = ("collect", "analyse", "hear", "obey", "validate", "learn", "adapt", "_publish_metrics")


def measure(events: int) -> list[Row]:
    """Microseconds an event, at the default policy: reading, observing, and each room of a tick."""
    look_seldom()
    lines, spent = journal(events // 4, 500), defaultdict[str, float](float)
    read = _timed("read", spent, lambda: [read_line(line, number) for number, line in enumerate(lines, 1)])
    events = [(project, event) for project, event, _ in read if project is not None]
    loop = Loop(Policy())
    _timed("observe", spent, lambda: [loop.observe(project, event, 0) for project, event in events])
    outputs: list[Any] = []
    originals = {name: getattr(loop_module, name) for name in STEPS}
    try:
        for name, step in originals.items():
            setattr(loop_module, name, _watched(name, step, spent))
        while (tick_us := loop.due(read[-1][1][0])) is not None:
            outputs += loop.decide(tick_us)
            _timed("rows", spent, loop.rows)
    finally:
        for name, step in originals.items():
            setattr(loop_module, name, step)
    _timed("encode outputs", spent, lambda: [o.to_json() for o in outputs if isinstance(o, CloudEvent)])
    total = sum(spent.values())
    return [
        (name.strip("_"), f"{1e6 * seconds / len(lines):.2f}", "us an event", f"{seconds / total:.0%}")
        for name, seconds in spent.items()
    ]


def _timed(name: str, spent: dict[str, float], work: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    done = work()
    spent[name] += time.perf_counter() - began
    return done


def _watched(name: str, step: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    return lambda *given: _timed(name, spent, lambda: step(*given))
