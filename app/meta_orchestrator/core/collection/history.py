"""What the past looked like: one row of sums a tick, disjoint in time, so that tests may treat rows as single looks."""

from bisect import bisect_right
from typing import Any

import numpy as np
from numpy.typing import NDArray

FIELDS = (
    "events",
    "rounds_closed",
    "rounds_decided",  # accepted or rejected
    "rounds_needless",  # accepted, about something minor or normal
    "rounds_repeated",  # closed with an attempt above 1
    "latency_count",
    "latency_log_sum",  # of ln(1 + latency_ms)
    "votes",
    "votes_against",
    "handoffs_ended",
    "handoffs_failed",
    "handoffs_timed_out",  # cause `timeout`, the implied ones included
    "points",  # of first successes
    "tasks_finished",  # distinct in the row, without steps
    "tasks_regressed",
    "tasks_reworked",
    "tasks_worked",  # finished or with rework requested
    "tasks_abandoned",
    "interventions",
    "busy_us",  # of live agents; heartbeats count as busy share of the time they cover
    "capacity_us",
    "seconds",  # the length of the row
)
INDEX = {name: i for i, name in enumerate(FIELDS)}

RATIOS: dict[str, tuple[str, str, int]] = {
    "consensus_latency_log": ("latency_log_sum", "latency_count", -1),
    "consensus_success_rate": ("rounds_decided", "rounds_closed", +1),
    "dissent_rate": ("votes_against", "votes", -1),
    "handoff_failure_rate": ("handoffs_failed", "handoffs_ended", -1),
    "development_velocity": ("points", "seconds", +1),
    "quality_regression_rate": ("tasks_regressed", "tasks_finished", -1),
    "rework_percentage": ("tasks_reworked", "tasks_worked", -1),
    "coordination_failures": ("failures", "seconds", -1),
    "manual_interventions": ("interventions", "seconds", -1),
    "agent_utilization": ("busy_us", "capacity_us", 0),
}
"""Metric → (numerator, denominator, which way is better: +1 up, -1 down, 0 towards a target)."""


class History:
    """Rows of ticks in which something happened, oldest first, for `history_us` (at the most)."""

    def __init__(self, history_us: int) -> None:
        self.history_us = history_us
        self.ticks: list[int] = []
        self._rows = np.zeros((64, len(FIELDS)))
        """Its last len(ticks) used rows count; it is written to the right and moved when it is full."""
        self._used = 0

    def add(self, tick_us: int, row: NDArray[np.float64]) -> None:
        """Append the row of the slice that ends at `tick_us`, and forget what is too old."""
        if self._used == len(self._rows):
            self._move()
        self._rows[self._used] = row
        self._used += 1
        self.ticks.append(tick_us)
        del self.ticks[: bisect_right(self.ticks, tick_us - self.history_us)]

    @property
    def rows(self) -> NDArray[np.float64]:
        """All of them, shape (len(ticks), len(FIELDS)), to be read only."""
        return self._rows[self._used - len(self.ticks) : self._used]

    def clear(self) -> None:
        self.ticks.clear()

    def between(self, after_us: int, until_us: int) -> NDArray[np.float64]:
        """The rows of ticks in (after, until]: shape (n, len(FIELDS)), to be read only."""
        return self.rows[bisect_right(self.ticks, after_us) : bisect_right(self.ticks, until_us)]

    def _move(self) -> None:
        """Make room: at least as much as there is now."""
        kept = self.rows
        self._rows = np.concatenate([kept, np.zeros((len(kept) + 64, len(FIELDS)))])
        self._used = len(kept)

    def dump(self, after_us: int) -> dict[str, Any]:
        """The rows of ticks after a time."""
        begin = bisect_right(self.ticks, after_us)
        return {"ticks": self.ticks[begin:], "rows": self.between(after_us, 2**63).tolist()}

    def put(self, dumped: dict[str, Any]) -> None:
        """Add what was dumped before."""
        for tick_us, row in zip(dumped["ticks"], dumped["rows"], strict=True):
            self.add(tick_us, np.array(row))


def ratio_parts(rows: NDArray[np.float64], metric: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Numerators and denominators of a metric, row by row."""
    numerator, denominator, _ = RATIOS[metric]
    return _column(rows, numerator), _column(rows, denominator)


def _column(rows: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    if name == "failures":
        undecided = rows[:, INDEX["rounds_closed"]] - rows[:, INDEX["rounds_decided"]]
        return undecided + rows[:, INDEX["handoffs_failed"]] + rows[:, INDEX["tasks_abandoned"]]
    return rows[:, INDEX[name]]
