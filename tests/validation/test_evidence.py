"""The statistics are calibrated: by tables, and by simulation under the null."""

from itertools import pairwise

import numpy as np
import pytest

from meta_orchestrator.core.adaptation.objective import gain
from meta_orchestrator.core.validation.compare import compare
from meta_orchestrator.core.validation.evidence import (
    Estimate,
    certainty,
    estimate,
    interval,
    of_ratio,
    z_score,
)
from meta_orchestrator.core.validation.sequence import boundary
from meta_orchestrator.policy import Policy, Weights
from tests.adaptation.making import row, us, wish
from tests.validation.test_trials import started

# t, degrees of freedom, P(T < t): from the printed table of Student's distribution
STUDENT = [
    (1.638, 3, 0.9), (2.353, 3, 0.95), (3.182, 3, 0.975), (1.476, 5, 0.9), (2.015, 5, 0.95), (2.571, 5, 0.975),
    (1.372, 10, 0.9), (1.812, 10, 0.95), (2.228, 10, 0.975), (1.303, 40, 0.9), (1.684, 40, 0.95), (2.021, 40, 0.975),
]  # fmt: skip


@pytest.mark.parametrize(("t", "freedom", "probability"), STUDENT)
def test_certainty_is_that_of_students_t(t, freedom, probability):
    assert certainty(t, 1.0, freedom) == pytest.approx(probability, abs=0.002)
    assert certainty(-t, 1.0, freedom) == pytest.approx(1 - probability, abs=0.002)


def test_the_interval_is_the_score_turned_round():
    low, high = interval(Estimate(2.0, 0.5, 10, 100))
    assert (low, high) == (pytest.approx(2 - 2.228 * 0.5, rel=0.01), pytest.approx(2 + 2.228 * 0.5, rel=0.01))
    assert z_score(high - 2.0, 0.5, 10) == pytest.approx(1.96)


def test_without_any_value_there_is_no_estimate():
    assert estimate(np.zeros((0, len(row()))), "handoff_failure_rate") is None
    assert estimate(np.array([row(), row()]), "handoff_failure_rate") is None


def test_rows_that_all_agree_are_not_certain():
    rows = np.array([row(handoffs_ended=1, handoffs_failed=0)] * 20)
    found = estimate(rows, "handoff_failure_rate")
    assert found.value == 0
    assert found.error == pytest.approx(np.sqrt(1 / 22 * 21 / 22 / 20)), "one failure in two more, Laplace"


def simulated(generator: np.random.Generator, rows: int, memory: float) -> tuple[np.ndarray, np.ndarray]:
    """Failures of handoffs: a rate that wanders (AR(1) on the logit) around one tenth, ten handoffs a row."""
    wander, logit = 0.0, []
    for _ in range(rows):
        wander = memory * wander + generator.normal(0, 0.5 * np.sqrt(1 - memory**2))
        logit.append(wander - 2.2)
    rate = 1 / (1 + np.exp(-np.array(logit)))
    return generator.binomial(10, rate).astype(float), np.full(rows, 10.0)


@pytest.mark.parametrize(("memory", "least"), [(0.0, 0.92), (0.5, 0.9), (0.8, 0.85)])
def test_intervals_cover_the_truth_although_neighbouring_rows_are_alike(memory, least):
    generator = np.random.default_rng(1)
    truth = np.mean([simulated(generator, 2000, 0.0)[0].sum() / 20_000 for _ in range(50)])
    covered = 0
    for _ in range(400):
        low, high = interval(of_ratio(*simulated(generator, 120, memory)))
        covered += low <= truth <= high
    assert least <= covered / 400 <= 0.99


def test_looking_at_every_tick_passes_the_boundary_no_more_often_than_promised():
    generator, looks, passed = np.random.default_rng(2), 60, 0
    for _ in range(1000):
        sums = generator.normal(size=looks).cumsum() / np.sqrt(np.arange(1, looks + 1))
        passed += any(sums[n] > boundary((n + 1) / looks, 0.025) for n in range(looks))
    assert passed / 1000 <= 0.025


def test_the_boundary_is_lowest_near_the_middle():
    bounds = [boundary(share, 0.025) for share in (0.02, 0.1, 0.5, 2.0)]
    assert all(earlier > later for earlier, later in pairwise(bounds[:3]))
    assert 2.9 < bounds[2] < 3.2


def null_trial(generator: np.random.Generator, target: str) -> str:
    """The verdict on a change without any effect."""
    project = started()
    project.ledger.trial.proposal.metric = target
    rates = {"rounds_closed": 3, "handoffs_ended": 5, "tasks_finished": 4}
    shares = {"rounds_decided": ("rounds_closed", 0.8), "handoffs_failed": ("handoffs_ended", 0.15),
              "tasks_regressed": ("tasks_finished", 0.08)}  # fmt: skip
    project.history.ticks.clear()
    project.history.clear()
    for tick in range(1, 182):
        sums = {name: generator.poisson(mean) for name, mean in rates.items()}
        sums |= {name: generator.binomial(sums[whole], share) for name, (whole, share) in shares.items()}
        sums |= {"points": sums["tasks_finished"], "capacity_us": 100, "busy_us": generator.normal(60, 10)}
        project.history.add(us(30 + 30 * tick), row(**sums))
    project.applied().now_s = 30 + 3600 + 1800
    project.tick()
    return project.decisions[-1].verdict


@pytest.mark.parametrize("target", ["handoff_failure_rate", "consensus_success_rate", "quality_regression_rate"])
def test_a_change_without_effect_is_seldom_kept(target):
    generator = np.random.default_rng(3)
    verdicts = [null_trial(generator, target) for _ in range(150)]
    assert set(verdicts) <= {"kept", "rolled_back"}
    assert verdicts.count("kept") / len(verdicts) <= 0.10


def test_latencies_are_compared_as_ratios_and_told_in_milliseconds():
    generator = np.random.default_rng(4)
    before, after = ([row(latency_count=20, latency_log_sum=20 * mean + generator.normal()) for _ in range(60)]
                     for mean in (np.log(60_001), np.log(30_001)))  # fmt: skip
    found = compare(np.array(before), np.array(after), "consensus_latency_log", -1)
    measured = found.measured(Policy())
    assert found.name == "consensus_latency_ms"
    assert (measured.before, measured.after) == (pytest.approx(60_000, rel=0.05), pytest.approx(30_000, rel=0.05))
    assert measured.interval[0] < -30_000 < measured.interval[1]
    assert found.p_better > 0.999


def test_the_objective_weighs_what_is_known_and_renormalises():
    weights = Weights(velocity=0.4, quality=0.4, coordination=0.1, utilization=0.1, risk=0)
    before = np.array([row(points=4, tasks_finished=4, tasks_regressed=1)] * 20)
    after = np.array([row(points=5, tasks_finished=4, tasks_regressed=0)] * 20)
    # velocity +25 %, quality +25 points, coordination unchanged; utilization is unknown, so .9 is all
    assert gain(after, before, weights).value == pytest.approx((0.4 * 0.25 + 0.4 * 0.25) / 0.9)
    velocity_only = gain(np.array([row(points=5)]), np.array([row(points=4)]), weights)
    assert velocity_only.value == pytest.approx(0.25)
    assert gain(np.array([row()]), np.array([row()]), weights) is None


def test_terms_that_move_together_are_not_counted_as_independent():
    generator = np.random.default_rng(5)
    rows = []
    for _ in range(100):
        finished = generator.poisson(4)
        rows.append(row(points=finished, tasks_finished=finished, busy_us=10 * finished, capacity_us=100))
    both = gain(
        np.array(rows[:50]),
        np.array(rows[50:]),
        Weights(velocity=0.5, quality=0, coordination=0, utilization=0.5, risk=0),
    )
    one = gain(
        np.array(rows[:50]),
        np.array(rows[50:]),
        Weights(velocity=1, quality=0, coordination=0, utilization=0, risk=0),
    )
    alone = gain(
        np.array(rows[:50]),
        np.array(rows[50:]),
        Weights(velocity=0, quality=0, coordination=0, utilization=1, risk=0),
    )
    assert both.error == pytest.approx((one.error + alone.error) / 2, rel=0.02)


def test_the_default_wish_is_judged_by_velocity():
    assert wish().why.metric == "development_velocity"
