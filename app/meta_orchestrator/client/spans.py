"""Pieces of work as context managers: their start and their end are told, whatever the end is."""

import asyncio
import time
from types import TracebackType
from typing import Any, Literal, Self
from uuid import uuid4

from meta_orchestrator.client.compose import InvalidMessage
from meta_orchestrator.client.connection import log
from meta_orchestrator.client.reporter import Reporter
from meta_orchestrator.messages.fields import Criticality

Outcome = Literal["succeeded", "failed", "abandoned"]


class Span:
    """Something with a start and an end. For `with` and for `async with`: nothing in it waits."""

    def __init__(self, team: Reporter) -> None:
        self._team = team
        self._start_ns = 0

    def begin(self) -> None:
        raise NotImplementedError

    def end(self, error: BaseException | None) -> None:
        raise NotImplementedError

    @property
    def elapsed_ms(self) -> float:
        return (time.monotonic_ns() - self._start_ns) / 1e6

    def __enter__(self) -> Self:
        self._start_ns = time.monotonic_ns()
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.end(error)
        except InvalidMessage as fault:
            if error is None:
                raise
            log.error(
                "the end of %s could not be told: %s", type(self).__name__, fault
            )  # the caller's own error goes first

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


class Task(Span):
    """A task of an agent: succeeded, failed (an exception), or abandoned (cancelled, or the program ends).

    `outcome`, `points` and `cost` may be set inside; an `outcome` that was set stands, whatever the exception.
    """

    def __init__(self, team: Reporter, task: str, agent: str, **about: Any) -> None:
        super().__init__(team)
        self.task, self.agent = task, agent
        self.points: float | None = about.get("points")
        self.cost: float | None = None
        self.outcome: Outcome | None = None
        self._about = about

    def begin(self) -> None:
        self._team.post("agent.task.started", _named(task=self.task, agent=self.agent, **self._about))

    def end(self, error: BaseException | None) -> None:
        finished = _named(
            task=self.task,
            agent=self.agent,
            outcome=self.outcome or _outcome(error),
            duration_ms=self.elapsed_ms,
            points=self.points,
            cost=self.cost,
        )
        self._team.post("agent.task.finished", finished)


class Handoff(Span):
    """A task passes from one agent to another while the block runs: completed at its end, failed with an exception."""

    def __init__(self, team: Reporter, task: str, from_agent: str, to_agent: str, handoff: str | None) -> None:
        super().__init__(team)
        self.handoff = handoff or str(uuid4())
        self._who = {"handoff": self.handoff, "task": task, "from_agent": from_agent, "to_agent": to_agent}

    def begin(self) -> None:
        self._team.post("agent.handoff.started", self._who)

    def end(self, error: BaseException | None) -> None:
        if error is None:
            self._team.post("agent.handoff.completed", {**self._who, "wait_ms": self.elapsed_ms})
        else:
            failed = {"cause": _cause(error), "wait_ms": self.elapsed_ms, "detail": repr(error)[:500]}
            self._team.post("agent.handoff.failed", {**self._who, **failed})


class Spans(Reporter):
    """A reporter that tells of pieces of work."""

    def task(
        self,
        task: str,
        *,
        agent: str,
        points: float | None = None,
        item: str | None = None,
        criticality: Criticality | None = None,
        required_skills: list[str] | None = None,
    ) -> Task:
        about = {"points": points, "item": item, "criticality": criticality, "required_skills": required_skills}
        return Task(self, task, agent, **about)

    def handoff(self, task: str, *, from_agent: str, to_agent: str, handoff: str | None = None) -> Handoff:
        return Handoff(self, task, from_agent, to_agent, handoff)


def _outcome(error: BaseException | None) -> Outcome:
    if error is None:
        return "succeeded"
    cancelled = isinstance(error, asyncio.CancelledError) or not isinstance(error, Exception)
    return "abandoned" if cancelled else "failed"


def _cause(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    return "error" if isinstance(error, Exception) else "other"


def _named(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
