"""Two metrics of each agent, all agents at once: what an agent does not do costs nothing."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.drift.evidence import Which
from meta_orchestrator.core.analysis.drift.packing import packed, unpacked
from meta_orchestrator.core.analysis.drift.since import LEVEL, half_width
from meta_orchestrator.core.analysis.drift.small_bank import WARM_UP, RateBank, SmallBank
from meta_orchestrator.core.analysis.drift.uniform import seed_of
from meta_orchestrator.core.collection.sketch import ERROR
from meta_orchestrator.core.collection.slot import Slot
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import Drift

Floats = NDArray[np.float64]
_LOG_GAMMA = float(np.log((1 + ERROR) / (1 - ERROR)))
_OPEN = np.dtype([("start_s", "<u4"), ("sum", "<f8"), ("events", "<u4"), ("last_s", "<u4")])
_MOST_EVENTS = 200
"""A batch of a rate that holds more events counts as this many: bounds the cost of its law."""


@dataclass(slots=True)
class _Open:
    """What an agent has done since its last batch was closed."""

    start_s: int
    sum: float = 0.0
    events: int = 0
    last_s: int = 0


class AgentMetric(ABC):
    """One metric of all agents: sums of ticks → batches of `size` events each → a bank of detectors."""

    name: str
    detector: str
    statistic: str

    def __init__(self, size: int, most: int) -> None:
        self.size, self.most = size, most
        self.names: dict[str, int] = {}
        """Agent → its row."""
        self.free: list[int] = []
        self.open: dict[str, _Open] = {}
        self.bank = self.make_bank()

    def make_bank(self) -> SmallBank:
        return SmallBank()

    @abstractmethod
    def sums(self, slots: Sequence[Slot]) -> dict[str, tuple[float, float]]:
        """Agent → (sum, events) of some slots."""

    def in_unit(self, value: float) -> float:
        return value

    def feed(self, slots: Sequence[Slot], start_us: int, end_us: int) -> bool:
        """Take what happened in (start, end]; whether a batch has closed."""
        full, open_, start_s, end_s = [], self.open, start_us // SECOND, end_us // SECOND
        for name, (total, events) in self.sums(slots).items():
            batch = open_.get(name)
            if batch is None or not batch.events:
                batch = self._open(name, start_s)
            if batch:
                batch.sum += total
                batch.events += int(events)
                batch.last_s = end_s
                if batch.events >= self.size:
                    full.append(name)
        if full:
            self._close(full)
        return bool(full)

    def _close(self, names: list[str]) -> None:
        """Hand full batches on, all at once."""
        which = np.array([self.names[name] for name in names], np.intp)
        batches = [self.open[name] for name in names]
        sums, events = np.array([(batch.sum, batch.events) for batch in batches], np.float64).T
        self._update(which, sums, events, np.array([batch.start_s for batch in batches], np.int64))
        for batch in batches:
            batch.sum, batch.events = 0.0, 0

    def _update(self, which: Which, sums: Floats, events: Floats, start_s: NDArray[np.int64]) -> None:
        self.bank.update(which, sums / events, start_s)

    def _open(self, name: str, start_s: int) -> "_Open | None":
        """The open batch of an agent; None if it is not watched. A new agent is while there is room."""
        batch = self.open.get(name)
        if batch is None:
            if len(self.names) >= self.most:
                return None
            batch = self.open[name] = _Open(start_s)
            self.names[name] = self.free.pop() if self.free else self._grow()
            self.begin(name)
        if not batch.events:
            batch.start_s = start_s
        return batch

    def begin(self, name: str) -> None:
        """A row is an agent's own from now on, or from now on anew."""
        self.bank.restart(np.array([self.names[name]]))

    def _grow(self) -> int:
        """Room for more agents; the first new row."""
        old = len(self.bank.rows)
        new = min(max(2 * old, 16), self.most)
        self.bank.grow(new)
        self.free = list(range(new - 1, old, -1))
        return old

    def forget(self, before_us: int) -> None:
        """Agents of whom nothing was heard since."""
        for name in [name for name, batch in self.open.items() if batch.last_s < before_us // SECOND]:
            self.free.append(self.names.pop(name))
            del self.open[name]

    def restart(self) -> None:
        """What comes next is the new normal of all."""
        self.bank.restart(np.arange(len(self.bank.rows)))
        for batch in self.open.values():
            batch.sum, batch.events = 0.0, 0

    def watched(self) -> list[str]:
        """Agents whose evidence can grow."""
        count = self.bank.rows["count"]
        return [name for name, row in self.names.items() if count[row] >= WARM_UP]

    def evidence(self, names: Sequence[str]) -> NDArray[np.float64]:
        return self.bank.evidence[[self.names[name] for name in names]]

    def drift(self, agent: str, now_us: int, about: Mapping[str, int | float | str | None]) -> Drift:
        """What the evidence about an agent speaks for; it begins anew."""
        row = self.names[agent]
        way, bet = self.bank.direction(row), self.bank.bet(row)
        state = self.bank.rows[row]
        before, after = float(state["old_mean"][way]), self.bank.after(row, way)
        since_s, batches = int(state["change"][way]), int(state["count"] - state["old_count"][way])
        span_s = half_width(bet) * (now_us // SECOND - since_s) // max(batches, 1)
        evidence = {
            "e_value": float(self.bank.evidence[row]),
            "since_from": format_time_us(max(since_s - span_s, 0) * SECOND),
            "since_until": format_time_us(min((since_s + span_s) * SECOND, now_us)),
            "since_level": LEVEL,
            "batches_before": int(state["old_count"][way]),
            "batches_after": batches,
            "batch_size": self.size,
            "autocorrelation": self.bank.phi,
            "statistic": self.statistic,
        }
        self.begin(agent)
        return Drift(
            metric=self.name,
            agent=agent,
            direction="down" if way else "up",
            before=self.in_unit(before),
            after=self.in_unit(after),
            since=format_time_us(since_s * SECOND),
            detector=self.detector,
            evidence={**evidence, **about},
        )

    def dump(self) -> dict[str, Any]:
        """Rows of agents only, in the order of their names' first appearance."""
        rows = np.fromiter(self.names.values(), np.intp, len(self.names))
        batches = [self.open[name] for name in self.names]
        opened = np.array([(batch.start_s, batch.sum, batch.events, batch.last_s) for batch in batches], _OPEN)
        return {"names": list(self.names), "open": packed(opened)} | self.bank.dump(rows)

    def load(self, dumped: dict[str, Any]) -> None:
        self.names, self.free = {name: row for row, name in enumerate(dumped["names"])}, []
        opened = unpacked(dumped["open"], _OPEN).tolist()
        self.open = {name: _Open(*batch) for name, batch in zip(dumped["names"], opened, strict=True)}
        self.bank.load(dumped)


class TaskLatency(AgentMetric):
    """Time from start to finish of an agent's tasks, as its mean logarithm."""

    name, detector, statistic = "task_latency_ms", "student_esr", "geometric mean"

    def sums(self, slots: Sequence[Slot]) -> dict[str, tuple[float, float]]:
        """Logarithms of the sketches' bins, all sketches of a slot at once; below a millisecond is a millisecond."""
        found: dict[str, tuple[float, float]] = {}
        for slot in slots:
            for name, total, count in _log_sums(slot):
                before = found.get(name, (0.0, 0.0))
                found[name] = (before[0] + total, before[1] + count)
        return found

    def in_unit(self, value: float) -> float:
        return float(np.exp(value))


def _log_sums(slot: Slot) -> Iterator[tuple[str, float, int]]:
    if not slot.durations:
        return
    sketches = list(slot.durations.values())
    logs = np.maximum(np.concatenate([sketch.bins for sketch in sketches]), 0) * _LOG_GAMMA
    starts = np.cumsum([0, *[len(sketch.bins) for sketch in sketches[:-1]]])
    sums = np.add.reduceat(logs * np.concatenate([sketch.counts for sketch in sketches]), starts)
    for name, sketch, total in zip(slot.durations, sketches, sums.tolist(), strict=True):
        yield name, total, sketch.count


class FailedHandoffs(AgentMetric):
    """Share of the handoffs to an agent that fail."""

    name, detector, statistic = "handoff_failure_rate", "beta_binomial_esr", "rate"
    bank: RateBank

    def make_bank(self) -> RateBank:
        return RateBank()

    def sums(self, slots: Sequence[Slot]) -> dict[str, tuple[float, float]]:
        found: dict[str, tuple[float, float]] = {}
        for slot in slots:
            for name, sums in slot.agents.items():
                if sums.handoffs_ended:
                    failed, ended = found.get(name, (0.0, 0.0))
                    found[name] = (failed + sums.handoffs_failed, ended + sums.handoffs_ended)
        return found

    def begin(self, name: str) -> None:
        super().begin(name)
        self.bank.name(self.names[name], seed_of(self.name, name))

    def _update(self, which: Which, sums: Floats, events: Floats, start_s: NDArray[np.int64]) -> None:
        most = np.minimum(events, _MOST_EVENTS)
        self.bank.update_rates(which, np.rint(sums * most / events), most, start_s)

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        for name, row in self.names.items():
            self.bank.name(row, seed_of(self.name, name))
