"""The gate of trials: how often it speaks where there is nothing, and where there is something, looked at all the time.

Rows of History are made up tick by tick, and the product's own comparison judges them at every other tick. A plain z or
t test beside it is looked at as often. Errors are two-sided at .05.
"""

import heapq
from collections.abc import Callable
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from judge.row import Row
from meta_orchestrator.core.collection.history import FIELDS, INDEX, History
from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Proposal, Trial
from meta_orchestrator.core.validation.compare import Comparison, compare, compare_pairs
from meta_orchestrator.core.validation.gate import gate
from meta_orchestrator.core.validation.late import late_harm, packed
from meta_orchestrator.core.validation.metrics import LATENCY
from meta_orchestrator.policy import Policy

Array = NDArray[np.float64]
Sample = tuple[Array, Array]
"""(numerators, denominators) of the ticks of one run, shape (2 * TICKS,): the time before, then the trial."""
TICKS, EVENTS, RUNS = 100, 50, 400
"""On each side; 5,000 events a side, as in the comparison of methods that this gate won."""
LOOKS = range(10, TICKS + 1, 2)
ALPHA = 0.05
SET = "gate"


def rows() -> list[Row]:
    return [*_nulls(), *_powers(), *_queue(), *_watches()]


def _nulls() -> list[Row]:
    cases = {
        "rate .10, independent": lambda rng: _rate(rng, 0.1, 0.1),
        "rate .01, independent": lambda rng: _rate(rng, 0.01, 0.01),
        "rate .10, AR(1) .5": lambda rng: _wandering(rng, 0.5),
        "rate .10, AR(1) .8": lambda rng: _wandering(rng, 0.8),
    }
    found = [_judged(f"type I: {name}", case, "handoff_failure_rate", "≤ 0.05") for name, case in cases.items()]
    latency = _judged("type I: log latency", lambda rng: _latency(rng, 1.0), LATENCY, "≤ 0.05")
    return [*found, latency, _judged("type I: above the frozen p95", lambda rng: _slow(rng, 1.0), SHARE, "≤ 0.05")]


SHARE = "handoff_failure_rate"
"""Any share would do: values above the p95 of the time before are counted as one."""


def _powers() -> list[Row]:
    return [
        _judged("power: rate .10 → .12", lambda rng: _rate(rng, 0.1, 0.12), SHARE, 0.641),
        _judged("power: rate .01 → .02", lambda rng: _rate(rng, 0.01, 0.02), SHARE, 0.895),
        _judged("power: lognormal latency x1.09", lambda rng: _latency(rng, 1.09), LATENCY, 0.92),
        _judged("power: p95 x1.15, above the frozen p95", lambda rng: _slow(rng, 1.15), SHARE, 0.74),
    ]


def _judged(what: str, case: Callable[[np.random.Generator], Sample], metric: str, mark: float | str) -> Row:
    """The share of runs in which each rule ever speaks, and how much of the trial ours needed."""
    rng = np.random.default_rng(42)
    ours, plain, ends = 0, 0, []
    for _ in range(RUNS):
        sample = case(rng)
        end = _first_look(sample, metric)
        ours, plain = ours + (end is not None), plain + _peeking(sample, metric)
        ends.append(end or TICKS)
    note = f"needs {np.mean(ends) / TICKS:.2f} of the trial"
    name = "t, peeking" if metric == LATENCY else "z, peeking"
    return Row(SET, what, ours / RUNS, {name: plain / RUNS}, mark, note if what.startswith("power") else "")


def _first_look(sample: Sample, metric: str) -> int | None:
    """The first look at which the gate speaks."""
    table = _history(sample, metric)
    for look in LOOKS:
        found = compare(table[:TICKS], table[TICKS : TICKS + look], metric, 1)
        if found and _speaks(found, TICKS, look, TICKS):
            return look
    return None


def _speaks(found: Comparison, before: float, during: float, planned: float) -> bool:
    judged = gate(found.improvement, before, during, planned)
    return judged.says_better(ALPHA / 2) or judged.says_worse(ALPHA / 2)


def _history(sample: Sample, metric: str) -> Array:
    names = ("latency_log_sum", "latency_count") if metric == LATENCY else ("handoffs_failed", "handoffs_ended")
    table = np.zeros((len(sample[0]), len(FIELDS)))
    for name, values in zip(names, sample, strict=True):
        table[:, INDEX[name]] = values
    return table


def _peeking(sample: Sample, metric: str) -> bool:
    """The textbook test of independent values (of a latency: the spread is known), at the same looks."""
    numerator, denominator = sample
    n0, mean0 = denominator[:TICKS].sum(), numerator[:TICKS].sum() / denominator[:TICKS].sum()
    for look in LOOKS:
        n = denominator[TICKS : TICKS + look].sum()
        mean = numerator[TICKS : TICKS + look].sum() / n
        spread = (1.0, 1.0) if metric == LATENCY else (mean0 * (1 - mean0), mean * (1 - mean))
        if abs(mean - mean0) > 1.96 * sqrt(spread[0] / n0 + spread[1] / n) > 0:
            return True
    return False


def _rate(rng: np.random.Generator, before: float, during: float) -> Sample:
    chance = np.repeat([before, during], TICKS)
    return rng.binomial(EVENTS, chance).astype(float), np.full(2 * TICKS, float(EVENTS))


def _wandering(rng: np.random.Generator, memory: float) -> Sample:
    """A rate around .1 that wanders on the logit scale, sd .5."""
    logit = np.zeros(2 * TICKS)
    for i in range(1, 2 * TICKS):
        logit[i] = memory * logit[i - 1] + rng.normal(0, 0.5 * sqrt(1 - memory**2))
    chance = 1 / (1 + np.exp(2.3 - logit))
    return rng.binomial(EVENTS, chance).astype(float), np.full(2 * TICKS, float(EVENTS))


def _latency(rng: np.random.Generator, factor: float) -> Sample:
    """Lognormal, sigma 1: the sum of logs a tick."""
    means = np.repeat([10.0, 10.0 + np.log(factor)], TICKS)
    return EVENTS * means + rng.normal(0, sqrt(EVENTS), 2 * TICKS), np.full(2 * TICKS, float(EVENTS))


def _slow(rng: np.random.Generator, factor: float) -> Sample:
    """Values above the p95 of the time before, which is frozen."""
    values = rng.lognormal(0, 1, (2 * TICKS, EVENTS))
    values[TICKS:] *= factor
    frozen = np.quantile(values[:TICKS], 0.95)
    return (values > frozen).sum(axis=1).astype(float), np.full(2 * TICKS, float(EVENTS))


PAIRS, BLOCK_MIN, BURN_IN, SERVERS, QUEUE_RUNS = 48, 60, 0.25, 4, 150


def _queue() -> list[Row]:
    """Agents that share one queue: tasks under one value slow down those under the other."""
    found = {}
    for name, effect in (("type I", 1.0), ("power", 0.9)):
        runs = [_switchback(np.random.default_rng(5000 + seed), effect) for seed in range(QUEUE_RUNS)]
        found[name] = [float(np.mean([run[place] for run in runs])) for place in (0, 1, 2)]
    what = "shared queue, switchback of 48 pairs"
    return [
        Row(SET, f"type I: {what}", found["type I"][0], {"t of tasks": found["type I"][1]}, "≤ 0.05"),
        Row(
            SET,
            f"power: {what}, service x.9",
            found["power"][0],
            {"t of tasks": found["power"][1]},
            0.99,
            f"at the last look alone {found['power'][2]:.2f}; the mark is a single look",
        ),
    ]


def _switchback(rng: np.random.Generator, effect: float) -> tuple[bool, bool, bool]:
    """(does the gate speak at any pair, does a t test over tasks, does the gate's estimate at the end) of one run."""
    first = rng.integers(0, 2, PAIRS)
    tried = np.column_stack([first, 1 - first]).ravel()
    arrived, latency = _waiting(rng, tried, effect)
    block = (arrived // BLOCK_MIN).astype(int)
    keep = arrived - block * BLOCK_MIN >= BURN_IN * BLOCK_MIN
    table = np.zeros((2 * PAIRS, len(FIELDS)))
    np.add.at(table[:, INDEX["latency_log_sum"]], block[keep], np.log(latency[keep]) + 10)
    np.add.at(table[:, INDEX["latency_count"]], block[keep], 1.0)
    old, new = (table.reshape(PAIRS, 2, -1)[np.arange(PAIRS), side] for side in (first, 1 - first))
    looks = [(pair, compare_pairs(old[:pair], new[:pair], LATENCY, -1)) for pair in range(4, PAIRS + 1)]
    spoke = any(found and _speaks(found, inf, pair, PAIRS) for pair, found in looks)
    last = looks[-1][1]
    end = last is not None and not 0.025 < last.p_better < 0.975
    return spoke, _per_task(latency[keep], tried[block[keep]]), end


def _per_task(latency: Array, tried: NDArray[np.int64]) -> bool:
    new, old = latency[tried == 1], latency[tried == 0]
    return bool(abs(new.mean() - old.mean()) > 1.96 * sqrt(new.var() / len(new) + old.var() / len(old)))


def _waiting(rng: np.random.Generator, tried: NDArray[np.int64], effect: float) -> tuple[Array, Array]:
    """First come, first served; the load wanders (AR(1) of two hours, sd .12) around .82. (arrival, latency) in min."""
    minutes = len(tried) * BLOCK_MIN
    load = np.zeros(minutes)
    for i in range(1, minutes):
        load[i] = np.exp(-1 / 120) * load[i - 1] + sqrt(1 - np.exp(-2 / 120)) * rng.standard_normal()
    counts = rng.poisson(0.82 * SERVERS * np.clip(np.exp(0.12 * load), 0.3, 1.6))
    arrived = np.sort(np.repeat(np.arange(minutes), counts) + rng.random(counts.sum()))
    service = rng.lognormal(-0.32, 0.8, len(arrived))
    free, latency = [0.0] * SERVERS, np.empty(len(arrived))
    for i, at in enumerate(arrived):
        begin = max(at, free[0])
        taken = service[i] * (effect if tried[min(int(begin // BLOCK_MIN), len(tried) - 1)] else 1.0)
        heapq.heapreplace(free, begin + taken)
        latency[i] = begin + taken - at
    return arrived, latency


DAY, WATCH_RUNS = 2880, 120
GUARDS = ("handoff_failure_rate", "quality_regression_rate", "consensus_success_rate")
"""Those of every parameter."""


def _watches() -> list[Row]:
    """A day of watching what was kept: how often a harmless change is taken back, and how soon a harmful one is."""
    promise = Policy().trial.guard_alpha
    quiet = [
        _day(np.random.default_rng(9000 + seed), memory, 1.0) for memory in (0.0, 0.8) for seed in range(WATCH_RUNS)
    ]
    harm = [_day(np.random.default_rng(9500 + seed), 0.0, 2.0) for seed in range(WATCH_RUNS // 2)]
    delays = [end for end in harm if end is not None]
    return [
        Row(SET, "late watch: harmless changes taken back in a day", _ended(quiet), {"never": 0.0}, f"≤ {promise:g}"),
        Row(
            SET,
            "late watch: regressions .08 → .16 after 6 h",
            _ended(harm),
            {"never": 0.0},
            "",
            f"median {np.median(delays) / 120 - 6:.1f} h after the onset" if delays else "",
        ),
    ]


def _ended(runs: list[int | None]) -> float:
    return float(np.mean([end is not None for end in runs]))


def _day(rng: np.random.Generator, memory: float, factor: float) -> int | None:
    """The tick at which the watch takes the change back. Four handoffs, four tasks and three rounds a tick."""
    table = np.zeros((120 + DAY, len(FIELDS)))
    chances = {"handoffs": 0.1, "tasks": 0.08, "rounds": 0.8}
    for kind, (part, whole, events) in PARTS_OF.items():
        chance = _around(rng, chances[kind], memory, len(table))
        if kind == "tasks":
            chance[120 + 720 :] = np.minimum(factor * chance[120 + 720 :], 1.0)
        table[:, INDEX[whole]] = rng.poisson(events, len(table))
        table[:, INDEX[part]] = rng.binomial(table[:, INDEX[whole]].astype(int), chance)
    policy = Policy()
    moment = Moment("p", 0, policy, Ledger(), History(policy.time.history_us))
    guards = {"rollback_if": [{"metric": metric} for metric in GUARDS]}
    trial = Trial(Proposal("x", "p", 1, 2, "", "", {}, {}, []), "c", 1, 0, 0, 0, 0, 0, 0, guards)
    for tick in range(10, DAY, 10):
        if late_harm(moment, trial, packed(table[:120]), 120, table[120 : 120 + tick], DAY):
            return tick
    return None


PARTS_OF = {
    "handoffs": ("handoffs_failed", "handoffs_ended", 4),
    "tasks": ("tasks_regressed", "tasks_finished", 4),
    "rounds": ("rounds_decided", "rounds_closed", 3),
}


def _around(rng: np.random.Generator, chance: float, memory: float, count: int) -> Array:
    """A chance that wanders on the logit scale, sd .3."""
    logit = np.zeros(count)
    for i in range(1, count):
        logit[i] = memory * logit[i - 1] + rng.normal(0, 0.3 * sqrt(1 - memory**2))
    return 1 / (1 + (1 - chance) / chance * np.exp(-logit))
