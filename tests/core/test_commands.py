"""When and where a command counts (CONTRACT §1): it waits for no pane and is never late."""

from typing import Any

from meta_orchestrator.core.loop import Loop
from meta_orchestrator.messages.event import Refused
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.journal import read_line
from tests.core.making import at_us, line
from tests.core.test_metrics import snapshot


def command(at_s: float, **more: Any) -> bytes:
    return line(at_s, "control.rollback", to_version=0, reason="because", owner="eve", **more)


def beat(at_s: float) -> bytes:
    return line(at_s, "agent.heartbeat", agent="a", utilization=0.5)


def test_a_command_whose_pane_is_closed_is_counted_where_it_arrived() -> None:
    shown = snapshot(beat(5), beat(200), command(3), at_s=210)
    assert shown["counts"] == {"agent.heartbeat": 2, "control.rollback": 1}
    assert (shown["manual_interventions"], shown["late_events"]) == (1, 0)


def test_it_leaves_the_window_with_the_pane_where_it_arrived() -> None:
    lines = beat(5), beat(200), command(3), beat(400)
    assert snapshot(*lines, at_s=480)["manual_interventions"] == 1
    assert snapshot(*lines, at_s=510)["manual_interventions"] == 0


def test_a_command_whose_pane_is_open_is_counted_there() -> None:
    assert snapshot(beat(5), command(31), at_s=30)["manual_interventions"] == 0
    assert snapshot(beat(5), command(31), at_s=60)["manual_interventions"] == 1


def test_a_command_that_is_sent_again_later_is_refused_and_not_counted() -> None:
    loop, text = Loop(Policy(), once=True), command(3)
    counts, refused = 0, []
    for at_s in (4, 70, 100):
        loop.command("p", read_line(text, 1)[1], at_us(at_s))
    for tick_s in (30, 60, 90, 120, 600):
        for said in loop.decide(at_us(tick_s)):
            if isinstance(said, Refused):
                refused.append(said.reason)
            elif said.data.type == "metrics.snapshot" and tick_s == 120:
                counts += said.data.counts["control.rollback"]
    assert (counts, refused) == (1, ["replayed", "replayed"])
