"""The spike score on the Numenta Anomaly Benchmark's labelled series, by its standard profile.

Scoring: Lavin, Ahmad (2015), "Evaluating real-time anomaly detection algorithms", §II: the first detection in a window
earns up to 1, the earlier the more; a detection outside costs up to .11, the farther from a window the more; a
window without a detection costs 1. The first 15 % (of 5,000 rows at the most) are probation. 0 is the null detector,
100 a perfect one.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from judge.baselines import skyline, windowed_gaussian
from judge.data import data
from judge.row import Row
from meta_orchestrator.core.analysis.drift import Spike
from meta_orchestrator.core.analysis.drift.season import Season
from meta_orchestrator.messages.fields import DAY_US

FALSE_WEIGHT = 0.11
Floats = NDArray[np.float64]
BEST = float(np.tanh(2.5))
"""What the earliest possible detection of a window earns before it is scaled to 1."""


@dataclass(frozen=True)
class Series:
    """One file: seconds and values of shape (rows,), labelled windows as (first, last) row."""

    folder: str
    name: str
    times: Floats
    values: Floats
    windows: list[tuple[int, int]]

    @property
    def probation(self) -> int:
        return int(min(0.15 * len(self.values), 750))

    @property
    def scored_windows(self) -> list[tuple[int, int]]:
        return [window for window in self.windows if window[1] >= self.probation]

    def worth(self) -> Floats:
        """What a detection at each row is worth, shape (rows,); in a window before it is scaled to 1."""
        worth = np.full(len(self.values), -1.0)
        rows = np.arange(len(self.values))
        for first, last in self.windows:
            past = (rows - last) / max(last - first, 1)
            after = (rows > last) & (past < 3)
            worth[rows > last] = -1.0
            worth[after] = -np.tanh(2.5 * past[after])
        for first, last in self.windows:
            inside = slice(first, last + 1)
            worth[inside] = np.tanh(2.5 * (last - rows[inside] + 1) / (last - first + 1)) / BEST
        return worth

    def score(self, detected: NDArray[np.bool_]) -> float:
        """The raw score of detections."""
        worth = self.worth()
        counts = detected & (np.arange(len(detected)) >= self.probation)
        total, outside = 0.0, np.ones(len(detected), bool)
        for first, last in self.windows:
            outside[first : last + 1] = False
        for first, last in self.scored_windows:
            hits = worth[first : last + 1][counts[first : last + 1]]
            total += float(hits.max()) if len(hits) else -1.0
        return total + FALSE_WEIGHT * float(worth[counts & outside].sum())


def normalised(series: list[Series], raw: float) -> float:
    """0 for a detector that never fires, 100 for a perfect one."""
    windows = sum(len(one.scored_windows) for one in series)
    return 100 * (raw + windows) / (2 * windows)


def read() -> list[Series]:
    root = data("nab")
    labels = json.loads((root / "labels" / "combined_windows.json").read_text())
    found = [_series(path, labels) for path in sorted((root / "data").glob("*/*.csv"))]
    return [one for one in found if one is not None]


def _series(path: Path, labels: dict[str, list[list[str]]]) -> Series:
    with path.open() as file:
        rows = [(_seconds(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
    times, values = np.array(rows).T
    windows = []
    for begin, end in labels[f"{path.parent.name}/{path.name}"]:
        first = int(np.searchsorted(times, _seconds(begin)))
        windows.append((first, int(np.searchsorted(times, _seconds(end), side="right")) - 1))
    return Series(path.parent.name, path.stem, times, values, windows)


def _seconds(text: str) -> float:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - the file has no zone


def spikes(series: Series) -> Floats:
    """Our score, 1 at a flag: the time of day taken out, then the spike detector, both at their defaults."""
    season, spike, scores = Season(DAY_US, 48), Spike(), np.zeros(len(series.values))
    for place, (time_s, value) in enumerate(zip(series.times.tolist(), series.values.tolist(), strict=True)):
        spike.update(season.residual(int(time_s * 1e6), value))
        scores[place] = float(spike.drift_detected)
    return scores


def reached(series: list[Series], scores: list[Floats], level: float) -> float:
    """The normalised score of some files where all that scores `level` or more is flagged."""
    return normalised(series, sum(one.score(score >= level) for one, score in zip(series, scores, strict=True)))


def best_level(series: list[Series], scores: list[Floats]) -> float:
    """The best threshold of all for these very files: more than fair to a baseline."""
    levels = np.unique(np.concatenate(scores))
    if len(levels) > 200:
        levels = np.unique(np.quantile(levels, 1 - np.geomspace(1e-4, 1, 200)))
    return float(max(levels, key=lambda level: reached(series, scores, level)))


def rows() -> list[Row]:
    series = read()
    finders = {"ours": [spikes(one) for one in series]}
    finders["skyline"] = [skyline(one.times, one.values) for one in series]
    finders["windowed Gaussian"] = [windowed_gaussian(one.values) for one in series]
    levels = {name: best_level(series, scores) if name != "ours" else 1.0 for name, scores in finders.items()}
    return list(_rows(series, finders, levels))


def _rows(series: list[Series], finders: dict[str, list[Floats]], levels: dict[str, float]) -> Iterator[Row]:
    note = "one threshold for all files: ours fixed, the others' the best one for these very files"
    for what in ("all", *sorted({one.folder for one in series})):
        part = [place for place, one in enumerate(series) if what in {"all", one.folder}]
        files = [series[place] for place in part]
        if not any(one.windows for one in files):
            flags = int(sum(finders["ours"][place].sum() for place in part))
            yield Row("NAB", what, flags, {"never": 0}, "", "flags, where there is nothing")
            continue
        figures: dict[str, float | int | str] = {
            name: reached(files, [scores[place] for place in part], levels[name]) for name, scores in finders.items()
        }
        ours = figures.pop("ours")
        yield Row("NAB", what, ours, {"never": 0} | figures, "ahead of both" if what == "all" else "", note)
        note = ""
