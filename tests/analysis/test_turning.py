"""The end of a fault is told by evidence, at the pace of the evidence."""

from math import ceil, log

import pytest

from meta_orchestrator.core.analysis.antipatterns.shared.excess import Habits, Tally
from meta_orchestrator.core.analysis.antipatterns.shared.turning import STOPPED, has_stopped

HABITS = Habits({"a": Tally(1e6, 1e6), "b": Tally(1e6, 1e6)}, Tally(1, 1))
"""One hit for each expected one."""


def pages(hits: float, number: int, chances: float = 1.0) -> list[dict[str, Tally]]:
    return [{"a": Tally(hits, chances)}] * number


def test_as_many_pages_as_it_takes_for_a_likelihood_of_a_hundred_to_one():
    """At three times the usual a page with the usual hit speaks for its end by 2 - ln 3."""
    enough = ceil(STOPPED / (2 - log(3)))
    assert not has_stopped(pages(1, enough - 1), HABITS, 3.0)
    assert has_stopped(pages(1, enough), HABITS, 3.0)
    assert has_stopped(pages(3, 100) + pages(1, enough), HABITS, 3.0), "what was before its end says nothing against it"


@pytest.mark.parametrize("chances", [0.1, 1.0, 10.0])
def test_what_goes_on_has_not_stopped_and_few_chances_are_no_evidence(chances):
    assert not has_stopped(pages(3 * chances, 100, chances), HABITS, 3.0)
    assert not has_stopped(pages(0, 2, 0.1), HABITS, 3.0)


def test_hits_that_come_in_clusters_say_less():
    enough = ceil(STOPPED / (2 - log(3)))
    assert not has_stopped(pages(1, enough), HABITS.scattered(2.0), 3.0)
    assert has_stopped(pages(1, 2 * enough), HABITS.scattered(2.0), 3.0)


def test_only_those_count_in_whom_it_was_found():
    quiet = [{"a": Tally(3, 1), "b": Tally(0, 50)}] * 20
    assert has_stopped(quiet, HABITS, 3.0)
    assert not has_stopped(quiet, HABITS, 3.0, ["a"])
