"""The drift detector keeps its promise on false alarms, whatever it watches, and finds what it should in time."""

import doctest
import pickle
import subprocess
import sys

import numpy as np
import orjson
import pytest
from river import base, drift
from river.checks import common
from scipy.special import ndtr, ndtri

from meta_orchestrator.core.analysis.drift import RankESR, Spike, StudentESR, rank_esr, spike, student_esr
from meta_orchestrator.core.analysis.drift.bets import LEVELS, level_gains, spread_gains
from meta_orchestrator.core.analysis.drift.rank_bank import RankBank
from meta_orchestrator.core.analysis.drift.since import half_width
from meta_orchestrator.core.analysis.drift.uniform import uniforms

CHECKS = [
    common.check_repr,
    common.check_str,
    common.check_clone_same_class,
    common.check_clone_is_idempotent,
    common.check_clone_changes_memory_addresses,
    common.check_clone_with_new_params_applies,
    common.check_init_has_default_params_for_tests,
    common.check_init_default_params_are_not_mutable,
    common.check_doc,
    common.check_mutate_can_be_idempotent,
    common.check_pickling_supports_roundtrip,
    common.check_repr_roundtrips_clone,
    common.check_get_params_matches_signature,
]
"""All of River's estimator checks that its own drift detectors pass; the others ask for `learn_one`."""


def autoregressive(phi: float, random: np.random.Generator, n: int) -> np.ndarray:
    noise = random.standard_normal(n) * np.sqrt(1 - phi * phi)
    values = np.empty(n)
    values[0] = random.standard_normal()
    for i in range(1, n):
        values[i] = phi * values[i - 1] + noise[i]
    return values


def alarms(streams: list[np.ndarray]) -> list[tuple[int, int, int, float]]:
    """(stream, when, the estimated change point, the size of the bet) of each drift."""
    bank, found = RankBank(len(streams), 500, 30, 0.3), []
    for at, values in enumerate(np.array(streams).T):
        bank.update(np.arange(len(streams)), values)
        for stream in np.flatnonzero(bank.e_values >= 10_000).tolist():
            bet = bank.evidence.strongest(stream)
            found.append((stream, at, int(bank.evidence.changes[stream, bet]), abs(float(LEVELS[bet]))))
            bank.restart(np.array([stream]))
    return found


def of_one(detector: RankESR, values: np.ndarray) -> list[tuple[int, int]]:
    found = []
    for at, value in enumerate(values.tolist()):
        detector.update(value)
        if detector.drift_detected:
            found.append((at, detector.change))
    return found


@pytest.mark.parametrize("make", [RankESR, StudentESR, Spike])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_rivers_checks_pass(check, make):
    check(make())
    check(drift.PageHinkley())  # the check is one that River's own detectors pass


@pytest.mark.parametrize("make", [RankESR, StudentESR, Spike])
def test_each_is_a_river_drift_detector(make):
    assert isinstance(make(), base.DriftDetector)
    assert not make().drift_detected


@pytest.mark.parametrize("module", [rank_esr, student_esr, spike], ids=lambda module: module.__name__)
def test_the_example_in_its_docstring_is_true(module):
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted > 0


def test_importing_it_does_not_import_rivers_own_detectors():
    code = "import sys; import meta_orchestrator.core.analysis.drift; print('river.drift' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "draw",
    [
        lambda random: random.standard_normal(5000),
        lambda random: random.lognormal(0, 1, 5000),
        lambda random: random.standard_t(1.5, 5000),
        lambda random: autoregressive(0.5, random, 5000),
        lambda random: random.binomial(20, 0.05, 5000) / 20,
        lambda random: np.zeros(5000),
    ],
    ids=["gauss", "lognormal", "heavy tails", "autocorrelated", "rates with ties", "constant"],
)
def test_false_alarms_are_as_rare_as_promised(draw):
    """20,000 values at one alarm in 10,000: more than 6 would have a probability below .005."""
    assert len(alarms([draw(np.random.default_rng(s)) for s in range(4)])) <= 6


@pytest.mark.parametrize(("shift", "most"), [(0.5, 110), (1.0, 25), (2.0, 8)])
def test_a_shift_is_found_in_time_and_dated_as_surely_as_is_said(shift, most):
    streams = np.random.default_rng(500).standard_normal((40, 1100))
    streams[:, 800:] += shift
    first = {}
    for stream, when, change, bet in alarms(list(streams)):
        if when >= 800:
            first.setdefault(stream, (when - 800, abs(change - 800), half_width(bet)))
    delays, errors, widths = np.array(list(first.values())).T
    assert len(first) >= 38
    assert np.median(delays) <= most
    assert np.median(errors) <= 8 / shift
    assert (errors <= widths).mean() >= 0.8  # .9 is promised; of 40, fewer than 32 have probability .02


def test_many_at_once_are_judged_like_each_alone():
    streams = [np.random.default_rng(s).standard_normal(400) + (np.arange(400) > 300) for s in range(3)]
    each = [(s, *found) for s, values in enumerate(streams) for found in of_one(RankESR(), values)]
    assert sorted(found[:3] for found in alarms(streams)) == each
    assert each


def test_a_greater_or_smaller_spread_is_found_where_it_is_asked_for():
    near, far = np.full(200, 0.2), np.full(200, 3.0)
    for size, direction in ((far, 1), (near, -1)):
        values = np.append(np.random.default_rng(4).standard_normal(400), size * np.resize([1, -1], 200))
        detector = RankESR(spread=True)
        [(when, _)] = of_one(detector, values[:440])[:1]
        assert (when >= 400, of_one(RankESR(), values[: when + 1])) == (True, [])
        detector = RankESR(spread=True)
        of_one(detector, values[: when + 1])
        assert (detector.spread_changed, detector.direction) == (True, direction)


def test_the_direction_is_that_of_the_shift():
    for sign in (1, -1):
        values = np.random.default_rng(3).standard_normal(400)
        values[300:] += 2 * sign
        detector = RankESR()
        for value in values:
            detector.update(value)
            if detector.drift_detected:
                break
        assert detector.direction == sign


def test_what_never_changes_is_never_a_drift():
    """12,000 zeros: more than the mean time between false alarms. What is all but constant alarms rarely, too."""
    assert alarms([np.zeros(12_000)]) == []
    assert len(alarms([np.random.default_rng(s).random(5000) < 0.02 for s in range(4)])) <= 3


def test_a_gain_is_one_in_the_mean_however_coarse_the_ranks_are():
    """Over all that may be seen where nothing has changed: intervals of quantiles, each as likely as it is wide."""
    edges = ndtri(np.array([0, 0.3, 0.31, 0.9, 1]))
    ends, likely = np.stack([edges[:-1], edges[1:]]), np.diff(ndtr(edges))
    assert likely @ level_gains(ends, LEVELS) == pytest.approx(np.ones(len(LEVELS)))
    assert likely @ spread_gains(ends) == pytest.approx(np.ones(2), abs=1e-6)


def test_a_narrow_interval_pays_as_its_middle_does_in_both_tails():
    at = np.array([-9.0, -1.0, 0.0, 2.0, 9.0])
    gains = level_gains(np.stack([at - 1e-4, at + 1e-4]), LEVELS)
    assert gains == pytest.approx(np.exp(at[:, None] * LEVELS - LEVELS**2 / 2), rel=1e-3)


def test_nothing_is_flagged_before_the_warm_up_has_ended():
    values = np.concatenate([np.zeros(15), np.full(14, 1e9)])
    assert of_one(RankESR(), values + np.random.default_rng(0).standard_normal(29)) == []


def test_stored_and_loaded_in_the_middle_it_goes_on_the_same():
    values = np.random.default_rng(1).standard_normal(900)
    values[600:] += 1
    straight, restored = RankESR(), RankESR()
    for i, value in enumerate(values.tolist()):
        straight.update(value)
        if i % 97 == 0:
            stored = orjson.dumps(restored.dump())
            restored = RankESR()
            restored.load(orjson.loads(stored))
        restored.update(value)
        assert (straight.evidence, straight.drift_detected) == (restored.evidence, restored.drift_detected)
    assert straight.dump() == restored.dump()


def test_the_sparse_detector_goes_on_the_same_when_it_is_stored_and_loaded():
    values = np.random.default_rng(2).standard_normal(300)
    values[200:] += 3
    straight, restored, found = StudentESR(), StudentESR(), []
    for at, value in enumerate(values.tolist()):
        if at % 41 == 0:
            stored = orjson.dumps(restored.dump())
            restored = StudentESR()
            restored.load(orjson.loads(stored))
        straight.update(value), restored.update(value)
        assert (straight.evidence, straight.drift_detected) == (restored.evidence, restored.drift_detected)
        found += [straight.change] if straight.drift_detected else []
    assert found
    assert abs(found[0] - 200) <= 2


def test_a_pickled_detector_goes_on_the_same_in_a_river_pipeline():
    detector = RankESR()
    for value in range(100):
        detector.update(value)
    other = pickle.loads(pickle.dumps(detector))  # noqa: S301 - River users do; we never unpickle
    detector.update(3), other.update(3)
    assert detector.dump() == other.dump()


def test_chance_is_uniform_and_depends_on_seed_and_position_only():
    def numbers_of(seed: int) -> np.ndarray:
        return uniforms(np.full(20_000, seed, np.uint64), np.arange(20_000))

    numbers = numbers_of(7)
    assert np.array_equal(numbers, numbers_of(7))
    assert 0 < numbers.min() < numbers.max() < 1
    counts = np.histogram(numbers, bins=20, range=(0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-square with 19 degrees of freedom, p = .001
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 0.03
    assert numbers_of(8)[0] != numbers[0]
