"""The steps of one case → its events."""

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from meta_orchestrator.convert.step import Step
from meta_orchestrator.messages.fields import Criticality

UNKNOWN_AGENT = "unknown"
"""Does what the log names nobody for. Work does not pass to or from it: it may have been anybody."""
_NO_WORK = frozenset({"schedule", "assign", "reassign", "suspend", "resume", "autoskip", "manualskip"})
"""Transitions of the XES lifecycle model that neither begin nor end work."""
_ABANDONED = frozenset({"withdraw", "ate_abort", "pi_abort"})


class Made(NamedTuple):
    """An event before its envelope."""

    time_us: int
    id: str
    type: str
    subject: str
    """The activity that it comes from; the contract's data has no place for it."""
    data: dict[str, Any]


class Work(NamedTuple):
    """A step from its start to its end."""

    activity: str
    agent: str
    seen_us: int
    """When the log first knows the agent to have it."""
    start_us: int
    end_us: int | None
    """None: started, and the log never says that it ended."""
    outcome: str
    criticality: Criticality | None
    cost: float | None


@dataclass
class Tally:
    """What the conversion found in all cases together."""

    steps: int = 0
    handoffs: int = 0
    returns: int = 0
    """A-B-A: a handoff that undoes the one before it in its case."""
    reworks: int = 0
    nobody: int = 0
    """Steps for which the log names nobody."""
    passed_over: int = 0
    """Changes from or to nobody, which are no handoffs."""
    no_work: int = 0
    """Events that neither begin nor end work (schedule, suspend ...)."""
    unfinished: int = 0
    agents: set[str] = field(default_factory=set)


def case_events(case: str, steps: list[Step], completed: re.Pattern[str], tally: Tally) -> list[Made]:
    """The events of a case in the order of time. `steps` are in the order of time and at least one."""
    works = _works(steps, tally)
    said = _Said(case)
    last: tuple[str, str] | None = None
    for number, work in enumerate(works):
        before = works[number - 1] if number else work
        if _again(before, work, completed):
            said.rework(before, work)
        passed = _handoff(before, work, tally)
        if passed:
            said.handoff(before, work)
            tally.returns += passed[::-1] == last
            last = passed
        said.step(number + 1, work)
    if works:
        said.completed(steps, works[-1])
    tally.steps += len(works)
    tally.reworks += said.reworks
    return sorted(said.events, key=lambda made: made[:2])


class _Said:
    """The events of a case so far. Ids follow the order in which they are said, so that it holds among equal times."""

    def __init__(self, case: str) -> None:
        self.case = case
        self.events: list[Made] = []
        self.handoffs = self.reworks = 0

    def step(self, number: int, work: Work) -> None:
        """A task of its own with points 0."""
        task = {"task": f"{self.case}#{number}", "agent": work.agent}
        level = {} if work.criticality is None else {"criticality": work.criticality}
        self._say(work.start_us, "agent.task.started", work, {**task, "item": self.case, **level, "points": 0})
        if work.end_us is not None:
            cost = {} if work.cost is None else {"cost": work.cost}
            ended = {"outcome": work.outcome, "duration_ms": _ms(work.end_us - work.start_us), "points": 0, **cost}
            self._say(work.end_us, "agent.task.finished", work, task | ended)

    def handoff(self, before: Work, work: Work) -> None:
        """From one step's agent to the next one's, known when that one acts."""
        self.handoffs += 1
        wait_us = max(0, work.seen_us - (before.seen_us if before.end_us is None else before.end_us))
        passed = {"handoff": f"{self.case}#h{self.handoffs}", "task": self.case}
        passed |= {"from_agent": before.agent, "to_agent": work.agent}
        self._say(work.seen_us, "agent.handoff.started", work, passed)
        self._say(work.seen_us, "agent.handoff.completed", work, {**passed, "wait_ms": _ms(wait_us)})

    def rework(self, before: Work, work: Work) -> None:
        """The case was complete, and goes on."""
        self.reworks += 1
        asked = {"task": self.case, "agent": before.agent, "requested_by": work.agent}
        reason = f"{work.activity} after {before.activity}"
        self._say(work.seen_us, "agent.rework.requested", work, {**asked, "reason": reason, "attempt": self.reworks})

    def completed(self, steps: list[Step], work: Work) -> None:
        """The case itself, by whoever did its last step."""
        whole = _ms(steps[-1].time_us - steps[0].time_us)
        done = {"task": self.case, "agent": work.agent, "outcome": work.outcome, "duration_ms": whole, "points": 1}
        self._say(steps[-1].time_us, "agent.task.finished", work, done)

    def _say(self, time_us: int, kind: str, work: Work, data: dict[str, Any]) -> None:
        self.events.append(Made(time_us, f"{self.case}#{len(self.events):06d}", kind, work.activity, data))


def _ms(duration_us: int) -> int | float:
    return duration_us // 1000 if duration_us % 1000 == 0 else duration_us / 1000


def _works(steps: list[Step], tally: Tally) -> list[Work]:
    """A `complete` ends the oldest open `start` of its activity; one without counts from the event before."""
    open_starts: dict[tuple[str, str], deque[int]] = {}
    works: list[Work] = []
    before_us = steps[0].time_us
    for step in steps:
        if step.transition in _NO_WORK:
            tally.no_work += 1
            continue
        agent = step.agent or UNKNOWN_AGENT
        tally.nobody += step.agent is None
        tally.agents.add(agent)
        outcome = "abandoned" if step.transition in _ABANDONED else "succeeded"
        starts = open_starts.setdefault((step.activity, step.instance), deque())
        if step.transition == "start":
            starts.append(len(works))
            works.append(_work(step, agent, step.time_us, None, outcome))
        elif starts:
            begun = starts.popleft()
            cost = works[begun].cost if step.cost is None else step.cost
            works[begun] = works[begun]._replace(end_us=step.time_us, outcome=outcome, cost=cost)
        else:
            works.append(_work(step, agent, before_us, step.time_us, outcome))
        before_us = step.time_us
    tally.unfinished += sum(work.end_us is None for work in works)
    return works


def _work(step: Step, agent: str, start_us: int, end_us: int | None, outcome: str) -> Work:
    return Work(step.activity, agent, step.time_us, start_us, end_us, outcome, step.criticality, step.cost)


def _again(before: Work, work: Work, completed: re.Pattern[str]) -> bool:
    return completed.match(before.activity) is not None and completed.match(work.activity) is None


def _handoff(before: Work, work: Work, tally: Tally) -> tuple[str, str] | None:
    """(from, to) where the case changes hands."""
    if before.agent == work.agent:
        return None
    if UNKNOWN_AGENT in (before.agent, work.agent):
        tally.passed_over += 1
        return None
    tally.handoffs += 1
    return before.agent, work.agent
