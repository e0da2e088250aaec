"""e-BH over all streams: the laws of the rule, and one bound on false alarms for a whole project."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.core.analysis.drift.rank_bank import RankBank
from meta_orchestrator.core.analysis.drift.together import rejected

E_VALUES = st.lists(st.floats(0, 1e9), max_size=12).map(np.array)


def plainly(families: list[np.ndarray], level: float) -> list[list[bool]]:
    """The definition of weighted e-BH, the long way round."""
    present = [len(family) for family in families if len(family)]
    weighted = [[e / len(present) / len(family) for e in family] for family in families]
    everybody = [e for family in weighted for e in family]
    counts = [k for k in range(1, len(everybody) + 1) if sum(e >= level / k for e in everybody) >= k]
    return [[bool(counts) and e >= level / max(counts) for e in family] for family in weighted]


@given(E_VALUES, E_VALUES, st.floats(1, 1e5))
def test_it_is_e_bh_with_weights(one, other, level):
    assert [mask.tolist() for mask in rejected([one, other], level)] == plainly([one, other], level)


@given(E_VALUES, st.floats(1, 1e5))
def test_alone_a_stream_needs_as_much_evidence_as_there_are_streams(family, level):
    [mask] = rejected([family], level)
    assert all(family[mask] * mask.sum() >= 0.999 * level * len(family))


@given(E_VALUES, E_VALUES)
def test_more_evidence_never_silences_anybody(one, other):
    before = rejected([one, other], 1000)
    after = rejected([one * 2, other], 1000)
    assert all((a >= b).all() for a, b in zip(after, before, strict=True))


def test_a_thousand_agents_ask_no_more_of_a_metric_than_one_does():
    metric = np.array([3e4])
    assert rejected([metric, np.zeros(1)], 10_000)[0].tolist() == [True]
    assert rejected([metric, np.zeros(1000)], 10_000)[0].tolist() == [True]


def test_sixty_steady_streams_together_alarm_no_more_often_than_promised():
    """60 · 2,000 updates: .2 false drifts are promised; 3 have probability .001."""
    bank, random, everybody, false = RankBank(60, 300, 30, 0.3), np.random.default_rng(1), np.arange(60), 0
    for _ in range(2000):
        bank.update(everybody, random.lognormal(size=60))
        [mask] = rejected([bank.e_values], 10_000)
        false += int(mask.sum())
        bank.restart(np.flatnonzero(mask))
    assert false < 3
