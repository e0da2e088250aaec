"""One metric of one project on its way from the rows of History to a drift."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.drift.adwin import SecondOpinion
from meta_orchestrator.core.analysis.drift.baseline import Baseline
from meta_orchestrator.core.analysis.drift.batches import Batch
from meta_orchestrator.core.analysis.drift.metrics import Metric
from meta_orchestrator.core.analysis.drift.rank_esr import RankESR
from meta_orchestrator.core.analysis.drift.since import LEVEL, half_width
from meta_orchestrator.core.analysis.drift.spike import spike_score
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.messages.outputs import Drift

Facts = Mapping[str, int | float | str | None]


class Stream:
    """Batches of a metric → less their season → detector → `drift.detected`, dated and in numbers a person can check.

    Whether the evidence is enough is for the project as a whole to say (`together.py`).
    """

    def __init__(self, metric: Metric, size: float) -> None:
        self.metric = metric
        self.batches = metric.batches(size)
        self.detector = RankESR(run_length=float("inf"))
        self.baseline = Baseline(self.detector.window)
        self._begin()

    def _begin(self) -> None:
        self._total = [0.0, 0.0]
        self._first_us = self._last_us = 0
        """Start of the first batch since the last restart, end of the last one."""
        self._marks: dict[int, tuple[int, float, float]] = {}
        """Possible change point (number of a batch) → its time and the sums before it, since the last restart."""

    def restart(self) -> None:
        """What comes next is the new normal."""
        self.batches.clear()
        self._restart()

    def _restart(self) -> None:
        self.detector.restart()
        self.baseline.restart()
        self._begin()

    @property
    def is_watched(self) -> bool:
        """Whether its evidence can grow yet."""
        return self.detector.known > self.detector.warm_up

    def feed(self, start_us: int, end_us: int, row: Mapping[str, float]) -> bool:
        """Take the sums of a slice of time; whether they completed a batch."""
        batch = self.batches.add(start_us, *(row[part] for part in self.metric.parts))
        if batch:
            self._take(batch, end_us)
        return batch is not None

    def _take(self, batch: Batch, end_us: int) -> None:
        number = self.detector.updates
        if not self._marks:
            self._first_us = batch.start_us
        self._last_us = end_us
        self._marks[number] = (batch.start_us, self._total[0], self._total[1])
        self._total = [self._total[0] + batch.numerator, self._total[1] + batch.denominator]
        self.detector.update(self._without_season(batch, end_us))
        self._marks = {n: self._marks[n] for n in self.detector.candidates if n in self._marks}

    def _without_season(self, batch: Batch, end_us: int) -> float:
        """In half precision, as it is stored."""
        time_us, known = (batch.start_us + end_us) // 2, self.baseline.is_known
        revision = self.baseline.turn(time_us)
        if revision is not None:
            self.detector.revise(_half(self.detector.values + revision), anew=self.baseline.is_known != known)
        return float(_half(np.array(self.baseline.residual(time_us, self.metric.even(batch.value)))))

    def adwin_fires(self, adwin: SecondOpinion) -> bool:
        """Whether ADWIN finds a drift with the latest batch."""
        return adwin.fires(self.detector.values, self.detector.known)

    def drift(self, detector: str, about: Facts) -> Drift | None:
        """The drift that the evidence speaks for; begins anew after it. None where nothing was seen before it."""
        since_us, *old = self._marks.get(self.detector.change, (0, 0.0, 0.0))
        drift = self._drift(detector, since_us, old, about) if old[1] and self._total[1] > old[1] else None
        self.baseline.spoil()
        self._restart()
        return drift

    def _drift(self, detector: str, since_us: int, old: Sequence[float], about: Facts) -> Drift:
        total, in_unit = self._total, self.metric.in_unit
        before, after = in_unit(old[0] / old[1]), in_unit((total[0] - old[0]) / (total[1] - old[1]))
        return Drift(
            metric=self.metric.name,
            direction="up" if after > before else "down",
            before=before,
            after=after,
            since=format_time_us(since_us),
            detector=detector,
            evidence={**self._evidence(since_us), **about},
        )

    def _evidence(self, since_us: int) -> Facts:
        found = self.detector
        batches_after = found.updates - found.change
        before, after = np.split(found.values, [-batches_after])
        since_from_us, since_until_us = self._interval(since_us, batches_after)
        return {
            "e_value": found.evidence,
            "since_from": format_time_us(since_from_us),
            "since_until": format_time_us(since_until_us),
            "since_level": LEVEL,
            "batches_before": found.known - batches_after,
            "batches_after": batches_after,
            "batch_size": self.batches.size,
            "autocorrelation": found.autocorrelation,
            "statistic": self.metric.statistic,
            "seasonal": "yes" if self.baseline.is_known else "no",
            "spike_score": spike_score(before, after),
        }

    def _interval(self, since_us: int, batches_after: int) -> tuple[int, int]:
        """From when until when the change may have been, at the pace of batches before and after it."""
        width = half_width(self.detector.bet)
        before = max(self.detector.known - batches_after, 1)
        from_us = since_us - width * (since_us - self._first_us) // before
        until_us = since_us + width * (self._last_us - since_us) // max(batches_after, 1)
        return max(from_us, self._first_us), min(until_us, self._last_us)

    def dump(self) -> dict[str, Any]:
        marks = [[number, *mark] for number, mark in self._marks.items()]
        return {
            "batches": self.batches.dump(),
            "detector": self.detector.dump(),
            "baseline": self.baseline.dump(),
            "total": self._total,
            "times": [self._first_us, self._last_us],
            "marks": marks,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        self.batches.load(dumped["batches"])
        self.detector.load(dumped["detector"])
        self.baseline.load(dumped["baseline"])
        self._total = list(dumped["total"])
        self._first_us, self._last_us = dumped["times"]
        self._marks = {number: (start_us, a, b) for number, start_us, a, b in dumped["marks"]}


def _half(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded to half precision."""
    return np.minimum(np.maximum(values, -6e4), 6e4).astype(np.float16).astype(np.float64)
