"""Trends: false ones a day on clean projects of a month, and after how long real ones are told, at defaults."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from judge.row import Row
from meta_orchestrator.core.analysis.trends.watch import TrendWatch
from meta_orchestrator.core.collection.history import FIELDS, INDEX, History
from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.policy import Policy

STEP_S, HOUR_S, DAY_H = 600, 3600, 24
MONTH_D, PROJECTS = 30, 8
NULLS: dict[str, dict[str, float]] = {
    "independent hours": {},
    "AR .5 from hour to hour": {"phi": 0.5},
    "AR .8 from hour to hour": {"phi": 0.8},
    "daily season": {"season": 0.6},
    "daily season, AR .5": {"season": 0.6, "phi": 0.5},
}
SLOPES = {"1 % an hour": 0.01, "2 % an hour": 0.02}
QUIET_D = 5


def rows() -> list[Row]:
    promise = Policy().analysis.trends_per_day
    found = [
        Row("trends", f"false a day, {name}", false_rate(**how), {}, f"≤ {promise:g}") for name, how in NULLS.items()
    ]
    note = f"hours until told, median of {PROJECTS} projects; 10 tasks an hour"
    return found + [
        Row("trends", f"velocity falls by {name}", delay(slope), {}, "", note) for name, slope in SLOPES.items()
    ]


def false_rate(**how: float) -> float:
    said = sum(len(month(seed, MONTH_D, **how)) for seed in range(PROJECTS))
    return said / PROJECTS / MONTH_D


def delay(slope: float) -> float | str:
    """Median hours from the begin of a fall to its trend; a season makes it harder."""
    found = []
    for seed in range(PROJECTS):
        told = month(seed, QUIET_D + 4, season=0.3, slope=-slope)
        hours = [hour - QUIET_D * DAY_H for hour, metric in told if metric == "development_velocity"]
        found.append(min((hour for hour in hours if hour > 0), default=float("inf")))
    middle = float(np.median(found))
    return middle if np.isfinite(middle) else "not within 4 days"


def month(seed: int, days: int, phi: float = 0.0, season: float = 0.0, slope: float = 0.0) -> list[tuple[float, str]]:
    """(hour, metric) of the trends that are told of a project with ten tasks an hour."""
    random, policy = np.random.default_rng(seed), Policy()
    watch, history, noise = TrendWatch(policy), History(policy.time.history_us), np.zeros(3)
    moment: Any = SimpleNamespace(history=history, ledger=Ledger(), project="p", policy=policy, tick_us=0)
    told = []
    for step in range(1, days * DAY_H * HOUR_S // STEP_S + 1):
        hour = step * STEP_S / HOUR_S
        if step % (HOUR_S // STEP_S) == 1:
            noise = phi * noise + (1 - phi * phi) ** 0.5 * random.standard_normal(3)
        level = (1 + season * np.sin(2 * np.pi * hour / DAY_H)) * max(1 + slope * max(hour - QUIET_D * DAY_H, 0), 0)
        moment.tick_us = step * STEP_S * SECOND
        history.add(moment.tick_us, sums(random, level, noise))
        told += [(hour, drift.metric) for drift in watch.judge(moment)]
    return told


def sums(random: np.random.Generator, level: float, noise: Any) -> Any:
    """A row of History: tasks by a Poisson process whose rate wanders, a tenth of them bad, half of the time busy."""
    finished = int(random.poisson(10 * STEP_S / HOUR_S * level * np.exp(0.3 * noise[0])))
    bad = int(random.binomial(finished, min(0.1 * np.exp(0.3 * noise[1]), 1)))
    capacity_us = 4 * STEP_S * SECOND
    values = {
        "points": finished,
        "tasks_finished": finished,
        "tasks_worked": finished,
        "tasks_regressed": bad,
        "tasks_reworked": bad,
        "busy_us": capacity_us * float(np.clip(0.5 * level + 0.1 * noise[2], 0, 1)),
        "capacity_us": capacity_us,
        "seconds": STEP_S,
    }
    row = np.zeros(len(FIELDS))
    for name, value in values.items():
        row[INDEX[name]] = value
    return row
