"""What happened in each period of a switchback, as sums with the fields of History.

Work that says how long it took belongs to the value that was in force when it began; the rest (time, busy agents,
checks, rework) belongs to the time at which it happened.
"""

from math import log1p
from typing import Any

import numpy as np

from meta_orchestrator.core.collection.history import FIELDS, INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Period, Trial
from meta_orchestrator.core.validation.evidence import Rows
from meta_orchestrator.core.validation.switchback import begin_period

BEGUN = (
    "rounds_closed",
    "rounds_decided",
    "rounds_repeated",
    "latency_count",
    "latency_log_sum",
    "handoffs_ended",
    "handoffs_failed",
    "handoffs_timed_out",
    "points",
    "tasks_finished",
    "tasks_abandoned",
)
"""Fields that are summed by when the work began."""
TIMED = np.array([name not in BEGUN for name in FIELDS])
TOOK = {
    "agent.task.finished": "duration_ms",
    "agent.handoff.completed": "wait_ms",
    "agent.handoff.failed": "wait_ms",
    "consensus.round.closed": "latency_ms",
}
"""Ends of work → the field that says how long it took."""


def measure(moment: Moment, trial: Trial) -> None:
    """Add what this tick brought."""
    begin_period(moment, trial)
    if moment.history.ticks[-1:] == [moment.tick_us]:
        period = _in_which(trial, moment.tick_us - moment.policy.time.tick_us)
        if period:
            period.row = (np.array(period.row) + np.where(TIMED, moment.history.rows[-1], 0.0)).tolist()
    for event in moment.events:
        took = TOOK.get(event[3])
        if took:
            period = _in_which(trial, event[0] - round((event[4].get(took) or 0.0) * 1000))
            if period:
                _add(period, _sums(moment, event[3], event[4]))


def pairs(trial: Trial) -> tuple[Rows, Rows]:
    """(under the old value, under the new one), a row a pair; a pair without one of its periods is left out."""
    complete = [
        (one, other)
        for one, other in zip(trial.periods[::2], trial.periods[1::2], strict=True)
        if one.row[INDEX["seconds"]] > 0 and other.row[INDEX["seconds"]] > 0
    ]
    old = [(other if one.tried else one).row for one, other in complete]
    new = [(one if one.tried else other).row for one, other in complete]
    return np.array(old).reshape(-1, len(FIELDS)), np.array(new).reshape(-1, len(FIELDS))


def _in_which(trial: Trial, time_us: int) -> Period | None:
    """The period whose measured part a time lies in."""
    for period in trial.periods:
        if period.from_us is not None and period.from_us <= time_us < period.end_us:
            return period
    return None


def _add(period: Period, sums: dict[str, float]) -> None:
    for name, value in sums.items():
        period.row[INDEX[name]] += value


def _sums(moment: Moment, kind: str, data: dict[str, Any]) -> dict[str, float]:
    if kind == "consensus.round.closed":
        return _round(data)
    if kind == "agent.task.finished":
        return _task(moment, data)
    cause = data.get("cause")
    return {"handoffs_ended": 1, "handoffs_failed": cause is not None, "handoffs_timed_out": cause == "timeout"}


def _round(data: dict[str, Any]) -> dict[str, float]:
    return {
        "rounds_closed": 1,
        "rounds_decided": data["outcome"] in ("accepted", "rejected"),
        "rounds_repeated": data["attempt"] > 1,
        "latency_count": 1,
        "latency_log_sum": log1p(data["latency_ms"]),
    }


def _task(moment: Moment, data: dict[str, Any]) -> dict[str, float]:
    """Steps, which have no points, count nowhere."""
    known, points = moment.books.tasks.get(data["task"]), data.get("points")
    if points is None:
        points = known.points if known and known.points is not None else 1
    if not points:
        return {}
    succeeded, abandoned = data["outcome"] == "succeeded", data["outcome"] == "abandoned"
    return {"tasks_finished": 1, "tasks_abandoned": abandoned, "points": points if succeeded else 0}
