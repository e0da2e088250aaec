"""Intervals over paired seeds cover the truth as often as they promise."""

from math import isinf

import numpy as np
import pytest
from scipy import stats

from meta_orchestrator.drivers.evaluation.intervals import Interval, Pair, of_blocks, relative_change, share
from meta_orchestrator.drivers.evaluation.tables import percent


def test_the_change_is_that_of_the_sums():
    found = relative_change([Pair("a", 3.0, 2.0), Pair("a", 0.0, 2.0), Pair("b", 6.0, 2.0), Pair("b", 3.0, 2.0)])
    assert found.value == pytest.approx(12 / 8 - 1)


def test_no_change_in_any_pair_is_known_exactly():
    found = relative_change([Pair("a", 3.0, 3.0), Pair("a", 5.0, 5.0)])
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_nothing_before_is_no_change_to_speak_of():
    assert relative_change([Pair("a", 3.0, 0.0), Pair("a", 1.0, 0.0)]) is None
    assert relative_change([]) is None


def test_one_seed_has_no_interval():
    found = relative_change([Pair("a", 3.0, 2.0), Pair("b", 3.0, 2.0)])
    assert isinf(found.low)
    assert isinf(found.high)


def test_with_one_stratum_and_a_constant_before_it_is_students_interval():
    after = [4.0, 5.0, 7.0, 4.5]
    found = relative_change([Pair("a", value, 2.0) for value in after])
    ours = (found.low, found.high)
    theirs = stats.t.interval(0.95, 3, np.mean(after) / 2 - 1, stats.sem(after) / 2)
    assert ours == pytest.approx(theirs)


def test_19_of_20_intervals_cover_the_truth():
    """Poisson counts, strata of very different sizes, the change the same in each."""
    rng, hits, runs = np.random.default_rng(1), 0, 1000
    for _ in range(runs):
        pairs = []
        for stratum, mean in enumerate((5, 40, 400)):
            shared = rng.gamma(20, mean / 20, 4)
            pairs += [Pair(stratum, rng.poisson(0.6 * level), rng.poisson(level)) for level in shared]
        found = relative_change(pairs)
        hits += found.low <= -0.4 <= found.high
    assert 0.91 <= hits / runs <= 0.985


def test_a_share_has_wilsons_interval():
    found = share(19, 20)
    theirs = stats.binomtest(19, 20).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)
    assert share(0, 0) is None


def test_batch_means_are_not_fooled_by_hours_that_depend_on_one_another():
    rng, hits, runs = np.random.default_rng(2), 0, 500
    for _ in range(runs):
        hours = np.zeros(48)
        for hour in range(1, 48):
            hours[hour] = 0.5 * hours[hour - 1] + rng.normal()
        found = of_blocks(list(hours + 10), 10.0, 4)
        hits += found.low <= 1 <= found.high
    assert hits / runs >= 0.87


def test_a_change_that_was_hardly_measured_is_not_shown_as_a_number():
    assert percent(Interval(-0.125, -7.7, 7.4)) == "too few to tell"
    assert percent(Interval(-0.125, -0.2, -0.05)) == "-12.5 % [-20.0, -5.0]"
    assert percent(relative_change([Pair("a", 3.0, 2.0)])) == "+50.0 %"
