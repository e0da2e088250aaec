"""The drift detector keeps its promise on false alarms, whatever it watches, and finds what it should in time."""

import doctest
import pickle
import statistics
import subprocess
import sys

import numpy as np
import orjson
import pytest
from river import base, drift
from river.checks import common

from meta_orchestrator.core.analysis.drift import RankESR, rank_esr
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


def alarms(values: np.ndarray, seed: int = 0) -> list[tuple[int, int]]:
    """(when, the estimated change point) of each drift."""
    detector, found = RankESR(seed=seed), []
    for i, value in enumerate(values.tolist()):
        detector.update(value)
        if detector.drift_detected:
            found.append((i, detector.change))
    return found


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_rivers_checks_pass(check):
    check(RankESR())
    check(drift.PageHinkley())  # the check is one that River's own detectors pass


def test_it_is_a_river_drift_detector():
    assert isinstance(RankESR(), base.DriftDetector)
    assert not RankESR().drift_detected


def test_the_example_in_its_docstring_is_true():
    assert doctest.testmod(rank_esr).failed == 0
    assert doctest.testmod(rank_esr).attempted > 0


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
    assert sum(len(alarms(draw(np.random.default_rng(s)), s)) for s in range(4)) <= 6


@pytest.mark.parametrize(("shift", "most"), [(0.5, 110), (1.0, 25), (2.0, 8)])
def test_a_shift_is_found_in_time_and_dated(shift, most):
    delays, errors = [], []
    for seed in range(15):
        values = np.random.default_rng(500 + seed).standard_normal(1500)
        values[800:] += shift
        when, change = next(found for found in alarms(values, seed) if found[0] >= 800)
        delays.append(when - 800)
        errors.append(abs(change - 800))
    assert statistics.median(delays) <= most
    assert statistics.median(errors) <= 8 / shift


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


def test_nothing_is_flagged_before_the_warm_up_has_ended():
    values = np.concatenate([np.zeros(15), np.full(14, 1e9)])
    assert alarms(values + np.random.default_rng(0).standard_normal(29)) == []


def test_stored_and_loaded_in_the_middle_it_goes_on_the_same():
    values = np.random.default_rng(1).standard_normal(900)
    values[600:] += 1
    straight, restored = RankESR(seed=4), RankESR(seed=4)
    for i, value in enumerate(values.tolist()):
        straight.update(value)
        if i % 97 == 0:
            stored = orjson.dumps(restored.dump())
            restored = RankESR(seed=4)
            restored.load(orjson.loads(stored))
        restored.update(value)
        assert (straight.evidence, straight.drift_detected) == (restored.evidence, restored.drift_detected)
    assert straight.dump() == restored.dump()


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
