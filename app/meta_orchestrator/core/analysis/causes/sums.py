"""What a tick adds to the sums: from the slots of the window where they know it, else from the tick's own events."""

import math
import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.causes.authors import REMEMBERED, Authors
from meta_orchestrator.core.analysis.causes.blocks import OTHERS, Block, capped
from meta_orchestrator.core.analysis.causes.fields import AGENT, AGENT_AT, CAUSES, CRITICALITIES, ROUND, ROUND_AT
from meta_orchestrator.core.collection.agents import BILLION, Agents
from meta_orchestrator.core.collection.sketch import Sketch, logs_of
from meta_orchestrator.core.collection.slot import AgentSums, Slot
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND

OPEN_ROUNDS = 200
"""Rounds whose criticality is remembered until they close; the oldest is forgotten first."""
AWAKE_MOST_S = 600.0
"""The longest gap between ticks with events that counts as time at work, as in the drift of velocity."""

_OF_EVENTS = ("finished", "points", "regressed", "reworked", "worked", "failed", "awaited_s")
_FINISHED, _POINTS, _REGRESSED, _REWORKED, _WORKED, _FAILED, _AWAITED = range(len(_OF_EVENTS))
_CLOSED, _DECIDED, _LATENCY, _SQUARES = (
    ROUND_AT[name] for name in ("closed", "decided", "latency_log", "latency_log_squares")
)
_UNKNOWN = CRITICALITIES.index("unknown")
_EVENT_COLUMNS = [AGENT_AT[name] for name in _OF_EVENTS]
_SLOT_COLUMNS = slice(0, AGENT_AT["capacity_s"] + 1)
_TOOK_COLUMNS = [AGENT_AT[name] for name in ("ended", "took_log", "took_log_squares")]

Turn = Callable[[Moment, list[Event]], None]


class Sums:
    """One tick's block at a time, and what must be known of the past to fill it."""

    def __init__(self) -> None:
        self.authors = Authors()
        self.criticality: OrderedDict[int, int] = OrderedDict()
        """CRC-32 of an open round → its place in CRITICALITIES."""
        self.seen_us: int | None = None
        self._turns: dict[str, Turn] = {
            "agent.task.started": self._started,
            "agent.task.finished": self._finished,
            "agent.handoff.completed": self._waited,
            "agent.handoff.failed": self._waited,
            "agent.rework.requested": self._reworked,
            "agent.quality.checked": self._checked,
            "consensus.round.opened": self._opened,
            "consensus.round.closed": self._closed,
        }
        self._begin()

    def _begin(self) -> None:
        self._rows: dict[str, list[float]] = {}
        self._rounds = [[0.0] * len(ROUND) for _ in CRITICALITIES]

    def block(self, moment: Moment, most_agents: int) -> Block | None:
        """The tick's slots and events; None if nothing happened."""
        start_us = moment.tick_us - moment.policy.time.tick_us
        slots = [slot for slot in moment.window.slots if slot.end_us > start_us]
        if not moment.events and all(slot.is_empty for slot in slots):
            return None
        self._begin()
        for kind, turn in self._turns.items():
            if kind in moment.told:
                turn(moment, moment.told[kind])
        names, table = self._table(moment, slots)
        names, table = capped(names, table, most_agents)
        rounds = np.array(self._rounds, np.float32)
        return Block(
            start_us, moment.tick_us, self._awake_s(start_us, moment.tick_us), 0, names, table, _causes(slots), rounds
        )

    def _awake_s(self, start_us: int, tick_us: int) -> float:
        """Since the last block, as far as that was work."""
        before_us, self.seen_us = start_us if self.seen_us is None else self.seen_us, tick_us
        return min((tick_us - before_us) / SECOND, AWAKE_MOST_S)

    def _table(self, moment: Moment, slots: Sequence[Slot]) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """All agents of the tick, in the order in which they are met, and their sums: shape (names, AGENT)."""
        length_us = math.gcd(moment.policy.time.tick_us, moment.policy.time.window_us)
        names = dict.fromkeys(name for slot in slots for name in slot.agents)
        names |= dict.fromkeys(name for slot in slots for name in slot.durations) | dict.fromkeys(self._rows)
        place = {name: n for n, name in enumerate(names)}
        table = np.zeros((len(place), len(AGENT)), np.float64)
        for slot in slots:
            if slot.agents:
                rows = [place[name] for name in slot.agents]
                table[rows, _SLOT_COLUMNS] += _of_slot(slot.agents, moment.books.agents, length_us)
            if slot.durations:
                rows = [place[name] for name in slot.durations]
                table[np.ix_(rows, _TOOK_COLUMNS)] += _logs(list(slot.durations.values()))
        if self._rows:
            table[np.ix_([place[name] for name in self._rows], _EVENT_COLUMNS)] += list(self._rows.values())
        return tuple(names), table.astype(np.float32)

    def _row(self, name: str) -> list[float]:
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = [0.0] * len(_OF_EVENTS)
        return row

    # ---- the events that a slot does not tell by agent or criticality ----------------------------------------------

    def _started(self, moment: Moment, said: list[Event]) -> None:
        self.authors.started([event[4] for event in said])

    def _finished(self, moment: Moment, said: list[Event]) -> None:
        for finish, times in moment.finishes.items():
            row = self._row(finish.agent)
            if finish.points:
                row[_FINISHED] += times
                row[_WORKED] += times
            if finish.outcome == "succeeded":
                row[_POINTS] += times * finish.points
            else:
                row[_FAILED] += times
        self.authors.finished([event[4] for event in said[-REMEMBERED:]], moment.books.tasks.steps)

    def _waited(self, moment: Moment, said: list[Event]) -> None:
        for event in said:
            data = event[4]
            wait_ms = data.get("wait_ms")
            if wait_ms:
                (self._rows.get(data["to_agent"]) or self._row(data["to_agent"]))[_AWAITED] += wait_ms / 1000

    def _reworked(self, moment: Moment, said: list[Event]) -> None:
        for event in said:
            row = self._row(event[4]["agent"])
            row[_REWORKED] += 1
            row[_WORKED] += 1

    def _checked(self, moment: Moment, said: list[Event]) -> None:
        """The event names who checked; what is wrong is the work of somebody else."""
        for event in said:
            data = event[4]
            if data["regression"]:
                for agent, share in (self.authors.shares(data["task"]) or {OTHERS: 1.0}).items():
                    self._row(agent)[_REGRESSED] += share
            elif not data["passed"]:
                self.authors.failed(data["task"])

    def _opened(self, moment: Moment, said: list[Event]) -> None:
        for event in said[-OPEN_ROUNDS:]:
            number = zlib.crc32(event[4]["round"].encode())
            self.criticality[number] = CRITICALITIES.index(event[4]["criticality"])
        while len(self.criticality) > OPEN_ROUNDS:
            self.criticality.popitem(last=False)

    def _closed(self, moment: Moment, said: list[Event]) -> None:
        for event in said:
            data = event[4]
            log = math.log1p(data["latency_ms"])
            row = self._rounds[self.criticality.pop(zlib.crc32(data["round"].encode()), _UNKNOWN)]
            row[_CLOSED] += 1
            row[_DECIDED] += data["outcome"] in ("accepted", "rejected")
            row[_LATENCY] += log
            row[_SQUARES] += log * log

    def dump(self) -> dict[str, Any]:
        return {
            "authors": self.authors.dump(),
            "criticality": list(self.criticality.items()),
            "seen_us": self.seen_us,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        self.authors.load(dumped["authors"])
        self.criticality = OrderedDict((number, place) for number, place in dumped["criticality"])
        self.seen_us = dumped["seen_us"]


def _of_slot(agents: dict[str, AgentSums], known: Agents, length_us: int) -> NDArray[np.float64]:
    """The first fields of AGENT; heartbeats tell of the time that they cover, tasks of all of it."""
    table = np.array(
        [
            (it.events, it.votes, it.votes_against, it.handoffs_ended, it.handoffs_failed, it.beat_area, it.beat_us)
            for it in agents.values()
        ],
        np.float64,
    )
    table[:, 5] /= BILLION
    for n, (name, sums) in enumerate(agents.items()):
        agent = known.get(name)
        if agent is not None and agent.had_task and agent.beat_us is None:
            capacity_us = agent.capacity * length_us
            table[n, 5:] = min(sums.busy_us, capacity_us), capacity_us
    table[:, 5:] /= SECOND
    return table


def _logs(sketches: list[Sketch]) -> NDArray[np.float64]:
    """Number, sum and sum of squares of ln(1 + duration_ms) of each sketch, all in one calculation."""
    counts = np.concatenate([sketch.counts for sketch in sketches])
    logs = logs_of(np.concatenate([sketch.bins for sketch in sketches]))
    starts = np.cumsum([0, *(len(sketch.bins) for sketch in sketches)])[:-1]
    parts = (counts, counts * logs, counts * logs * logs)
    return np.stack([np.add.reduceat(part, starts) for part in parts], axis=1)


def _causes(slots: Sequence[Slot]) -> NDArray[np.float32]:
    """Failed handoffs by cause."""
    sums = np.zeros(len(CAUSES), np.float32)
    for slot in slots:
        for cause, failed in slot.causes.items():
            sums[CAUSES.index(cause if cause in CAUSES else "other")] += failed
    return sums
