"""What the clock explains is no drift; what it does not is found as ever."""

import numpy as np
import orjson
import pytest

from meta_orchestrator.core.analysis.drift import RankESR
from meta_orchestrator.core.analysis.drift.baseline import Baseline
from meta_orchestrator.core.analysis.drift.season import Season
from meta_orchestrator.messages.fields import DAY_US

A_DAY = 144
"""Values a day: one in ten minutes."""


def residuals(values: np.ndarray, season: Season) -> np.ndarray:
    return np.array([season.residual(at * DAY_US // A_DAY, value) for at, value in enumerate(values.tolist())])


def days(count: int, amplitude: float = 1.5, seed: int = 0) -> np.ndarray:
    at = np.arange(count * A_DAY)
    return amplitude * np.sin(2 * np.pi * at / A_DAY) + np.random.default_rng(seed).standard_normal(len(at))


def drifts(values: np.ndarray) -> list[int]:
    detector, found = RankESR(run_length=3000), []
    for at, value in enumerate(values.tolist()):
        detector.update(value)
        if detector.drift_detected:
            found.append(at)
    return found


def test_after_two_days_a_daily_wave_is_no_drift_any_more():
    values = days(20)
    assert len([at for at in drifts(values) if at > 3 * A_DAY]) > 10
    assert len([at for at in drifts(residuals(values, Season(DAY_US, 48))) if at > 3 * A_DAY]) <= 2


def test_a_shift_is_still_found_on_the_day_on_which_it_comes():
    values = days(12)
    values[10 * A_DAY + 30 :] += 2
    found = [at for at in drifts(residuals(values, Season(DAY_US, 48))) if at >= 10 * A_DAY]
    assert found
    assert found[0] <= 10 * A_DAY + 30 + 15


def test_a_weekend_is_known_after_two_weeks():
    at = np.arange(28 * A_DAY)
    values = 2.0 * ((at // A_DAY) % 7 >= 5) + np.random.default_rng(1).standard_normal(len(at))
    week = Season(7 * DAY_US, 56)
    left = residuals(values, week)[21 * A_DAY :].reshape(7, A_DAY).mean(axis=1)
    assert week.is_known
    assert np.ptp(left) < 0.8


@pytest.mark.parametrize("seed", range(3))
def test_where_there_is_no_season_nothing_is_taken_out(seed):
    values = days(15, amplitude=0, seed=seed)
    changed = residuals(values, Season(DAY_US, 48)) - values
    assert np.sqrt((changed**2).mean()) < 0.1


def test_a_day_with_a_drift_teaches_nothing_but_two_of_them_do():
    season = Season(DAY_US, 48)
    residuals(np.append(days(6), 0.0), season)
    known = season.profile.copy()
    for day, taught in ((6, False), (7, True)):
        season.residual(day * DAY_US, 50.0)
        season.spoil()
        for hour in range(1, 24):
            season.residual(day * DAY_US + hour * DAY_US // 24, 50.0 * (hour < 12))
        season.residual((day + 1) * DAY_US, 0.0)
        assert np.array_equal(season.profile, known) != taught


def test_stored_and_loaded_in_the_middle_it_goes_on_the_same():
    straight, restored = Season(DAY_US, 48), Season(DAY_US, 48)
    for at, value in enumerate(days(6).tolist()):
        if at % 100 == 0:
            stored = orjson.dumps(restored.dump())
            restored = Season(DAY_US, 48)
            restored.load(orjson.loads(stored))
        time_us = at * DAY_US // A_DAY
        assert straight.residual(time_us, value) == restored.residual(time_us, value)


def test_when_a_season_becomes_known_the_past_loses_it_too():
    """What is remembered of two days is as flat then as what comes: the values that it was made of, less the wave."""
    baseline, values = Baseline(500), days(2).tolist()
    left = [residual_at(baseline, at, value)[1] for at, value in enumerate(values)]
    assert left == values
    revision, _ = residual_at(baseline, 2 * A_DAY, 0.0)
    wave = days(2) - np.random.default_rng(0).standard_normal(2 * A_DAY)
    assert np.corrcoef(revision, -wave)[0, 1] > 0.95
    assert np.sqrt(((revision + wave) ** 2).mean()) < 0.5


def test_a_stored_baseline_goes_on_the_same():
    straight, restored = Baseline(200), Baseline(200)
    for at, value in enumerate(days(5).tolist()):
        if at % 100 == 0:
            stored = orjson.dumps(restored.dump())
            restored = Baseline(200)
            restored.load(orjson.loads(stored))
        for one, other in zip(residual_at(straight, at, value), residual_at(restored, at, value), strict=True):
            assert np.array_equal(one, other)


def residual_at(baseline: Baseline, at: int, value: float) -> tuple[np.ndarray, float]:
    """What is to be added to the past, and the value without its season."""
    time_us = at * DAY_US // A_DAY
    revision = baseline.turn(time_us)
    return np.zeros(0) if revision is None else revision, baseline.residual(time_us, value)


def test_eight_hours_a_day_are_enough_to_learn_from():
    at = np.arange(14 * A_DAY)
    values = np.where(at % A_DAY < 96, 2.0, 0.0) + np.random.default_rng(3).standard_normal(len(at))
    season, left = Season(DAY_US, 48), []
    for one, value in zip(at.tolist(), values.tolist(), strict=True):
        if 72 <= one % A_DAY < 120:
            left.append(season.residual(one * DAY_US // A_DAY, value))
    late = np.array(left[-7 * 48 :]).reshape(7, 48)
    assert abs(late[:, :24].mean() - late[:, 24:].mean()) < 0.6  # of 2
