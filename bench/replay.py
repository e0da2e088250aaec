"""A file through the whole loop, beside decoding it."""

from collections import defaultdict
from collections.abc import Callable
from typing import TypeAlias

from bench.timing import ROUNDS, Row, journal, stopwatch
from meta_orchestrator.drivers.garbage import look_seldom
from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.decode import event_of, parse
from meta_orchestrator.wire.journal import read_line

Work: TypeAlias = Callable[[], object]
RATE = 500
"""Events a second in the file: a busy team of eight projects and fifty agents."""


def measure(events: int) -> list[Row]:
    """Replay of a file beside checking its lines by pydantic: at most 4 times the time is promised.

    Beside it how replay itself reads them, which is quicker.
    """
    look_seldom()
    lines = journal(events // 2, RATE)
    sizes: list[int] = []
    works: list[tuple[str, Work]] = [
        ("decode by pydantic", lambda: _decode(lines)),
        ("read as replay does", lambda: _read(lines)),
        ("replay", lambda: Replay(Policy(), lambda line: sizes.append(len(line))).run(lines)),
    ]
    took = {what: min(times) for what, times in _rounds(works).items()}
    return [
        *(
            (what, f"{best_s / len(lines) * 1e6:.2f}", "us an event", f"{best_s / took[works[0][0]]:.2f} x decode")
            for what, best_s in took.items()
        ),
        ("output", f"{sum(sizes) / ROUNDS / 1e6:.1f}", "MB", ""),
    ]


def _rounds(works: list[tuple[str, Work]]) -> dict[str, list[float]]:
    """Seconds of each, one after the other and all of that again: a neighbour of the machine slows a while of it."""
    times = defaultdict[str, list[float]](list)
    for _ in range(ROUNDS):
        for what, work in works:
            with stopwatch() as took_s:
                work()
            times[what].append(took_s())
    return times


def _decode(lines: list[bytes]) -> None:
    for number, line in enumerate(lines, 1):
        event_of(parse(line), line, number)


def _read(lines: list[bytes]) -> None:
    for number, line in enumerate(lines, 1):
        read_line(line, number)
