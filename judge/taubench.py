"""tau-bench airline (Yao et al. 2024), 50 tasks tried 4 times: are failures of one task told from failures by chance?

Each trial is a try of its task, a reward below 1 a failed check. The scatter of failures over tasks (the same as widens
the intervals of causes) is the design effect 1 + (m - 1) rho of m tries, and rho how much of failing belongs to the
task. Each trial in turn is held out and foretold from the other three: own rate and overall rate, weighed by rho.
Nothing is replayed: one agent and no times, and the product has no insight by task; what is judged is its scatter.
The squared error says whether failures are grouped rightly; of a yes or no, a task that failed in half of its tries
tells nothing, and what the last trial gets right then is chance.
"""

import gzip
import json
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from judge.data import data
from judge.row import Row
from meta_orchestrator.core.analysis.causes.shares import scatter_of

Failures = NDArray[np.float64]
Score = Callable[[Failures, Failures], float]
SHUFFLES = 2000


def rows() -> list[Row]:
    failed = failures()
    tasks, trials = failed.shape
    ours, overall, last = (np.empty((tasks, trials)) for _ in range(3))
    for trial in range(trials):
        others = np.delete(failed, trial, axis=1)
        ours[:, trial] = foretold(others)
        overall[:, trial] = others.mean()
        last[:, trial] = others[:, -1]
    guesses = {"overall rate": overall, "last trial": last}
    note = f"{tasks} tasks, {trials} trials; {int((failed.mean(1) == 1).sum())} failed in all, "
    note += f"{tasks * failed.mean() ** trials:.1f} by chance"
    return [
        Row(
            "tau-bench",
            "held-out trial foretold, accuracy",
            right(ours, failed),
            each(right, guesses, failed),
            "",
            note,
        ),
        Row("tau-bench", "the same, squared error (low)", error(ours, failed), each(error, guesses, failed)),
        Row("tau-bench", "failing that belongs to the task", correlation(failed), {"shuffled, 99 %": shuffled(failed)}),
    ]


def failures() -> Failures:
    """1 where a trial failed, shape (tasks, trials)."""
    with gzip.open(data("agent_traces", "tau_bench", "gpt-4o-airline.json.gz")) as file:
        runs = json.load(file)
    table = np.full((1 + max(run["task_id"] for run in runs), 1 + max(run["trial"] for run in runs)), np.nan)
    for run in runs:
        table[run["task_id"], run["trial"]] = run["reward"] < 1
    return table


def correlation(failed: Failures) -> float:
    """rho: the correlation of two tries of one task."""
    tries = np.full(len(failed), float(failed.shape[1]))
    return (scatter_of(failed.sum(1), tries, "share") - 1) / (failed.shape[1] - 1)


def foretold(failed: Failures) -> Failures:
    """The chance that each task fails the next time: its own rate, shrunk to that of all."""
    rho, tries = correlation(failed), failed.shape[1]
    weight = tries * rho / (1 + (tries - 1) * rho)
    return weight * failed.mean(1) + (1 - weight) * failed.mean()


def right(chances: Failures, failed: Failures) -> float:
    return float(((chances > 0.5) == (failed > 0.5)).mean())


def error(chances: Failures, failed: Failures) -> float:
    return float(((chances - failed) ** 2).mean())


def each(score: Score, guesses: dict[str, Failures], failed: Failures) -> dict[str, float | int | str]:
    return {rule: score(chances, failed) for rule, chances in guesses.items()}


def shuffled(failed: Failures) -> float:
    """What rho reaches in one of a hundred where failing has nothing to do with the task."""
    random = np.random.default_rng(0)
    found = [correlation(random.permutation(failed.ravel()).reshape(failed.shape)) for _ in range(SHUFFLES)]
    return float(np.quantile(found, 0.99))
