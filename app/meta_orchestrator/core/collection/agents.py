"""Who is there, of what type and capacity, and how busy: heartbeats where an agent sends them, else its tasks
(CONTRACT §4.4, §8.4).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from meta_orchestrator.core.collection.book import Book
from meta_orchestrator.core.collection.slot import AgentSums, Slot
from meta_orchestrator.messages.fields import DAY_US, MINUTE_US

LIVE_US = 10 * MINUTE_US
"""An agent is live this long after an event, and a heartbeat holds this long."""
BILLION = 1_000_000_000


@dataclass(slots=True)
class Agent:
    """`beat` is the last utilization in billionths, from `beat_us` on; of `held` tasks it works on the `running`."""

    seen_us: int
    agent_type: str | None = None
    capacity: int = 1
    deregistered: bool = False
    beat: int = 0
    beat_us: int | None = None
    had_task: bool = False
    running: int = 0
    settled_us: int = 0
    held: int = 0

    def is_forgotten(self, now_us: int) -> bool:
        """Not heard of for 24 h, and holding nothing that somebody may still speak of."""
        return now_us - self.seen_us > DAY_US and not self.held

    def settle(self, until_us: int, sums: AgentSums) -> None:
        """Add what was worked and what heartbeats say since the last call, up to a moment of the same slot."""
        since_us = self.settled_us
        if self.running:
            sums.busy_us += self.running * (until_us - since_us)
        if self.beat_us is not None:
            covered_us = min(until_us, self.beat_us + LIVE_US) - since_us
            if covered_us > 0:
                sums.beat_us += covered_us
                sums.beat_area += covered_us * self.beat
        self.settled_us = until_us

    def is_live(self, tick_us: int) -> bool:
        return self.seen_us >= tick_us - LIVE_US and not self.deregistered

    def is_at_work(self, tick_us: int) -> bool:
        """Live, or silent over a task that takes long: its capacity is there, and in use."""
        return self.is_live(tick_us) or (self.running > 0 and not self.deregistered)

    def utilization(self, sums: AgentSums, window_us: int) -> float | None:
        """Share of the window; None where nothing is known of it."""
        if self.beat_us is not None:
            return sums.beat_area / sums.beat_us / BILLION if sums.beat_us else None
        return min(1.0, sums.busy_us / (self.capacity * window_us)) if self.had_task else None


class Agents(Book[Agent]):
    """All agents of a project; forgotten 24 h after their last event, unless they hold a task."""

    def __init__(self) -> None:
        super().__init__(Agent)

    def greet(self, name: str, time_us: int, start_us: int) -> None:
        """An agent is named in a slot that begins at `start_us`: if it is forgotten, it is new."""
        agent = self.get(name)
        if agent is None or agent.is_forgotten(time_us):
            agent = self[name] = Agent(start_us, settled_us=start_us)
        agent.seen_us = max(agent.seen_us, time_us)

    def any_overdue(self, names: Iterable[str], now_us: int) -> bool:
        """Whether one of those named may have been forgotten by now."""
        return any(name in self and now_us - self[name].seen_us > DAY_US for name in names)

    def beat(self, name: str, time_us: int, utilization: float, slot: Slot) -> None:
        """A heartbeat: the value before holds up to here."""
        agent = self[name]
        agent.settle(time_us, slot.agents[name])
        agent.beat, agent.beat_us = round(utilization * BILLION), time_us

    def hold(self, name: str, change: int) -> None:
        """One task more (+1) or less (-1) is held."""
        self[name].held += change
        self.changed.add(name)

    def work(self, name: str, time_us: int, change: int, slot: Slot) -> None:
        """One task more (+1) or less (-1) is worked on from here."""
        agent = self[name]
        agent.settle(time_us, slot.agents[name])
        agent.running += change
        agent.had_task = True
        self.changed.add(name)

    def close(self, slot: Slot) -> None:
        """Settle all up to the end of the slot."""
        for name, agent in self.items():
            if agent.running or (agent.beat_us is not None and agent.beat_us + LIVE_US > agent.settled_us):
                agent.settle(slot.end_us, slot.agents[name])
            agent.settled_us = slot.end_us

    def forget(self, now_us: int) -> None:
        """Drop the forgotten ones, to save room: a name that comes again is new either way."""
        for name, agent in list(self.items()):
            if agent.is_forgotten(now_us):
                self.drop(name)

    def skip(self, until_us: int) -> None:
        """Time has passed that no window will ever see."""
        for agent in self.values():
            agent.settled_us = until_us
