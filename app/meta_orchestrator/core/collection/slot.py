"""What has happened in one slot of the window, as sums: a slot is the greatest common part of tick and window."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from meta_orchestrator.core.collection.sketch import EMPTY, Sketch, sketch_each
from meta_orchestrator.messages.event import Event


@dataclass(slots=True)
class AgentSums:
    """One agent in one slot. Times in us; `beat_area` is utilization in billionths times us."""

    events: int = 0
    votes: int = 0
    votes_against: int = 0
    handoffs_ended: int = 0
    handoffs_failed: int = 0
    busy_us: int = 0
    beat_area: int = 0
    beat_us: int = 0
    sided: int = 0
    """Votes in rounds in which one side had the majority; and how many were on the other one."""
    minority: int = 0
    minority_expected: int = 0
    """The same, in millionths, if everybody in a round were as likely to be in its minority; and its variance."""
    minority_variance: int = 0

    def add(self, other: "AgentSums") -> None:
        self.events += other.events
        self.votes += other.votes
        self.votes_against += other.votes_against
        self.handoffs_ended += other.handoffs_ended
        self.handoffs_failed += other.handoffs_failed
        self.busy_us += other.busy_us
        self.beat_area += other.beat_area
        self.beat_us += other.beat_us
        self.sided += other.sided
        self.minority += other.minority
        self.minority_expected += other.minority_expected
        self.minority_variance += other.minority_variance

    def subtract(self, other: "AgentSums") -> None:
        self.events -= other.events
        self.votes -= other.votes
        self.votes_against -= other.votes_against
        self.handoffs_ended -= other.handoffs_ended
        self.handoffs_failed -= other.handoffs_failed
        self.busy_us -= other.busy_us
        self.beat_area -= other.beat_area
        self.beat_us -= other.beat_us
        self.sided -= other.sided
        self.minority -= other.minority
        self.minority_expected -= other.minority_expected
        self.minority_variance -= other.minority_variance


def _agents() -> defaultdict[str, AgentSums]:
    return defaultdict(AgentSums)


def _lists() -> defaultdict[str, list[float]]:
    return defaultdict(list)


@dataclass(slots=True)
class Slot:
    """Sums of [start, end); sets are dicts, which keep the order in which things happened."""

    end_us: int
    late: int = 0
    timeouts: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    causes: dict[str, int] = field(default_factory=dict)
    agents: defaultdict[str, AgentSums] = field(default_factory=_agents)
    durations_ms: defaultdict[str, list[float]] = field(default_factory=_lists)
    told: dict[str, list[Event]] = field(default_factory=dict)
    """The events by type, until the slot is closed."""
    finishes: list[tuple[str, str, str, float]] = field(default_factory=list)
    """(source, agent, outcome, points) of each finished task, until the slot is closed."""
    latencies_ms: list[float] = field(default_factory=list)
    rounds_decided: int = 0
    rounds_needless: int = 0
    rounds_repeated: int = 0
    points: float = 0.0
    finished: dict[str, None] = field(default_factory=dict)
    abandoned: dict[str, None] = field(default_factory=dict)
    regressed: dict[str, None] = field(default_factory=dict)
    reworked: dict[str, None] = field(default_factory=dict)
    interventions: int = 0
    latencies: Sketch = field(default_factory=lambda: EMPTY)
    durations: dict[str, Sketch] = field(default_factory=dict)
    latency_log_sum: float = 0.0

    @property
    def is_empty(self) -> bool:
        """No event, no late one, no implied time-out."""
        return not (self.counts or self.late or self.timeouts)

    def close(self) -> None:
        """Pack the durations: sketches are all that is kept of them."""
        if self.latencies_ms:
            self.latencies = Sketch.of(self.latencies_ms)
            self.latency_log_sum = float(np.log1p(self.latencies_ms).sum())
        if self.durations_ms:
            self.durations = sketch_each(self.durations_ms)
        self.latencies_ms, self.durations_ms, self.told, self.finishes = [], _lists(), {}, []

    def dump(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in _PLAIN}
        return plain | {
            "agents": {name: [getattr(sums, key) for key in AgentSums.__slots__] for name, sums in self.agents.items()},
            "latencies": self.latencies.dump(),
            "durations": {agent: sketch.dump() for agent, sketch in self.durations.items()},
            **{name: list(getattr(self, name)) for name in _SETS},
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> "Slot":
        slot = cls(**{name: dumped[name] for name in _PLAIN})
        slot.agents.update({name: AgentSums(*sums) for name, sums in dumped["agents"].items()})
        slot.latencies = Sketch.load(dumped["latencies"])
        slot.durations = {agent: Sketch.load(bins) for agent, bins in dumped["durations"].items()}
        for name in _SETS:
            setattr(slot, name, dict.fromkeys(dumped[name]))
        return slot


_SETS = ("finished", "abandoned", "regressed", "reworked")
_PLAIN = (
    "end_us",
    "late",
    "timeouts",
    "counts",
    "causes",
    "rounds_decided",
    "rounds_needless",
    "rounds_repeated",
    "points",
    "interventions",
    "latency_log_sum",
)
