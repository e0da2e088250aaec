"""Quantiles within one per cent, however the values are spread and merged."""

import math

from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.core.collection.sketch import Sketch, quantile, sketch_each

VALUES = st.one_of(st.just(0.0), st.floats(1e-9, 1e15), st.integers(0, 10**9).map(float))


@given(st.lists(st.lists(VALUES, min_size=1, max_size=60), min_size=1, max_size=5))
def test_the_p95_of_merged_sketches_is_within_one_per_cent_of_the_exact_rank(parts: list[list[float]]) -> None:
    values = sorted(value for part in parts for value in part)
    exact = values[math.ceil(0.95 * len(values) - 1e-9) - 1]
    assert abs(quantile([Sketch.of(part) for part in parts], 0.95) - exact) <= 0.01 * exact


@given(st.dictionaries(st.text(max_size=3), st.lists(VALUES, max_size=20), max_size=5))
def test_sketching_all_at_once_is_sketching_each(values: dict[str, list[float]]) -> None:
    assert {name: s.dump() for name, s in sketch_each(values).items()} == {
        name: Sketch.of(some).dump() for name, some in values.items()
    }


def test_a_stored_sketch_comes_back() -> None:
    sketch = Sketch.of([0, 1, 1, 2.5, 1e9])
    again = Sketch.load(sketch.dump())
    assert (again.dump(), again.count) == (sketch.dump(), 5)
