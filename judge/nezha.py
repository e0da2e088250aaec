"""Nezha (Yu et al. 2023), Online Boutique of 2022-08-22: into which of 10 pods was a fault injected?

Pods are agents. By minute: CPU is the share of its time that a pod is busy, workload times p95 the time of its tasks,
workload times the caller's p50 the time for which others wait at it; what a pod itself waits for others is taken off.
Before: 20 minutes; after: the 3 minutes from half a minute after the injection. Some faults (`return`, `exception`)
hardly show in these metrics. These are bare series: there are no events of agents that could be replayed, so they go to
the function that compares such series for the product.
"""

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from judge.data import data
from judge.row import Row
from meta_orchestrator.core.analysis.causes.blame import Growth, blame, own, split

Numbers = NDArray[np.float64]
DAY = "2022-08-22"
BEFORE_S, SETTLE_S, AFTER_S = 1200, 30, 180
CPU, P95, LOAD = "CpuUsageRate(%)", "PodServerLatencyP95(s)", "PodWorkload(Ops)"


def rows() -> list[Row]:
    faults = [
        fault for hour in json.loads(data("nezha", DAY, "fault_list.json").read_text()).values() for fault in hour
    ]
    ours = {1: 0, 3: 0}
    others = {"highest CPU": 0, "highest p95": 0}
    for fault in faults:
        at_s, guilty = float(fault["inject_timestamp"]), service(fault["inject_pod"])
        ranked = [it.agent for it in ranking(at_s)]
        for first in ours:
            ours[first] += guilty in ranked[:first]
        for rule, metric in (("highest CPU", CPU), ("highest p95", P95)):
            others[rule] += highest(metric, at_s) == guilty
    many = len(faults)
    shares = {rule: n / many for rule, n in others.items()}
    return [Row(f"Nezha {DAY}", "top-1, pod", ours[1] / many, shares, "", f"top-3 {ours[3]}/{many}")]


def ranking(at_s: float) -> list[Growth]:
    """Pods by the own time that grew for sure."""
    times: dict[str, dict[str, Numbers]] = {"busy": {}, "working": {}, "letting others wait": {}}
    waits = {}
    for name in pods():
        load = pods()[name][LOAD]
        times["busy"][name] = pods()[name][CPU] / 100
        times["working"][name] = np.nan_to_num(pods()[name][P95]) * load
        callers = {edge: seconds for edge, seconds in edges().items() if edge[1] == name}
        if callers:
            asked = split(load, [pods()[caller][LOAD] for caller, _ in callers])
            mine = {edge: np.nan_to_num(callers[edge]) * part for edge, part in zip(callers, asked, strict=True)}
            times["letting others wait"][name] = np.sum(list(mine.values()), axis=0)
            waits |= mine
    times["working"] = own(times["working"], waits)
    return blame({kind: {name: sides(it, at_s) for name, it in by.items()} for kind, by in times.items()})


def sides(values: Numbers, at_s: float) -> tuple[Numbers, Numbers]:
    times = pods()["frontend"]["time"]
    begin_s = at_s + SETTLE_S
    return values[(times >= at_s - BEFORE_S) & (times < at_s)], values[(times >= begin_s) & (times < begin_s + AFTER_S)]


def highest(metric: str, at_s: float) -> str:
    means = {}
    for name, columns in pods().items():
        after = sides(columns[metric], at_s)[1]
        means[name] = float(np.nanmean(after)) if np.isfinite(after).any() else -1.0
    return max(means, key=means.__getitem__)


@cache
def pods() -> dict[str, dict[str, Numbers]]:
    """Service → columns by minute, all at the minutes of the front end; `time` in seconds since the epoch."""
    found = {}
    for path in sorted(data("nezha", DAY, "metric").glob("*_metric.csv.gz")):
        lines = list(read(path.name.removesuffix(".csv.gz")))
        found[service(path.name)] = {name: numbers(lines, name) for name in (CPU, P95, LOAD)} | {"time": stamps(lines)}
    times = found["frontend"]["time"]
    return {
        name: {key: at(times, columns["time"], it) for key, it in columns.items()} for name, columns in found.items()
    }


@cache
def edges() -> dict[tuple[str, str], Numbers]:
    """(caller, called) → the caller's median latency by minute, in seconds."""
    lines = list(read("source_50"))
    names = [name for name in lines[0] if name not in ("time", "timestamp")]
    times, own_times = pods()["frontend"]["time"], stamps(lines)
    found = {tuple(name.split("_")): at(times, own_times, numbers(lines, name)) for name in names}
    return {(caller, called): it for (caller, called), it in found.items() if {caller, called} <= pods().keys()}


def at(times: Numbers, own_times: Numbers, values: Numbers) -> Numbers:
    """Each time's nearest value."""
    nearest = np.abs(own_times[None, :] - times[:, None]).argmin(1)
    return values[nearest]


def service(pod: str) -> str:
    return pod.partition("-")[0]


def numbers(lines: list[dict[str, str]], name: str) -> Numbers:
    return np.array([float(line[name]) if line[name] else np.nan for line in lines])


def stamps(lines: list[dict[str, str]]) -> Numbers:
    """From the text: one pod's numeric stamps are wrong by years."""
    texts = [(line.get("Time") or line["time"])[:19] for line in lines]
    return np.array([datetime.fromisoformat(text + "+00:00").timestamp() for text in texts])


def read(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(data("nezha", DAY, "metric", f"{name}.csv.gz"), "rt") as file:
        yield from csv.DictReader(file)
