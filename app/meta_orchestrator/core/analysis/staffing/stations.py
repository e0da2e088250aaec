"""Agent types as stations of a queueing network: how many tasks wait and are served there, batch by batch.

What is seen: tasks held and running (started, not finished, not blocked), the agents' own utilization where they send
heartbeats, and how long handoffs to them waited. What is more running than can be in service, waits.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.staffing.queueing import TIED, lag_one
from meta_orchestrator.core.collection.agents import BILLION, Agent
from meta_orchestrator.core.collection.slot import AgentSums
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.policy import Policy

BATCHES = 20
"""As many as a test by batch means needs; twice as many are kept, then pairs become one or the oldest half goes."""
STARTS = 10
"""Tasks started at each station in a batch, on average, from which batches need not be longer, unless the waiting of
one tells much of the next one's: queues near saturation forget slowly."""
KEPT = 8
"""Stations of a batch that are kept, those with the most waiting first."""

MOST_AT_ONCE = 1_000_000
"""Tasks that an agent may hold, as counted here; who names more has no limit. So sums fit the 64 bits of storage."""
LONGEST_WAIT_MS = 1_000_000_000
"""Of a handoff, as counted here: twelve days. For the same reason."""

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Load:
    """One station in one batch, in agent-milliseconds."""

    held: int = 0
    """Tasks held and not blocked."""
    served: int = 0
    """Of them in service, at most as many as there is capacity."""
    offered: int = 0
    """Handoffs to it that waited."""
    capacity: int = 0

    @property
    def waiting(self) -> int:
        return max(0, self.held - self.served) + self.offered

    def packed(self) -> list[int]:
        return [self.held, self.served, self.offered, self.capacity]

    def add(self, other: "Load") -> None:
        self.held += other.held
        self.served += other.served
        self.offered += other.offered
        self.capacity += other.capacity


@dataclass(slots=True)
class Batch:
    """Some time of the whole network; its time at work, so that nights count for nothing."""

    start_us: int
    at_work_us: int = 0
    starts: int = 0
    loads: dict[str, Load] = field(default_factory=dict)

    def of(self, station: str) -> Load:
        return self.loads.setdefault(station, Load())

    def add(self, other: "Batch") -> None:
        self.at_work_us += other.at_work_us
        self.starts += other.starts
        for station, load in other.loads.items():
            self.of(station).add(load)

    def trim(self) -> None:
        """Keep the stations before which most waits: the others are no bottleneck."""
        ranked = sorted(self.loads.items(), key=lambda item: (-item[1].waiting, -item[1].served, item[0]))
        self.loads = dict(ranked[:KEPT])

    def dump(self) -> list[Any]:
        loads = {station: load.packed() for station, load in self.loads.items()}
        return [self.start_us, self.at_work_us, self.starts, loads]

    @classmethod
    def load(cls, dumped: list[Any]) -> "Batch":
        start_us, at_work_us, starts, loads = dumped
        return cls(start_us, at_work_us, starts, {station: Load(*packed) for station, packed in loads.items()})


class Stations:
    """The last 20 to 40 batches; they are made longer until each holds enough starts, up to the history."""

    def __init__(self, policy: Policy) -> None:
        time = policy.time
        self.slot_us = math.gcd(time.tick_us, time.window_us)
        self.width_us = max(time.tick_us, round(policy.analysis.lookback_s * SECOND) // BATCHES)
        self.most_us = max(self.width_us, time.history_us // (2 * BATCHES))
        self.batches: list[Batch] = []
        self.open: Batch | None = None
        self.closed = 0
        """Batches ever closed."""

    def offer(self, event: Event, agent: Agent | None) -> None:
        """A handoff that was taken: so long it had waited for this agent."""
        if agent is not None and agent.agent_type is not None and self.open is not None:
            self.open.of(agent.agent_type).offered += min(round(event[4]["wait_ms"]), LONGEST_WAIT_MS)

    def read(self, moment: Moment) -> bool:
        """The slots that closed at this tick; whether they completed a batch."""
        start_us = moment.tick_us - moment.policy.time.tick_us
        slots = [slot for slot in moment.window.slots if slot.end_us > start_us]
        if not any(slot.agents for slot in slots):
            return False
        full = self.open is not None and start_us >= self.open.start_us + self.width_us
        if full:
            self._close()
        if self.open is None:
            self.open = Batch(start_us)
        for slot in slots:
            self.open.starts += slot.counts.get("agent.task.started", 0)
            self.open.at_work_us += self.slot_us
            self._serve(self.open, moment, slot.agents)
        return full

    def _serve(self, batch: Batch, moment: Moment, sums_of: dict[str, AgentSums]) -> None:
        """Tasks held and in service in one slot, and the capacity of all who are at work."""
        slot_us, tick_us = self.slot_us, moment.tick_us
        for name, agent in moment.books.agents.items():
            sums, kind = sums_of.get(name), agent.agent_type
            if kind is None or (sums is None and not agent.is_at_work(tick_us)):
                continue
            load = batch.loads.get(kind) or batch.of(kind)
            if sums is not None:
                load.held += sums.busy_us // 1000
                load.served += served_us(agent, sums, slot_us) // 1000
            if agent.is_at_work(tick_us):
                load.capacity += min(agent.capacity, MOST_AT_ONCE) * slot_us // 1000

    def _close(self) -> None:
        """Into the log; where that is full, pairs become one while each holds too little, else the older half goes."""
        if self.open is None:
            return
        self.open.trim()
        self.batches.append(self.open)
        self.open, self.closed = None, self.closed + 1
        if len(self.batches) < 2 * BATCHES:
            return
        if not self.is_longest and (self._is_sparse() or self._is_tied()):
            self.width_us *= 2
            self.batches = [_pair(*self.batches[i : i + 2]) for i in range(0, 2 * BATCHES, 2)]
        else:
            self.batches = self.batches[BATCHES // 2 :]

    @property
    def is_enough(self) -> bool:
        """Are there batches to test, of enough starts each?"""
        return len(self.batches) >= BATCHES and (self.is_longest or not self._is_sparse())

    @property
    def is_full(self) -> bool:
        """Are three quarters of the log there, most of them new since it was last so full?"""
        return self.is_enough and 2 * len(self.batches) >= 3 * BATCHES

    @property
    def is_longest(self) -> bool:
        """Batches twice as long would need more than the history."""
        return 2 * self.width_us > self.most_us

    def _is_sparse(self) -> bool:
        stations = max(len(batch.loads) for batch in self.batches)
        return sum(batch.starts for batch in self.batches) < len(self.batches) * STARTS * stations

    def _is_tied(self) -> bool:
        """At the station where most waits."""
        _, loads = self.table()
        if not loads.size:
            return False
        waiting = loads[:, int(loads[:, :, 0].sum(0).argmax()), 0]
        return lag_one(waiting) > TIED

    def table(self, latest: int | None = None) -> tuple[list[str], Floats]:
        """(stations, loads): loads of shape (batches, stations, 3), agents on average: waiting, served, capacity."""
        batches = self.batches[-latest:] if latest else self.batches
        names = sorted({station for batch in batches for station in batch.loads})
        loads = np.zeros((len(batches), len(names), 3))
        for row, batch in enumerate(batches):
            for column, name in enumerate(names):
                load = batch.loads.get(name)
                if load is not None:
                    loads[row, column] = load.waiting, load.served, load.capacity
            loads[row] /= batch.at_work_us / 1000
        return names, loads

    def dump(self) -> dict[str, Any]:
        return {
            "width_us": self.width_us,
            "batches": [batch.dump() for batch in self.batches],
            "open": self.open.dump() if self.open else None,
            "closed": self.closed,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        self.width_us, self.closed = dumped["width_us"], dumped["closed"]
        self.batches = [Batch.load(batch) for batch in dumped["batches"]]
        self.open = Batch.load(dumped["open"]) if dumped["open"] else None


def served_us(agent: Agent, sums: AgentSums, slot_us: int) -> int:
    """Capacity in use: by heartbeats for the time that they cover, else tasks held, as far as capacity goes."""
    if sums.beat_us:
        return agent.capacity * sums.beat_area * slot_us // (BILLION * sums.beat_us)
    return min(sums.busy_us, agent.capacity * slot_us)


def _pair(one: Batch, other: Batch) -> Batch:
    both = Batch(one.start_us)
    both.add(one)
    both.add(other)
    both.trim()
    return both
