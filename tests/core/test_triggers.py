"""A change names what led to it by ids that can be found among the outputs (CONTRACT §4.1), whenever it was said."""

import random
from typing import Any

import pytest

from tests.core.making import clock, line
from tests.core.test_metrics import outputs

HOUR_S = 3600
POLICY: dict[str, Any] = {"parameters": {"mode": "enforce"}, "pace": {"warm_up_s": 1800}}


def handoffs(fault_from_s: int, until_s: int) -> list[bytes]:
    """One each quarter of a minute; from a time on many of them time out."""
    chance, lines = random.Random(1), []
    for at_s in range(0, until_s, 15):
        names = {"handoff": f"h{at_s}", "task": f"t{at_s}", "from_agent": "a", "to_agent": "b"}
        lines.append(line(at_s, "agent.handoff.started", **names))
        if chance.random() < (0.6 if at_s >= fault_from_s else 0.02):
            lines.append(line(at_s + 1, "agent.handoff.failed", cause="timeout", **names))
        else:
            lines.append(line(at_s + 1, "agent.handoff.completed", wait_ms=1000, **names))
    return lines


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    """Frozen while the drift is found, so that the change comes ticks later."""
    registered = line(0, "orchestrator.registered", orchestrator="o", supports={"workflow.handoff_timeout_s": 120})
    freeze = line(10, "control.freeze", until="2027-01-15T12:35:00Z", reason="because", owner="eve")
    return outputs(registered, freeze, *handoffs(4 * HOUR_S, 6 * HOUR_S), clock(6 * HOUR_S), policy=POLICY)


def test_a_change_names_an_insight_that_was_said_ticks_before(told: list[dict[str, Any]]) -> None:
    change = next(output for output in told if output["type"] == "config.change")
    drifts = [output for output in told if output["type"] == "drift.detected"]
    drift = next(output for output in drifts if "agent" not in output["data"])
    assert drift["time"] < change["time"]
    assert drift["id"] in change["data"]["trigger"]


def test_every_trigger_is_the_id_of_an_insight_or_a_snapshot(told: list[dict[str, Any]]) -> None:
    kinds = {output["id"]: output["type"] for output in told}
    named = [kinds[name] for output in told if output["type"] == "config.change" for name in output["data"]["trigger"]]
    assert set(named) == {"drift.detected", "metrics.snapshot"}


def test_a_trial_always_names_something(told: list[dict[str, Any]]) -> None:
    trials = [
        output["data"] for output in told if output["type"] == "config.change" and output["data"]["kind"] == "trial"
    ]
    assert trials
    assert all(trial["trigger"] for trial in trials)
