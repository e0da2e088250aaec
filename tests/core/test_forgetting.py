"""What nobody speaks of for 24 h is forgotten at that moment, whatever else the project does in the meantime."""

from typing import Any

import orjson
import pytest

from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.policy import Policy
from tests.core.making import clock, line

HOUR_S = 3600
POLICY = Policy.model_validate({"samples": {"p95": 1, "rate": 1}})


def last_snapshot(lines: list[bytes]) -> dict[str, Any]:
    written: list[bytes] = []
    Replay(POLICY, written.append).run(lines)
    outputs = [orjson.loads(text) for text in written]
    data: dict[str, Any] = [output["data"] for output in outputs if output["type"] == "metrics.snapshot"][-1]
    return data


def chatter(hours: int, agent: str = "ben") -> list[bytes]:
    """Somebody is heard at the end of every hour, so that panes are folded all the time."""
    return [
        line(hour * HOUR_S - 5, "agent.feedback", agent=agent, change="x", rating=0.0) for hour in range(1, hours + 1)
    ]


@pytest.mark.parametrize("others", [[], chatter(27)])
def test_an_agent_is_new_after_a_day_of_silence(others: list[bytes]) -> None:
    beat = line(0, "agent.heartbeat", agent="ada", agent_type="tester", utilization=1.0)
    again = line(27.2 * HOUR_S, "agent.task.started", agent="ada", task="t")
    found = last_snapshot([beat, *others, again, clock(27.2 * HOUR_S + 320)])
    assert list(found["agent_utilization"]) == ["unknown"]


@pytest.mark.parametrize("others", [[], chatter(27)])
def test_a_silent_holder_is_remembered_as_long_as_its_task(others: list[bytes]) -> None:
    begin = [
        line(0, "agent.registered", agent="ada", agent_type="tester"),
        line(1, "agent.task.started", agent="ada", task="t"),
        line(2, "agent.task.blocked", agent="ada", task="t", waiting_for=[]),
    ]
    again = [
        line(27.2 * HOUR_S, "agent.task.unblocked", agent="ben", task="t"),
        line(27.2 * HOUR_S + 299, "agent.feedback", agent="ada", change="x", rating=0.0),
    ]
    found = last_snapshot([*begin, *others, *again, clock(27.2 * HOUR_S + 310)])
    assert found["agent_utilization"]["tester"] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("others", [[], chatter(27)])
def test_the_points_of_a_task_that_nobody_holds_are_forgotten(others: list[bytes]) -> None:
    done = {"agent": "ada", "task": "t", "outcome": "succeeded", "duration_ms": 1.0}
    first = line(0, "agent.task.finished", points=0, **done)
    found = last_snapshot([first, *others, line(27.2 * HOUR_S, "agent.task.finished", **done), clock(27.3 * HOUR_S)])
    assert found["development_velocity"] == 12


@pytest.mark.parametrize("others", [[], chatter(27)])
def test_the_votes_of_a_round_that_never_closed_are_forgotten(others: list[bytes]) -> None:
    votes = [line(0, "consensus.vote.cast", round="r", agent="ada", choice="reject")]
    close = [
        line(27.2 * HOUR_S, "consensus.vote.cast", round="r", agent="ben", choice="approve"),
        line(
            27.2 * HOUR_S + 1,
            "consensus.round.closed",
            round="r",
            item="i",
            outcome="accepted",
            latency_ms=1.0,
            attempt=1,
        ),
    ]
    assert last_snapshot([*votes, *others, *close, clock(27.3 * HOUR_S)])["dissent_rate"] == 0


@pytest.mark.parametrize(("later_s", "expected"), [(0, 1), (1e-6, 0)])
def test_after_exactly_a_day_it_is_still_remembered(later_s: float, expected: int) -> None:
    at_s = 24 * HOUR_S + later_s
    done = {"agent": "ada", "task": "t", "outcome": "failed", "duration_ms": 1.0}
    lines = [
        line(0, "consensus.vote.cast", round="r", agent="ada", choice="reject"),
        line(0, "agent.task.finished", points=0, **done),
        line(0, "agent.heartbeat", agent="ada", agent_type="tester", utilization=0.5),
        line(at_s, "agent.heartbeat", agent="ada", utilization=0.5),
        line(at_s, "consensus.round.closed", round="r", item="i", outcome="accepted", latency_ms=1.0, attempt=1),
        line(at_s, "agent.task.finished", **done),
        line(at_s + 0.1, "agent.rework.requested", task="t", agent="ada", requested_by="ben", attempt=1),
        clock(at_s + 300),
    ]
    found = last_snapshot(lines)
    assert found["dissent_rate"] == (1 if expected else None)
    assert found["rework_percentage"] == (None if expected else 100)
    assert list(found["agent_utilization"]) == (["tester"] if expected else ["unknown"])
