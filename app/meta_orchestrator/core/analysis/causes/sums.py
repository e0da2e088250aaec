"""What each tick adds to the sums: from the slots of the window where they know it, else from the tick's own events."""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.causes.authors import Authors
from meta_orchestrator.core.analysis.causes.blocks import OTHERS, Block, capped
from meta_orchestrator.core.analysis.causes.fields import (
    AGENT,
    AGENT_AT,
    CAUSES,
    CRITICALITIES,
    ROUND,
    ROUND_AT,
)
from meta_orchestrator.core.collection.agents import BILLION, Agent
from meta_orchestrator.core.collection.sketch import Sketch, logs_of
from meta_orchestrator.core.collection.slot import AgentSums, Slot
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND

OPEN_ROUNDS = 500
"""Rounds whose criticality is remembered until they close; the oldest is forgotten first."""
AWAKE_MOST_S = 600.0
"""The longest gap between ticks with events that counts as time at work, as in the drift of velocity."""

_FINISHED, _REWORKED, _REGRESSED = (AGENT_AT[name] for name in ("finished", "reworked", "regressed"))
_WORKED, _POINTS, _FAILED, _AWAITED = (AGENT_AT[name] for name in ("worked", "points", "failed", "awaited_s"))


class Sums:
    """The block that is still open, and what must be known to fill it."""

    def __init__(self) -> None:
        self.authors = Authors()
        self.criticality: OrderedDict[str, int] = OrderedDict()
        """Open round → its place in CRITICALITIES."""
        self.seen_us: int | None = None
        self._turns: dict[str, Callable[[Moment, Event], None]] = {
            "agent.task.started": self._started,
            "agent.task.finished": self._finished,
            "agent.handoff.completed": self._waited,
            "agent.handoff.failed": self._waited,
            "agent.rework.requested": self._reworked,
            "agent.quality.checked": self._checked,
            "consensus.round.opened": self._opened,
            "consensus.round.closed": self._closed,
        }
        self.begin(None)

    def begin(self, start_us: int | None) -> None:
        """An empty block."""
        self.start_us = start_us
        self.seconds = 0.0
        self.agents: dict[str, list[float]] = {}
        self.causes = [0.0] * len(CAUSES)
        self.rounds = [[0.0] * len(ROUND) for _ in CRITICALITIES]

    def add(self, moment: Moment) -> None:
        """The tick's slots and events."""
        start_us = moment.tick_us - moment.policy.time.tick_us
        slots = [slot for slot in moment.window.slots if slot.end_us > start_us]
        if not moment.events and all(slot.is_empty for slot in slots):
            return
        if self.start_us is None:
            self.start_us = start_us
        before_us = start_us if self.seen_us is None else self.seen_us
        self.seconds += min((moment.tick_us - before_us) / SECOND, AWAKE_MOST_S)
        self.seen_us = moment.tick_us
        for slot in slots:
            self._slot(moment, slot)
        turns = self._turns
        for event in moment.events:
            if event[3] in turns:
                turns[event[3]](moment, event)

    def closed(self, end_us: int, most: int) -> Block:
        """What has been added, as a block."""
        agents = np.array(list(self.agents.values()), np.float32).reshape(len(self.agents), len(AGENT))
        names, agents = capped(tuple(self.agents), agents, most)
        causes, rounds = np.array(self.causes, np.float32), np.array(self.rounds, np.float32)
        assert self.start_us is not None  # noqa: S101 - whoever closes a block has filled it
        return Block(self.start_us, end_us, self.seconds, 0, names, agents, causes, rounds)

    def _slot(self, moment: Moment, slot: Slot) -> None:
        length_us = math.gcd(moment.policy.time.tick_us, moment.policy.time.window_us)
        known = moment.books.agents
        for name, sums in slot.agents.items():
            row = self._row(name)
            for place, value in enumerate(_of_slot(sums, known.get(name), length_us)):
                row[place] += value
        for name, (ended, total, squares) in _logs(slot.durations).items():
            row = self._row(name)
            row[AGENT_AT["ended"]] += ended
            row[AGENT_AT["took_log"]] += total
            row[AGENT_AT["took_log_squares"]] += squares
        for cause, failed in slot.causes.items():
            self.causes[CAUSES.index(cause if cause in CAUSES else "other")] += failed

    def _row(self, name: str) -> list[float]:
        row = self.agents.get(name)
        if row is None:
            row = self.agents[name] = [0.0] * len(AGENT)
        return row

    # ---- the events that a slot does not tell by agent or criticality ----------------------------------------------

    def _started(self, moment: Moment, event: Event) -> None:
        self.authors.started(event[4])

    def _finished(self, moment: Moment, event: Event) -> None:
        data = event[4]
        row = self._row(data["agent"])
        row[_FAILED] += data["outcome"] != "succeeded"
        points = _points(moment, data)
        self.authors.finished(data["task"], data["agent"], points == 0)
        if points == 0:
            return
        row[_FINISHED] += 1
        row[_WORKED] += 1
        if data["outcome"] == "succeeded":
            row[_POINTS] += points

    def _waited(self, moment: Moment, event: Event) -> None:
        wait_ms = event[4].get("wait_ms")
        if wait_ms:
            self._row(event[4]["to_agent"])[_AWAITED] += wait_ms / 1000

    def _reworked(self, moment: Moment, event: Event) -> None:
        row = self._row(event[4]["agent"])
        row[_REWORKED] += 1
        row[_WORKED] += 1

    def _checked(self, moment: Moment, event: Event) -> None:
        """The event names who checked; what is wrong is the work of somebody else."""
        data = event[4]
        if data["regression"]:
            for agent, share in (self.authors.shares(data["task"]) or {OTHERS: 1.0}).items():
                self._row(agent)[_REGRESSED] += share
        elif not data["passed"]:
            self.authors.failed(data["task"])

    def _opened(self, moment: Moment, event: Event) -> None:
        data = event[4]
        _put(self.criticality, data["round"], CRITICALITIES.index(data["criticality"]), OPEN_ROUNDS)

    def _closed(self, moment: Moment, event: Event) -> None:
        data = event[4]
        log = math.log1p(data["latency_ms"])
        row = self.rounds[self.criticality.pop(data["round"], CRITICALITIES.index("unknown"))]
        row[ROUND_AT["closed"]] += 1
        row[ROUND_AT["decided"]] += data["outcome"] in ("accepted", "rejected")
        row[ROUND_AT["latency_log"]] += log
        row[ROUND_AT["latency_log_squares"]] += log * log

    def dump(self) -> dict[str, Any]:
        return {
            "authors": self.authors.dump(),
            "criticality": list(self.criticality.items()),
            "seen_us": self.seen_us,
            "start_us": self.start_us,
            "seconds": self.seconds,
            "agents": {name: [value or 0 for value in row] for name, row in self.agents.items()},
            "causes": self.causes,
            "rounds": self.rounds,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        self.authors.load(dumped["authors"])
        self.criticality = OrderedDict((name, place) for name, place in dumped["criticality"])
        self.seen_us, self.start_us, self.seconds = dumped["seen_us"], dumped["start_us"], dumped["seconds"]
        self.agents = {name: list(row) for name, row in dumped["agents"].items()}
        self.causes, self.rounds = list(dumped["causes"]), [list(row) for row in dumped["rounds"]]


def _of_slot(sums: AgentSums, agent: Agent | None, length_us: int) -> tuple[float, ...]:
    """The first fields of AGENT; heartbeats tell of the time that they cover, tasks of all of it."""
    busy_us, capacity_us = sums.beat_area / BILLION, float(sums.beat_us)
    if agent is not None and agent.beat_us is None and agent.had_task:
        capacity_us = float(agent.capacity * length_us)
        busy_us = min(float(sums.busy_us), capacity_us)
    return (
        sums.events,
        sums.votes,
        sums.votes_against,
        sums.handoffs_ended,
        sums.handoffs_failed,
        busy_us / SECOND,
        capacity_us / SECOND,
    )


def _logs(durations: dict[str, Sketch]) -> dict[str, tuple[int, float, float]]:
    """Agent → number, sum and sum of squares of ln(1 + duration_ms), from its sketch: one calculation for all."""
    if not durations:
        return {}
    sketches = list(durations.values())
    counts = np.concatenate([sketch.counts for sketch in sketches])
    logs: NDArray[np.float64] = logs_of(np.concatenate([sketch.bins for sketch in sketches]))
    starts = np.cumsum([0, *(len(sketch.bins) for sketch in sketches)])[:-1]
    totals, squares = (np.add.reduceat(counts * part, starts).tolist() for part in (logs, logs * logs))
    rows = zip(durations, sketches, totals, squares, strict=True)
    return {name: (sketch.count, total, square) for name, sketch, total, square in rows}


def _points(moment: Moment, data: dict[str, Any]) -> float:
    """Of a finished task: what it names, else what its start named, else 1."""
    if data.get("points") is not None:
        return float(data["points"])
    task = moment.books.tasks.get(data["task"])
    return 1.0 if task is None or task.points is None else task.points


def _put(memory: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Remember the newest so many."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > most:
        memory.popitem(last=False)
