"""Evidence that bears any number of looks, against numerical integration, simulation and two statistics libraries."""

from math import exp, inf, sqrt

import numpy as np
import pytest
from scipy import integrate, stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from meta_orchestrator.core.validation.evidence import (
    Estimate,
    certainty,
    difference,
    interval,
    of_differences,
    z_score,
)
from meta_orchestrator.core.validation.gate import gate
from meta_orchestrator.core.validation.sequence import NARROWEST, boundary, e_value, progress


def scaled(share: float, alpha: float) -> float:
    """The information in units of the mixture: x = t rho^2, with rho as the paper tunes it for t = NARROWEST."""
    return share / NARROWEST * (-2 * np.log(alpha) + np.log(-2 * np.log(alpha)) + 1)


@pytest.mark.parametrize("score", [-2.0, 0.0, 1.0, 3.0, 5.0])
@pytest.mark.parametrize("share", [0.05, 0.5, 1.5])
def test_the_e_value_is_the_likelihood_ratio_mixed_over_positive_effects(score, share):
    x = scaled(share, 0.05)
    ratio = lambda mu: 2 * stats.norm.pdf(mu) * exp(mu * score * sqrt(x) - mu * mu * x / 2)  # noqa: E731
    mixed, _ = integrate.quad(ratio, 0, 40, limit=200, points=[max(score, 0.1) / sqrt(x)])
    assert e_value(score, share) == pytest.approx(mixed, rel=1e-6)


def test_before_anything_was_seen_the_e_value_is_one_and_never_more_than_json_can_say():
    assert e_value(0.0, 0.0) == pytest.approx(1, rel=1e-3)
    assert e_value(1e6, 1.0) == 1e12


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_the_boundary_is_just_above_where_the_e_value_says_so(alpha):
    for share in (0.1, 0.3, 0.5, 1.0):
        at = boundary(share, alpha)
        assert 1 / alpha <= e_value(at, share, alpha) < 2.5 / alpha
        assert e_value(0.9 * at, share, alpha) < 1 / alpha


def walks(seed: int, runs: int, looks: int, effect: float = 0.0) -> np.ndarray:
    """Normal scores of running means, shape (runs, looks)."""
    steps = np.random.default_rng(seed).normal(effect, 1, (runs, looks))
    return steps.cumsum(axis=1) / np.sqrt(np.arange(1, looks + 1))


def test_under_no_effect_it_is_one_on_average_and_ever_reaches_twenty_in_five_percent_of_runs_at_most():
    scores, looks = walks(1, 3000, 100), 100
    values = np.array([[e_value(z, (n + 1) / looks) for n, z in enumerate(run)] for run in scores])
    assert values[:, 10].mean() == pytest.approx(1, abs=0.15)
    assert (values.max(axis=1) >= 20).mean() <= 0.05


def test_a_harmful_effect_looks_better_even_less_often():
    values = [[e_value(z, (n + 1) / 100) for n, z in enumerate(run)] for run in walks(2, 300, 100, -0.1)]
    assert np.mean([max(run) >= 20 for run in values]) < 0.01


def test_information_is_that_of_a_difference_whose_one_side_is_measured_once():
    rng = np.random.default_rng(3)
    before, during = rng.normal(size=(20_000, 60)), rng.normal(size=(20_000, 30))
    informed = {n: 1 / np.var(during[:, :n].mean(axis=1) - before.mean(axis=1)) for n in (10, 30)}
    assert progress(60, 10, 30) == pytest.approx(informed[10] / informed[30], rel=0.05)
    assert (progress(60, 30, 30), progress(inf, 10, 30), progress(60, 0, 30)) == (1, pytest.approx(1 / 3), 0)


def test_looking_at_a_trial_against_one_and_the_same_time_before_keeps_the_promise_too():
    rng, spoke = np.random.default_rng(4), 0
    for _ in range(1000):
        before, during = rng.normal(size=40).mean(), rng.normal(size=80).cumsum()
        looks = (
            gate(Estimate(during[n - 1] / n - before, sqrt(1 / n + 1 / 40), 1e9, n), 40, n, 80) for n in range(1, 81)
        )
        spoke += any(look.says_better(0.05) for look in looks)
    assert spoke / 1000 <= 0.05


@pytest.mark.parametrize("freedom", [3, 5, 11, 60])
def test_certainty_is_that_of_scipys_students_t(freedom):
    for t in (-3.0, -0.5, 0.4, 1.7, 4.0):
        assert certainty(t, 1.0, freedom) == pytest.approx(stats.t.cdf(t, freedom), abs=0.003)


def test_pairs_are_judged_as_by_scipys_t_test():
    values = np.random.default_rng(5).normal(0.4, 1, 12)
    found, theirs = of_differences(values), stats.ttest_1samp(values, 0)
    assert found.value / found.error == pytest.approx(theirs.statistic)
    assert certainty(found.value, found.error, found.freedom) == pytest.approx(1 - theirs.pvalue / 2, abs=0.003)
    low, high = theirs.confidence_interval(0.95)
    assert interval(found) == (pytest.approx(low, rel=0.02), pytest.approx(high, rel=0.02))


def test_a_difference_has_the_degrees_of_freedom_of_statsmodels_welch_test():
    rng = np.random.default_rng(6)
    one, other = rng.normal(0, 1, 8), rng.normal(0.5, 3, 15)
    sides = [Estimate(x.mean(), x.std(ddof=1) / sqrt(len(x)), len(x) - 1, len(x)) for x in (one, other)]
    found = difference(sides[1], sides[0])
    t, p, freedom = CompareMeans(DescrStatsW(other), DescrStatsW(one)).ttest_ind(usevar="unequal")
    assert (found.value / found.error, found.freedom) == (pytest.approx(t), pytest.approx(freedom))
    assert 2 * (1 - certainty(abs(found.value), found.error, found.freedom)) == pytest.approx(p, abs=0.005)
    assert z_score(found.value, found.error, found.freedom) == pytest.approx(stats.norm.isf(p / 2), rel=0.02)
