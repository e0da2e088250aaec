"""A file through the whole loop, beside decoding it."""

from bench.timing import Row, journal, stopwatch
from meta_orchestrator.drivers.garbage import look_seldom
from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.journal import read_line

RATE = 500
"""Events a second in the file: a busy team of eight projects and fifty agents."""


def measure(events: int) -> list[Row]:
    """Replay of a file beside reading and checking its lines: at most 4 times the time is promised."""
    look_seldom()
    lines = journal(events // 2, RATE)
    with stopwatch() as decode_s:
        for number, line in enumerate(lines, 1):
            read_line(line, number)
    size = 0

    def write(line: bytes) -> None:
        nonlocal size
        size += len(line)

    replay = Replay(Policy(), write)
    with stopwatch() as replay_s:
        replay.run(lines)
    each = 1e6 / len(lines)
    return [
        ("decode", f"{decode_s() * each:.2f}", "us an event", "1.00"),
        ("replay", f"{replay_s() * each:.2f}", "us an event", f"{replay_s() / decode_s():.2f} x decode"),
        ("output", f"{size / 1e6:.1f}", "MB", ""),
    ]
