"""Trends of a project that matter: looked for when an hour has ended, and said once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.awake import parts
from meta_orchestrator.core.analysis.trends.hours import AT, Hours
from meta_orchestrator.core.analysis.trends.kendall import Slope, normal_scores, trend
from meta_orchestrator.core.analysis.trends.memory import correlations, of_blocks
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import HOUR_US, format_time_us
from meta_orchestrator.messages.outputs import Drift
from meta_orchestrator.policy import Policy, Targets, Weights

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A ratio of hourly sums in some unit; `least` is the denominator below which an hour says nothing."""

    name: str
    unit: float
    least: float
    term: str
    """Its weight in the objective."""
    seasonal: bool = False
    """Whether the time of the day is expected to matter: hours are only compared with what is usual then."""

    def reference(self, level: float, targets: Targets) -> float:
        """What the dead band is a share of."""
        if self.term == "velocity":
            return level
        if self.term == "utilization":
            return targets.utilization_low
        return max(level, self.unit * targets.quality_regression_rate)


METRICS = (
    Metric("development_velocity", 3600.0, 1200.0, "velocity", seasonal=True),
    Metric("quality_regression_rate", 1.0, 5.0, "quality"),
    Metric("rework_percentage", 100.0, 5.0, "quality"),
    Metric("agent_utilization", 1.0, 1.0, "utilization", seasonal=True),
)


@dataclass(frozen=True)
class Span:
    """`hours` of the past in blocks of `block` hours, looked at four times in its own length."""

    hours: int
    block: int

    @property
    def daily(self) -> bool:
        """Long enough to compare each hour with the same one of other days."""
        return self.hours >= 72

    @property
    def pause(self) -> int:
        return self.hours // 4


SPANS = (Span(12, 1), Span(24, 1), Span(72, 1), Span(168, 2), Span(336, 4))
LEAST_BLOCKS = 10
LEAST_DAYS = 3
"""Earlier days of the same kind (working days or weekends) from which the usual value of an hour is known."""


class TrendWatch:
    """The hours of a project, and which trends have been told."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.hours = Hours()
        self.looked: dict[int, int] = {}
        """Span (hours) → number of its last look."""
        self.told: dict[str, tuple[str, int]] = {}
        """Metric → direction of the last trend that was said, and until when it is not said again."""
        looks_per_day = sum(24 / span.pause for span in SPANS) * len(METRICS)
        self.level = policy.analysis.trends_per_day / looks_per_day

    def judge(self, moment: Moment) -> list[Drift]:
        """The trends that show now that an hour has ended."""
        if not self.hours.add(moment):
            return []
        found = []
        for span in SPANS:
            number = int(self.hours.numbers[-1] + 1) // span.pause
            if number != self.looked.get(span.hours):
                self.looked[span.hours] = number
                found += [drift for metric in METRICS if (drift := self._look(moment, span, metric))]
        return found

    def _look(self, moment: Moment, span: Span, metric: Metric) -> Drift | None:
        end = int(self.hours.numbers[-1]) + 1
        begin = end - span.hours
        series = Series(self.hours, metric, begin, span)
        slope = series.slope()
        if slope is None or slope.p_value > self.level:
            return None
        direction = "up" if slope.slope > 0 else "down"
        if self.told.get(metric.name, ("", 0))[0] == direction and moment.tick_us < self.told[metric.name][1]:
            return None
        if not self._matters(moment, metric, series.level, slope.slope * series.length):
            return None
        self.told[metric.name] = (direction, moment.tick_us + span.hours * HOUR_US)
        return _told(series, slope)

    def _matters(self, moment: Moment, metric: Metric, level: float, change: float) -> bool:
        """For this project's objective, and beyond the dead band."""
        weights: Weights = self.policy.weights(moment.project)
        reference = metric.reference(level, self.policy.targets)
        return getattr(weights, metric.term) > 0 and abs(change) >= self.policy.pace.dead_band * reference

    def dump(self) -> dict[str, Any]:
        told = {name: list(last) for name, last in self.told.items()}
        return {"hours": self.hours.dump(), "looked": list(self.looked.items()), "told": told}

    def load(self, dumped: dict[str, Any]) -> None:
        self.hours.load(dumped["hours"])
        self.looked = dict(dumped["looked"])
        self.told = {name: (direction, until_us) for name, (direction, until_us) in dumped["told"].items()}


class Series:
    """A metric by blocks of a span, and what is usual, as far as the hours tell."""

    def __init__(self, hours: Hours, metric: Metric, begin: int, span: Span) -> None:
        self.metric, self.begin, self.span = metric, begin, span
        sums = hours.sums.astype(np.float64)
        self._config = sums[:, AT["config"]].astype(np.int64)
        self._numbers = hours.numbers
        numerator, denominator = parts(metric.name)
        self._parts = sums[:, AT[numerator]] * metric.unit, sums[:, AT[denominator]]
        inside = (hours.numbers >= begin) & (self._config > 0)
        self.blocks, values, self.strata = self._blocked(inside)
        self.level = float(np.median(values)) if len(values) else 0.0
        self.values = values
        self.season = "same hours" if span.daily else "none"
        if metric.seasonal and not span.daily:
            self._relative_to_usual()

    @property
    def first(self) -> float:
        """Hours from the begin of the span to that of the first block: nothing is said of what was not seen."""
        return float(self.blocks[0]) - self.span.block / 2

    @property
    def length(self) -> float:
        """Hours from the begin of the first block to the end of the last one."""
        return float(self.blocks[-1]) + self.span.block / 2 - self.first

    def slope(self) -> Slope | None:
        """By the hour; None where there are too few blocks."""
        if len(self.values) < LEAST_BLOCKS:
            return None
        return trend(self.blocks, self.values, self.strata, of_blocks(self.correlations, self.span.block))

    @cached_property
    def correlations(self) -> Numbers:
        """Between hours so far apart, over all that is known."""
        good = self._parts[1] >= self.metric.least
        values, numbers = self._parts[0][good] / self._parts[1][good], self._numbers[good]
        if self.metric.seasonal:
            usual = _usual(numbers, values)
            values, numbers = values[usual > 0] / usual[usual > 0], numbers[usual > 0]
        return correlations(normal_scores(values), numbers, self.span.hours)

    def _blocked(self, inside: NDArray[np.bool_]) -> tuple[Numbers, Numbers, NDArray[np.int64]]:
        """(hours since the begin of the middle of each block, its value, its stratum) of those that say something."""
        places = (self._numbers[inside] - self.begin) // self.span.block
        keys = np.stack([places, self._config[inside]])
        unique, owner = np.unique(keys, axis=1, return_inverse=True)
        tops, bottoms = (np.bincount(owner, weights=part[inside], minlength=unique.shape[1]) for part in self._parts)
        good = (
            bottoms >= self.metric.least * self.span.block / 2 if self.span.block > 1 else bottoms >= self.metric.least
        )
        times = (unique[0][good] + 0.5) * self.span.block
        return times, tops[good] / bottoms[good], self._strata(unique[:, good])

    def _strata(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """What may be compared: the same configuration, and over days the same hour of the same kind of day."""
        hour = self.begin + keys[0] * self.span.block
        kind = _kind(hour) * 24 + hour % 24 if self.span.daily else 0 * hour
        return np.unique(np.stack([keys[1], kind]), axis=1, return_inverse=True)[1].astype(np.int64)

    def _relative_to_usual(self) -> None:
        """As a multiple of the median of the same hours of earlier days, times the median of these: a team that does
        half as much has half the season. Hours of which it is not known, or 0, are left out.
        """
        past = (self._numbers < self.begin) & (self._parts[1] >= self.metric.least)
        earlier = self._parts[0][past] / self._parts[1][past]
        slots = _slot(self._numbers[past])
        kept, usual = [], []
        for place, hour in enumerate((self.begin + self.blocks - 0.5).astype(np.int64)):
            same = earlier[slots == _slot(np.array([hour]))[0]]
            if len(same) >= LEAST_DAYS and np.median(same) > 0:
                kept.append(place)
                usual.append(float(np.median(same)))
        self.blocks, self.strata = self.blocks[kept], self.strata[kept]
        self.values = self.values[kept] / np.array(usual) * (np.median(usual) if usual else 1.0)
        self.level = float(np.median(self.values)) if usual else self.level
        self.season = "relative to the usual at the hour"


def _kind(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 for working days, 1 for weekends (UTC); the epoch was a Thursday."""
    return ((hours // 24 + 3) % 7 >= 5).astype(np.int64)


def _slot(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    return _kind(hours) * 24 + hours % 24


def _usual(hours: NDArray[np.int64], values: Numbers) -> Numbers:
    """The median at the same hour of the same kind of day, where there are some; of all otherwise."""
    usual = np.full(len(values), np.median(values) if len(values) else 0.0)
    slots = _slot(hours)
    for slot in np.unique(slots):
        same = slots == slot
        if same.sum() >= LEAST_DAYS:
            usual[same] = np.median(values[same])
    return usual


def _told(series: Series, slope: Slope) -> Drift:
    """As a drift from the first block to the last one: fitted values, never below 0."""
    half = slope.slope * series.length / 2
    return Drift(
        metric=series.metric.name,
        direction="up" if slope.slope > 0 else "down",
        before=max(series.level - half, 0.0),
        after=max(series.level + half, 0.0),
        since=format_time_us(round((series.begin + series.first) * HOUR_US)),
        detector="trend",
        evidence={
            "slope_per_hour": slope.slope,
            "slope_low": slope.low,
            "slope_high": slope.high,
            "p_value": slope.p_value,
            "kendall_s": slope.s,
            "pairs": slope.pairs,
            "blocks": len(series.values),
            "block_hours": series.span.block,
            "span_hours": round(series.length),
            "autocorrelation": float(series.correlations[1]),
            "season": series.season,
        },
    )
