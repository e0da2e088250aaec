"""RankESR on annotated change points (Turing Change Point Dataset, quality-control series), with one setting for all.

Scores: van den Burg, Williams (2020), "An evaluation of change point detection algorithms", §3.2: F1 with a margin of 5
around each annotation, precision against all annotators together, recall as the mean over annotators; covering as the
mean over annotators of the Jaccard overlap of segments. The start of a series counts as found.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from statistics import fmean

import numpy as np
from river import drift

from judge.data import data
from judge.row import Row
from meta_orchestrator.core.analysis.drift import RankESR

MARGIN = 5
Annotations = dict[str, list[int]]
Finder = Callable[[Sequence[float]], list[int]]


def matched(truth: Iterable[int], found: Iterable[int]) -> int:
    """How many true points have a found one of their own within the margin; the nearest is theirs."""
    free, hits = set(found), 0
    for point in sorted(truth):
        near = [(abs(point - other), other) for other in free if abs(point - other) <= MARGIN]
        if near:
            free.remove(min(near)[1])
            hits += 1
    return hits


def f1(annotations: Annotations, found: Iterable[int]) -> float:
    truths = [{0, *points} for points in annotations.values()]
    guesses = {0, *found}
    precision = matched(set().union(*truths), guesses) / len(guesses)
    recall = fmean(matched(truth, guesses) / len(truth) for truth in truths)
    return 2 * precision * recall / (precision + recall)


def segments(points: Iterable[int], length: int) -> list[tuple[int, int]]:
    """[begin, end) of the parts that change points cut a series into."""
    ends = [0, *sorted({point for point in points if 0 < point < length}), length]
    return list(pairwise(ends))


def overlap(a: tuple[int, int], b: tuple[int, int]) -> float:
    """Jaccard: what both share of what they cover together."""
    shared = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    return shared / (a[1] - a[0] + b[1] - b[0] - shared)


def covering(annotations: Annotations, found: Sequence[int], length: int) -> float:
    """Each annotated part by the found one that fits best, weighed by length."""
    parts = segments(found, length)

    def of(points: list[int]) -> float:
        truth = segments(points, length)
        return sum((part[1] - part[0]) * max(overlap(part, other) for other in parts) for part in truth) / length

    return fmean(of(points) for points in annotations.values())


def ours(values: Sequence[float]) -> list[int]:
    """The estimated change points of RankESR at its defaults."""
    detector, found = RankESR(), []
    for value in values:
        detector.update(value)
        if detector.drift_detected:
            found.append(detector.change)
    return found


def river(make: Callable[[], drift.ADWIN | drift.PageHinkley]) -> Finder:
    """Detections of one of River's detectors; ADWIN dates them by the width of its window."""

    def find(values: Sequence[float]) -> list[int]:
        detector, found = make(), []
        for place, value in enumerate(values):
            detector.update(value)
            if detector.drift_detected:
                found.append(max(0, place + 1 - int(getattr(detector, "width", 1))))
        return found

    return find


FINDERS: dict[str, Finder] = {
    "ours": ours,
    "never": lambda values: [],
    "ADWIN": river(drift.ADWIN),
    "PageHinkley": river(drift.PageHinkley),
}


def rows() -> list[Row]:
    root = data("tcpd")
    truths = json.loads((root / "annotations.json").read_text())
    names = sorted(path.parent.name for path in root.glob("*/*.json") if path.stem in truths)
    scores: dict[str, list[tuple[float, float]]] = {finder: [] for finder in FINDERS}
    for name in names:
        raw = np.array(json.loads((root / name / f"{name}.json").read_text())["series"][0]["raw"], np.float64)
        values = ((raw - raw.mean()) / raw.std()).tolist()  # as the benchmark does before it calls a method
        for finder, find in FINDERS.items():
            found = find(values)
            scores[finder].append((f1(truths[name], found), covering(truths[name], found, len(values))))
    return [_row("F1", 0, scores, ".690 (binseg)"), _row("covering", 1, scores, ".657 (amoc)")]


def _row(what: str, place: int, scores: dict[str, list[tuple[float, float]]], mark: str) -> Row:
    means: dict[str, float | int | str] = {
        finder: fmean(score[place] for score in some) for finder, some in scores.items()
    }
    note = f"{len(scores['ours'])} quality-control series; the marks are of 25 others, offline"
    return Row("TCPD", what, means.pop("ours"), means, mark, note)
