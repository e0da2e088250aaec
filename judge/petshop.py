"""PetShop (Hardt et al. 2024): which of 41 services is to blame for a slow or failing front page?

Each service is an agent; its requests times its average latency (or its failed share) is its time by block, and what
it spends at the services that it calls is taken off. Before: the metrics of normal operation; after: the two blocks
around the alarm. The call graph says who calls whom, requests are divided among callers by how much each of them does.
Bare series again, without events to replay.
"""

import csv
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from judge.data import data
from judge.row import Row
from meta_orchestrator.core.analysis.causes.blame import Growth, blame, own, split

Numbers = NDArray[np.float64]
Columns = dict[tuple[str, str], Numbers]
BLOCK_S = 300


def rows() -> list[Row]:
    folder = data("petshop", "low_traffic")
    normal = columns(folder / "noissue" / "metrics.csv")
    calls = graph(folder / "graph.csv")
    issues = sorted((folder / "train").iterdir())
    return [judged(metric, issues, normal, calls) for metric in ("latency", "availability")]


def judged(metric: str, issues: list[Path], normal: Columns, calls: dict[str, list[str]]) -> Row:
    """Top-1 and top-3 over the issues with this target."""
    ours, others, seen = {1: 0, 3: 0}, {"largest change": 0, "largest relative change": 0}, 0
    for issue in issues:
        target = json.loads((issue / "target.json").read_text())
        if target["target"]["metric"] != metric:
            continue
        seen += 1
        around = columns(issue / "metrics.csv", target["target"]["timestamp"])
        guilty = target["root_cause"]["node"]
        ranked = [it.agent for it in ranking(metric, normal, around, calls)]
        for first in ours:
            ours[first] += guilty in ranked[:first]
        for rule, named in trivial(metric, normal, around).items():
            others[rule] += named == guilty
    mark = 0.571 if metric == "latency" else ""
    note = f"top-3 {ours[3]}/{seen}, {seen} issues" + (", mark: best published, low traffic" if mark else "")
    return Row(
        "PetShop train", f"top-1, {metric}", ours[1] / seen, {rule: n / seen for rule, n in others.items()}, mark, note
    )


def ranking(metric: str, normal: Columns, around: Columns, calls: dict[str, list[str]]) -> list[Growth]:
    """By the own time (or failures) that grew for sure."""
    services = sorted({name for name, _ in normal} & {name for name, _ in around})
    before, after = (own_time(metric, side, services, calls) for side in (normal, around))
    return blame({metric: {name: (before[name], after[name]) for name in services}})


def own_time(metric: str, side: Columns, services: list[str], calls: dict[str, list[str]]) -> dict[str, Numbers]:
    """Seconds (or failed requests) by second of each service, less those of the services that it calls."""
    total = {name: requests(side, name) * amount(metric, side, name) / BLOCK_S for name in services}
    waits = {}
    for called in services:
        callers = [name for name in services if called in calls.get(name, ())]
        if callers:
            parts = split(np.nan_to_num(total[called]), [requests(side, name) for name in callers])
            waits |= {(caller, called): part for caller, part in zip(callers, parts, strict=True)}
    return own(total, waits)


def amount(metric: str, side: Columns, name: str) -> Numbers:
    """Of one request."""
    values = side.get((name, metric), np.full(len(requests(side, name)), np.nan))
    return values if metric == "latency" else 1 - values / 100


def requests(side: Columns, name: str) -> Numbers:
    some = next(iter(side.values()))
    return side.get((name, "requests"), np.full(len(some), np.nan))


def trivial(metric: str, normal: Columns, around: Columns) -> dict[str, str]:
    """Whose average moved most, and whose moved most relative to what it was."""
    moved, ratio = {}, {}
    for name, kind in sorted(normal.keys() & around.keys()):
        if kind == metric and np.isfinite(around[name, kind]).any() and np.isfinite(normal[name, kind]).any():
            before, after = np.nanmedian(amount(metric, normal, name)), np.nanmean(amount(metric, around, name))
            moved[name], ratio[name] = after - before, after / max(before, 1e-6)
    return {"largest change": max(moved, key=moved.__getitem__), "largest relative change": max(ratio, key=ratio.get)}


def columns(path: Path, around_s: float | None = None) -> Columns:
    """(service, metric) → averages (sums of requests) by block; around a time: the block before it and its own."""
    head, metrics, statistics, _, *lines = csv.reader(path.read_text().splitlines())
    times = np.array([float(line[0]) for line in lines])
    kept = np.ones(len(times), bool) if around_s is None else np.abs(times - around_s + 0.5) <= BLOCK_S
    table = np.array([[float(cell) if cell else np.nan for cell in line[1:]] for line in lines])[kept]
    return {
        (name, metric): table[:, n]
        for n, (name, metric, statistic) in enumerate(zip(head[1:], metrics[1:], statistics[1:], strict=True))
        if statistic in ("Average", "Sum")
    }


def graph(path: Path) -> dict[str, list[str]]:
    """Caller → called."""
    head, *lines = csv.reader(path.read_text().splitlines())
    return {
        line[0]: [name for name, cell in zip(head[1:], line[1:], strict=True) if cell and float(cell)] for line in lines
    }
