"""bottleneck: one kind of agent makes all others' work wait."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_AGENTS, Detector, cleared
from meta_orchestrator.core.analysis.staffing.crews import crews, typical_capacity
from meta_orchestrator.core.analysis.staffing.queueing import left_waiting, p_above
from meta_orchestrator.core.analysis.staffing.stations import BATCHES, Stations
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy

LEVEL = 0.025
"""Of both one-sided tests: there are two looks at a full log, at .05 together."""
EVERY = 5
"""Batches between two looks."""
EASED = 0.8
"""Hysteresis: cleared when less waits than this share of what would have to be found."""


@dataclass(frozen=True)
class Network:
    """Stations over some batches; arrays of shape (batches, stations): tasks on average."""

    names: list[str]
    waiting: NDArray[np.float64]
    served: NDArray[np.float64]
    gain: NDArray[np.float64]
    """Of the waiting what one more agent would take away."""
    servers: NDArray[np.int64]

    @classmethod
    def of(cls, names: list[str], loads: NDArray[np.float64], size: dict[str, int]) -> "Network":
        waiting, served, capacity = (loads[:, :, k] for k in range(3))
        servers = np.maximum(1, np.rint(capacity.mean(0))).astype(np.int64)
        gain = np.zeros_like(waiting)
        for column, name in enumerate(names):
            wait, load = float(waiting[:, column].mean()), float(served[:, column].mean())
            if wait > 0:
                left = left_waiting(wait, load, int(servers[column]), size.get(name, 1))
                gain[:, column] = waiting[:, column] * (1 - left / wait)
        return cls(names, waiting, served, gain, servers)

    def first(self) -> tuple[int, NDArray[np.float64], str | None]:
        """(place of the station where one more helps most, its lead by batch, the next one's name)."""
        order = sorted(range(len(self.names)), key=lambda k: (-float(self.gain[:, k].mean()), self.names[k]))
        if len(order) == 1:
            return order[0], self.gain[:, order[0]], None
        return order[0], self.gain[:, order[0]] - self.gain[:, order[1]], self.names[order[1]]


class Bottleneck(Detector):
    """The agent type (an agent, where it is the only one) of which one more would help most.

    For each type: tasks waiting for it, measured, and what Erlang C leaves of them with one more agent of the kind,
    from measured load and capacity; by Little's law the difference, in tasks, is the arrival rate times the wait
    saved. It is one if (1) its lead over the next type is significant and (2) tasks wait for it longer than they are
    worked on there, times `analysis.bottleneck_wait`: a leader there is in every team, and most are harmless. Both by
    the means of 30 batches or more (fewer count where they hang together), one-sided at `LEVEL`, whenever the log is
    that full: looks at nearly the same batches only add false findings, and the first ones know least. So it finds one
    in at most 5 % of the times in which nothing waits that long, and names a wrong one in at most 5 % of its findings.
    Measured over 250 networks of five stations, 2,000 tasks each: it finds one in 27 %; in .985 of them it is the type
    of which one more would have saved most waiting in that work, in .93 also in the long run: queues near saturation
    vary so much that hours are needed to be sure, and who makes others wait for a day may not do so for weeks.
    Cleared when over the last ten batches significantly less than .8 of that waits; another one takes its place when
    it leads as clearly.
    Severity: the share of all waiting that one more agent would take away. `agents`: all of the type.
    """

    kind = "bottleneck"
    types = ("agent.handoff.completed",)

    def __init__(self, policy: Policy, stations: Stations) -> None:
        super().__init__(policy)
        self.stations = stations
        self._offers: list[Event] = []
        self._fresh: list[Antipattern] = []
        self._station: str | None = None
        """The type of what is active."""

    def observe(self, event: Event) -> None:
        self._offers.append(event)

    def look(self, moment: Moment) -> None:
        agents, stations = moment.books.agents, self.stations
        full = stations.read(moment)
        for event in self._offers:
            stations.offer(event, agents.get(event[4]["to_agent"]))
        self._offers.clear()
        if full and stations.is_enough and stations.closed % EVERY == 0:
            self._fresh = self._judge(moment)

    def judge(self, tick_us: int) -> list[Antipattern]:
        fresh, self._fresh = self._fresh, []
        return fresh

    def _judge(self, moment: Moment) -> list[Antipattern]:
        sizes = {name: typical_capacity(crew) for name, crew in crews(moment).items()}
        found = self._test(Network.of(*self.stations.table(), sizes), moment) if self.stations.is_full else None
        if found and found[0] != self._station:
            self._station, self.active = found
            return [self.active]
        if self.active and self._has_eased(Network.of(*self.stations.table(BATCHES // 2), sizes)):
            over, self.active, self._station = cleared(self.active), None, None
            return [over]
        return []

    def _test(self, network: Network, moment: Moment) -> tuple[str, Antipattern] | None:
        """(station, finding)."""
        if not network.names:
            return None
        place, lead, next_name = network.first()
        burden = network.waiting[:, place] - self.policy.analysis.bottleneck_wait * network.served[:, place]
        p_lead, p_wait = p_above(lead, tied=0.0), p_above(burden, tied=0.0)
        if max(p_lead, p_wait) > LEVEL:
            return None
        name = network.names[place]
        waiting, gain = float(network.waiting[:, place].mean()), float(network.gain[:, place].mean())
        found = Antipattern(
            kind=self.kind,
            agents=list(crews(moment).get(name, ()))[:NAMED_AGENTS],
            since=format_time_us(self._since_us(burden)),
            severity=min(1.0, gain / float(network.waiting.mean(0).sum())),
            evidence={
                "agent_type": name,
                "capacity": int(network.servers[place]),
                "utilization": min(1.0, float(network.served[:, place].mean()) / int(network.servers[place])),
                "tasks_waiting": waiting,
                "tasks_waiting_with_one_more": waiting - gain,
                "next": next_name,
                "lead": float(lead.mean()),
                "p_lead": p_lead,
                "p_wait": p_wait,
                "batches": len(lead),
                "batch_s": self.stations.width_us / SECOND,
            },
        )
        return name, found

    def _has_eased(self, network: Network) -> bool:
        if self._station not in network.names:
            return True
        place = network.names.index(self._station)
        limit = EASED * self.policy.analysis.bottleneck_wait * network.served[:, place]
        return p_above(limit - network.waiting[:, place]) <= LEVEL

    def _since_us(self, burden: NDArray[np.float64]) -> int:
        """The batch from which on it was a burden: the least sum up to it, of what half of it explains."""
        sums = np.concatenate([[0.0], np.cumsum(burden - burden.mean() / 2)])
        return self.stations.batches[-len(burden) :][int(np.argmin(sums[:-1]))].start_us

    def dump(self) -> dict[str, Any]:
        return super().dump() | {"station": self._station}

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        self._station = dumped["station"]
