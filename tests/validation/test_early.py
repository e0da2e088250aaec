"""A verdict ahead of the review: only where all is clear, and seldom where there is nothing."""

import numpy as np
import pytest

from meta_orchestrator.core.collection.history import FIELDS, INDEX
from meta_orchestrator.core.validation.compare import compare
from meta_orchestrator.core.validation.evidence import interval
from meta_orchestrator.core.validation.gate import gate
from meta_orchestrator.core.validation.pooled import pooled_difference
from tests.adaptation.making import Project
from tests.validation.test_trials import BETTER, QUIET, started

EAGER = {"trial": {"measure_s": 600}}
SETTLE_S = 120
LESS = QUIET | {"handoffs_failed": 5, "points": 2, "busy_us": 30}
"""Worse in what was aimed at and all in all."""


def ended_after_s(project: Project, rows: dict[str, float]) -> float:
    began_s = project.now_s
    while project.ledger.trial:
        project.tick(rows=rows)
    return project.now_s - began_s


def test_what_clearly_helps_is_kept_as_soon_as_it_was_measured_for_long_enough():
    project = started(EAGER)
    project.applied()
    assert SETTLE_S + 600 <= ended_after_s(project, BETTER) < 900
    told = project.decisions[-1]
    assert told.verdict == "kept"
    assert told.e_value >= 20, "one in twenty at most by chance, however often one looks"


def test_what_clearly_hurts_does_not_wait_for_its_review():
    project = started(EAGER | {"parameters": {"mode": "enforce", "workflow.handoff_timeout_s": {"guards": []}}})
    project.applied()
    assert SETTLE_S + 600 <= ended_after_s(project, LESS) < 1500
    assert project.decisions[-1].verdict == "rolled_back"
    assert project.decisions[-1].p_better <= 0.1


def test_what_is_not_clear_waits_for_its_review():
    project = started(EAGER)
    project.applied()
    assert ended_after_s(project, QUIET) == 1800


def test_good_news_alone_are_not_enough_where_agents_are_unhappy():
    project = started(EAGER)
    project.applied()
    for agent in range(5):
        project.event("agent.feedback", agent=f"a{agent}", change=project.ledger.trial.change, rating=-0.8)
    assert ended_after_s(project, BETTER) == 1800
    assert project.decisions[-1].verdict == "rolled_back"


def handoffs(rng: np.random.Generator, ticks: int, memory: float, rate: float = 0.1) -> np.ndarray:
    """Rows of ten handoffs that fail at a rate that wanders (AR(1) on the logit, sd .5)."""
    logit, table = 0.0, np.zeros((ticks, len(FIELDS)))
    for row in table:
        logit = memory * logit + rng.normal(0, 0.5 * np.sqrt(1 - memory**2))
        row[INDEX["handoffs_ended"]] = 10
        row[INDEX["handoffs_failed"]] = rng.binomial(10, 1 / (1 + (1 - rate) / rate * np.exp(-logit)))
    return table


@pytest.mark.parametrize(("memory", "least"), [(0.0, 0.93), (0.5, 0.92), (0.8, 0.88)])
def test_a_difference_is_as_sure_as_it_says_although_neighbouring_ticks_are_alike(memory, least):
    rng, covered = np.random.default_rng(1), 0
    for _ in range(400):
        rows = handoffs(rng, 180, memory)
        low, high = interval(pooled_difference(rows[:120], rows[120:], "handoff_failure_rate"))
        covered += low <= 0 <= high
    assert least <= covered / 400 <= 0.99


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.8])
def test_whoever_looks_at_every_other_tick_is_misled_in_five_percent_of_trials_at_most(memory):
    rng, misled = np.random.default_rng(2), 0
    for _ in range(200):
        rows = handoffs(rng, 180, memory)
        found = ((n, compare(rows[:120], rows[120 : 120 + n], "handoff_failure_rate", -1)) for n in range(20, 61, 2))
        misled += any(it and gate(it.improvement, 120, n, 60).says_better(0.05) for n, it in found)
    assert misled / 200 <= 0.05


def test_a_harmful_change_is_seen_soon():
    rng, ends = np.random.default_rng(3), []
    for _ in range(50):
        before, during = handoffs(rng, 120, 0.3), handoffs(rng, 60, 0.3, rate=0.3)
        looks = ((n, compare(before, during[:n], "handoff_failure_rate", -1)) for n in range(6, 61, 2))
        ends.append(next((n for n, it in looks if it and gate(it.improvement, 120, n, 60).says_worse(0.1)), 99))
    assert np.median(ends) <= 14, "seven minutes"
    assert max(ends) <= 60
