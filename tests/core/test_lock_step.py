"""`replay -`: whoever stands at the other end of the pipe sees an answer at once (CONTRACT §6)."""

import orjson

from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.policy import Policy
from tests.core.making import clock, line


def seen_after_each(*lines: bytes) -> list[list[str]]:
    """Types of what has come through the pipe after each line."""
    held: list[bytes] = []
    through: list[str] = []

    def flush() -> None:
        through.extend(orjson.loads(text)["type"] for text in held)
        held.clear()

    replay, seen = Replay(Policy(), held.append, flush), []
    for one in lines:
        through.clear()
        replay.run([one])
        seen.append(list(through))
    return seen


def test_a_clock_tick_is_answered_with_what_is_due_and_then_itself() -> None:
    beat = line(5, "agent.heartbeat", agent="a", utilization=0.5)
    assert seen_after_each(beat, clock(30), clock(40)) == [[], ["metrics.snapshot", "clock.ticked"], ["clock.ticked"]]


def test_a_dead_letter_does_not_wait_for_the_next_clock_tick() -> None:
    bad_tick = orjson.dumps(orjson.loads(clock(30)) | {"data": None})
    assert seen_after_each(b"not json", bad_tick) == [["dead.letter"], ["dead.letter"]]
