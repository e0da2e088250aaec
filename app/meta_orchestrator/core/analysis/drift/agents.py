"""Two metrics of each agent, all agents at once: what an agent does not do costs nothing."""

from collections.abc import Iterator, Mapping, Sequence
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

_LOG_GAMMA = float(np.log((1 + ERROR) / (1 - ERROR)))
_OPEN = np.dtype([("start_s", "<u4"), ("sum", "<f4"), ("events", "<u4"), ("last_s", "<u4")])
_MOST_EVENTS = 200
"""A batch of a rate that holds more events counts as this many: bounds the cost of its law."""


class AgentMetric:
    """One metric of all agents: sums of ticks → batches of `size` events each → a bank of detectors."""

    name: str
    detector: str
    statistic: str

    def __init__(self, size: int, most: int) -> None:
        self.size, self.most = size, most
        self.names: dict[str, int] = {}
        """Agent → its row."""
        self.free: list[int] = []
        self.open = np.zeros(0, _OPEN)
        self.bank = self.make_bank()

    def make_bank(self) -> SmallBank:
        return SmallBank()

    def sums(self, slots: Sequence[Slot]) -> dict[str, tuple[float, float]]:
        """Agent → (sum, events) of some slots."""
        raise NotImplementedError

    def in_unit(self, value: float) -> float:
        return value

    def feed(self, slots: Sequence[Slot], start_us: int, end_us: int) -> None:
        """Take what happened in (start, end]."""
        sums = self.sums(slots)
        names = [name for name in sums if self._has_row(name)]
        if not names:
            return
        which = np.array([self.names[name] for name in names], np.intp)
        rows = self.open[which]
        rows["start_s"] = np.where(rows["events"] == 0, start_us // SECOND, rows["start_s"])
        rows["last_s"] = end_us // SECOND
        rows["sum"] += [sums[name][0] for name in names]
        rows["events"] += np.array([sums[name][1] for name in names], np.uint32)
        full = rows["events"] >= self.size
        if full.any():
            self._update(which[full], rows[full])
        rows["sum"][full] = rows["events"][full] = 0
        self.open[which] = rows

    def _update(self, which: Which, rows: NDArray[Any]) -> None:
        values = rows["sum"].astype(np.float64) / rows["events"]
        self.bank.update(which, values, rows["start_s"].astype(np.int64))

    def _has_row(self, name: str) -> bool:
        """Whether an agent is watched; a new one is while there is room."""
        if name in self.names:
            return True
        if len(self.names) >= self.most:
            return False
        if not self.free:
            self._grow()
        self.names[name] = self.free.pop()
        self.begin(name)
        return True

    def begin(self, name: str) -> None:
        """A row is an agent's own from now on."""
        self.bank.restart(np.array([self.names[name]]))
        self.open[self.names[name]] = np.zeros((), _OPEN)

    def _grow(self) -> None:
        old = len(self.open)
        new = min(max(2 * old, 16), self.most)
        self.open = np.concatenate([self.open, np.zeros(new - old, _OPEN)])
        self.bank.grow(new)
        self.free = list(range(new - 1, old - 1, -1))

    def forget(self, before_us: int) -> None:
        """Agents of whom nothing was heard since."""
        old = [name for name, row in self.names.items() if self.open["last_s"][row] < before_us // SECOND]
        for name in old:
            self.free.append(self.names.pop(name))

    def restart(self) -> None:
        """What comes next is the new normal of all."""
        self.bank.restart(np.arange(len(self.open)))
        self.open["events"] = self.open["sum"] = 0

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
        """Rows of watched agents only, in the order of their names' first appearance."""
        rows = np.fromiter(self.names.values(), np.intp, len(self.names))
        return {"names": list(self.names), "open": packed(self.open[rows])} | self.bank.dump(rows)

    def load(self, dumped: dict[str, Any]) -> None:
        self.names, self.free = {name: row for row, name in enumerate(dumped["names"])}, []
        self.open = unpacked(dumped["open"], _OPEN)
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

    def _update(self, which: Which, rows: NDArray[Any]) -> None:
        events = rows["events"].astype(np.float64)
        most = np.minimum(events, _MOST_EVENTS)
        bad = np.rint(rows["sum"] * most / events)
        self.bank.update_rates(which, bad, most, rows["start_s"].astype(np.int64))

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        for name, row in self.names.items():
            self.bank.name(row, seed_of(self.name, name))
