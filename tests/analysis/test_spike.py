"""One value beyond all before is flagged once, and heavy tails are no surprise to whoever has seen them."""

import numpy as np
import orjson

from meta_orchestrator.core.analysis.drift import Spike
from meta_orchestrator.core.analysis.drift.spike import spike_score


def flags(values: np.ndarray, spike: Spike) -> list[int]:
    found = []
    for at, value in enumerate(values.tolist()):
        spike.update(value)
        assert 0 <= spike.score <= 1
        if spike.drift_detected:
            found.append(at)
    return found


def test_a_spike_is_flagged_and_what_follows_it_is_not():
    values = np.random.default_rng(1).standard_normal(1000)
    values[700:710] += 20
    assert flags(values, Spike(probability=1e-4)) == [700]


def test_ordinary_values_are_flagged_no_more_often_than_is_said():
    """2,000 values at .002, where the tail is fitted to 50 of them: 4 are expected, 12 have probability .001."""
    for draw in ("standard_normal", "standard_cauchy", "standard_exponential"):
        values = getattr(np.random.default_rng(2), draw)(2000)
        assert len(flags(values, Spike(rest=0))) <= 12


def test_no_value_is_flagged_while_little_is_known():
    assert flags(np.array([0.0] * 50 + [1e9] + [0.0] * 40), Spike()) == []


def test_it_flags_a_first_move_of_what_never_moved():
    assert flags(np.array([5.0] * 200 + [6.0] + [5.0] * 50), Spike()) == [200]


def test_the_score_of_a_batch_is_that_of_its_farthest_value():
    before = np.random.default_rng(3).standard_normal(300)
    ordinary, far = spike_score(before, np.array([0.1, -0.2])), spike_score(before, np.array([0.1, -30.0]))
    assert ordinary == 0
    assert far > 0.9
    assert spike_score(before[:5], before) is None


def test_stored_and_loaded_in_the_middle_it_goes_on_the_same():
    values = np.random.default_rng(4).standard_t(2, 700)
    straight, restored = Spike(window=300), Spike(window=300)
    for at, value in enumerate(values.tolist()):
        if at % 130 == 0:
            stored = orjson.dumps(restored.dump())
            restored = Spike(window=300)
            restored.load(orjson.loads(stored))
        straight.update(value), restored.update(value)
        assert (straight.score, straight.drift_detected) == (restored.score, restored.drift_detected)
