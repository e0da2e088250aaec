"""What `status` adds to the outputs."""

from meta_orchestrator.cli.tables import MINUTE_US, silence
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.view import View

TICK = "2026-03-02T09:00:00Z"


def test_a_project_of_which_nothing_was_written_for_long_is_doubted():
    view = View()
    view.add({"type": "metrics.snapshot", "project": "checkout", "id": "s1", "time": TICK, "data": {}})
    checkout, tick_us = view.projects["checkout"], parse_time_us(TICK)
    assert silence(checkout, tick_us + 5 * MINUTE_US) is None
    said = silence(checkout, tick_us + 7 * MINUTE_US)
    assert said
    assert said.startswith(f"checkout: nothing was written for 7 min, since {TICK}: no events, or no worker?")
