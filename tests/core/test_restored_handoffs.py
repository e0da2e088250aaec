"""Handoffs that are open when a worker dies time out when they would have."""

from meta_orchestrator.core.loop import Loop
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.outputs import MetricsSnapshot
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.journal import read_line
from tests.core.making import at_us, line

POLICY = Policy()
PAIR = {"task": "t", "from_agent": "ada", "to_agent": "ben"}


def timeouts(loop: Loop) -> list[tuple[int, int]]:
    """(tick, handoffs timed out in its window) from now to the end."""
    found: list[tuple[int, int]] = []
    while (tick_us := loop.due(at_us(1500))) is not None:
        found += [
            (tick_us, output.data.handoff_failure_causes.get("timeout", 0))
            for output in loop.decide(tick_us)
            if isinstance(output, CloudEvent) and isinstance(output.data, MetricsSnapshot)
        ]
    return found


def test_the_oldest_start_is_first_again_whatever_its_name() -> None:
    unbroken, restored = Loop(POLICY), Loop(POLICY)
    for number, (at_s, handoff) in enumerate([(1, "z"), (200, "a")]):
        project, event, _ = read_line(line(at_s, "agent.handoff.started", handoff=handoff, **PAIR), number)
        unbroken.observe(str(project), event, at_us(0))
    unbroken.decide(at_us(210))
    rows: dict[str, dict[bytes, bytes]] = {"heads": {}, "panes": {}}
    for table, key, value in unbroken.rows():
        rows[table][key] = value
    restored.restore(rows["heads"], rows["panes"], at_us(210))
    expected = timeouts(unbroken)
    assert (at_us(930), 1) in expected
    assert timeouts(restored) == expected
