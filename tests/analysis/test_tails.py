"""Tail probabilities equal those of scipy, where they matter for a decision and where they do not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from meta_orchestrator.core.analysis.antipatterns.shared.tails import upper_tail


@given(st.integers(0, 400), st.floats(0.001, 300))
def test_without_overdispersion_it_is_the_poisson_tail(count, mean):
    assert upper_tail(count, mean, mean) == pytest.approx(stats.poisson.sf(count - 1, mean), rel=1e-8, abs=1e-12)


@given(st.integers(0, 400), st.floats(0.001, 300), st.floats(1.01, 50))
def test_with_overdispersion_it_is_the_negative_binomial_tail(count, mean, factor):
    shape = mean / (factor - 1)
    expected = stats.nbinom.sf(count - 1, shape, 1 / factor)
    assert upper_tail(count, mean, factor * mean) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_by_hand_the_third_head_comes_after_three_tails_or_more():
    """Negative binomial of shape 3 and mean 3: fair coins, P(at least 3 tails before the third head) = 1/2."""
    assert upper_tail(3, 3, 6) == pytest.approx(0.5)
    assert upper_tail(1, 2, 2) == pytest.approx(1 - math.exp(-2))


def test_more_than_nothing_is_impossible_where_nothing_is_expected():
    assert (upper_tail(0, 0, 0), upper_tail(1, 0, 0)) == (1, 0)


def test_counts_far_below_a_large_mean_are_certain_to_be_reached():
    assert upper_tail(10, 2000, 2000) == 1
    assert math.isfinite(upper_tail(5000, 2000, 4000))
