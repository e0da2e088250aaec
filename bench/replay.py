"""A file through the whole loop, beside decoding it."""

from bench.timing import Row, journal, stopwatch
from meta_orchestrator.drivers.garbage import look_seldom
from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.decode import event_of, parse
from meta_orchestrator.wire.journal import read_line

RATE = 500
"""Events a second in the file: a busy team of eight projects and fifty agents."""


def measure(events: int) -> list[Row]:
    """Replay of a file beside checking its lines by pydantic: at most 4 times the time is promised.

    Beside it how replay itself reads them, which is quicker.
    """
    look_seldom()
    lines = journal(events // 2, RATE)
    with stopwatch() as decode_s:
        for number, line in enumerate(lines, 1):
            event_of(parse(line), line, number)
    with stopwatch() as read_s:
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
        ("decode by pydantic", f"{decode_s() * each:.2f}", "us an event", "1.00"),
        ("read as replay does", f"{read_s() * each:.2f}", "us an event", f"{read_s() / decode_s():.2f} x decode"),
        ("replay", f"{replay_s() * each:.2f}", "us an event", f"{replay_s() / decode_s():.2f} x decode"),
        ("output", f"{size / 1e6:.1f}", "MB", ""),
    ]
