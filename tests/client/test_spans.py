"""A piece of work tells of its start and of its end, whatever the end is."""

import asyncio
from typing import Any

import orjson
import pytest

from meta_orchestrator.client import InvalidMessage
from meta_orchestrator.client.compose import Letter
from meta_orchestrator.client.spans import Spans

CONTENT = dict[str, Any]


class Paper(Spans):
    """A reporter whose letters stay on paper."""

    def __init__(self) -> None:
        super().__init__(broker="127.0.0.1:1", source="s", project="p")
        self._open = True
        self.letters: list[tuple[str, CONTENT]] = []

    def _put(self, letter: Letter) -> None:
        event = orjson.loads(letter.value)
        self.letters.append((event["type"], event["data"]))


@pytest.fixture
def team() -> Paper:
    return Paper()


def end_of(team: Paper) -> CONTENT:
    assert [kind for kind, _ in team.letters] == ["agent.task.started", "agent.task.finished"]
    return team.letters[1][1]


async def test_a_task_that_ends_succeeded(team: Paper) -> None:
    async with team.task("t1", agent="a1", points=3, criticality="major"):
        await asyncio.sleep(0.02)
    assert team.letters[0] == ("agent.task.started", {"task": "t1", "agent": "a1", "points": 3, "criticality": "major"})
    end = end_of(team)
    assert 15 <= end.pop("duration_ms") < 5000
    assert end == {"task": "t1", "agent": "a1", "outcome": "succeeded", "points": 3}


async def test_a_task_with_an_exception_failed_and_the_exception_goes_on(team: Paper) -> None:
    with pytest.raises(ZeroDivisionError):
        async with team.task("t1", agent="a1"):
            raise ZeroDivisionError
    assert end_of(team)["outcome"] == "failed"


async def test_a_cancelled_task_was_abandoned_and_stays_cancelled(team: Paper) -> None:
    async def work() -> None:
        async with team.task("t1", agent="a1"):
            await asyncio.sleep(60)

    running = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert end_of(team)["outcome"] == "abandoned"


def test_a_program_that_is_interrupted_abandons_its_task(team: Paper) -> None:
    with pytest.raises(KeyboardInterrupt), team.task("t1", agent="a1"):
        raise KeyboardInterrupt
    assert end_of(team)["outcome"] == "abandoned"


def test_what_is_known_only_at_the_end_is_told_at_the_end(team: Paper) -> None:
    with team.task("t1", agent="a1") as work:
        work.points, work.cost, work.outcome = 5, 0.25, "failed"
    end = end_of(team)
    assert (end["points"], end["cost"], end["outcome"]) == (5, 0.25, "failed")


def test_a_wrong_end_is_the_callers_mistake_but_never_hides_the_callers_own_error(
    team: Paper, caplog: pytest.LogCaptureFixture
) -> None:
    def work(happens: Exception | None) -> None:
        with team.task("t1", agent="a1") as task:
            task.cost = -1
            if happens:
                raise happens

    with pytest.raises(InvalidMessage, match="cost"):
        work(None)
    with pytest.raises(ZeroDivisionError):
        work(ZeroDivisionError())
    assert "cost" in caplog.text


async def test_a_handoff_completes_or_says_why_not(team: Paper) -> None:
    who = {"task": "t1", "from_agent": "a1", "to_agent": "a2"}
    async with team.handoff(**who) as passed:
        pass
    with pytest.raises(TimeoutError):
        async with team.handoff(**who, handoff="h2"):
            raise TimeoutError
    (started, first), (completed, second), _, (failed, last) = team.letters
    assert (started, completed, failed) == ("agent.handoff.started", "agent.handoff.completed", "agent.handoff.failed")
    assert first == {**who, "handoff": passed.handoff}
    assert second.pop("wait_ms") >= 0
    assert second == first
    assert (last["handoff"], last["cause"]) == ("h2", "timeout")
