"""excessive_rounds: small changes that are voted on again and again, more than before."""

import numpy as np
import pytest

from meta_orchestrator.core.analysis.antipatterns.excessive_rounds import ExcessiveRounds
from meta_orchestrator.messages.outputs import AntipatternCleared
from meta_orchestrator.policy import Policy
from tests.analysis.making import HOUR_S, MINUTE_S, event, judged, judged_with_books

POLICY = Policy()


def votes(seed: int, items: int, begin_s: float, end_s: float, again: float, criticality: str = "minor") -> list:
    """Items whose rounds are repeated with a probability, three at the most."""
    random, said = np.random.default_rng(seed), []
    for n in range(items):
        at_s, item = float(random.uniform(begin_s, end_s)), f"{criticality}-{begin_s}-{n}"
        for attempt in (1, 2, 3):
            said.append(
                event(
                    at_s + 20 * attempt,
                    "consensus.round.opened",
                    round=f"{item}-{attempt}",
                    item=item,
                    criticality=criticality,
                    eligible=["ann", "bob"],
                    threshold=0.5,
                    attempt=attempt,
                )
            )
            if random.random() > again:
                break
    return said


def test_rounds_repeated_as_ever_are_not_excessive():
    """30 teams, 4 h each: 240 look-backs at .01, eight or more are less likely than 1 in 200; found and cleared."""
    found = [
        len(judged(ExcessiveRounds(POLICY), votes(seed, 400, 0, 4 * HOUR_S, 0.3), 4 * HOUR_S)) for seed in range(30)
    ]
    assert sum(found) <= 2 * 7


@pytest.mark.parametrize(("items", "again"), [(120, 0.05), (400, 0.6), (1200, 0.1)])
def test_few_or_many_few_or_all_repeated_it_is_no_finding_where_it_was_always_so(items, again):
    """15 teams, 4 h each: 120 look-backs at .01; six or more are less likely than 1 in 100. Beside the hard limit."""
    found = []
    for seed in range(15):
        detector = ExcessiveRounds(POLICY)
        detector.configure({"consensus.max_rounds": 9})
        found += judged(detector, votes(seed, items, 0, 4 * HOUR_S, again), 4 * HOUR_S)
    assert len([finding for _, finding in found if not isinstance(finding, AntipatternCleared)]) <= 5


def test_items_of_which_three_times_as_many_are_repeated_are_found_within_the_hour():
    """20 teams of 100 items an hour, .1 to .3: of a power of .97 fewer than 17 are found once in 300."""
    found = 0
    for seed in range(0, 40, 2):
        said = votes(seed, 300, 0, 3 * HOUR_S, 0.1) + votes(seed + 1, 100, 3 * HOUR_S, 4 * HOUR_S, 0.3)
        found += any(at_s > 3 * HOUR_S for at_s, _ in judged(ExcessiveRounds(POLICY), said, 4 * HOUR_S))
    assert found >= 17


def test_stored_and_restored_at_each_tick_it_says_the_same():
    said = votes(1, 300, 0, 3 * HOUR_S, 0.1) + votes(2, 100, 0, 4 * HOUR_S, 0.2, "major")
    said += votes(3, 120, 3 * HOUR_S, 4 * HOUR_S, 0.6)
    plain, restored = (judged_with_books(ExcessiveRounds(POLICY), said, 5 * HOUR_S, every) for every in (None, 7))
    assert plain == restored
    assert plain


def test_more_repeated_rounds_than_before_are_found_named_and_cleared():
    said = votes(1, 300, 0, 3 * HOUR_S, 0.1) + votes(2, 120, 3 * HOUR_S, 4 * HOUR_S, 0.6)
    said += votes(3, 200, 4 * HOUR_S, 6 * HOUR_S, 0.1)
    (found_s, found), (cleared_s, cleared) = judged(ExcessiveRounds(POLICY), said, 6 * HOUR_S)
    assert 3 * HOUR_S < found_s <= 3 * HOUR_S + 20 * MINUTE_S
    assert found.agents == ["ann", "bob"]
    assert found.tasks
    assert found.evidence["observed"] > 2 * found.evidence["expected"]
    assert isinstance(cleared, AntipatternCleared)
    assert 4 * HOUR_S < cleared_s <= 4 * HOUR_S + 40 * MINUTE_S


def test_what_matters_may_be_voted_on_as_often_as_it_needs():
    said = votes(1, 300, 0, 3 * HOUR_S, 0.1) + votes(2, 120, 3 * HOUR_S, 4 * HOUR_S, 0.9, "critical")
    assert judged(ExcessiveRounds(POLICY), said, 4 * HOUR_S) == []


def test_more_items_of_the_kind_that_always_needed_more_rounds_are_no_excess():
    """Normal items are repeated five times as often as minor ones; in the last hour they are six times as many."""
    found = []
    for seed in range(0, 100, 10):
        said = votes(seed, 300, 0, 3 * HOUR_S, 0.1) + votes(seed + 1, 60, 0, 3 * HOUR_S, 0.5, "normal")
        said += votes(seed + 2, 20, 3 * HOUR_S, 4 * HOUR_S, 0.1)
        said += votes(seed + 3, 120, 3 * HOUR_S, 4 * HOUR_S, 0.5, "normal")
        found.append(bool(judged(ExcessiveRounds(POLICY), said, 4 * HOUR_S)))
    assert sum(found) <= 3  # ten teams of eight look-backs at .01: four or more are less likely than 1 in 100


def test_without_a_past_what_matters_is_the_measure_for_what_does_not():
    small = votes(1, 60, 0, 0.45 * HOUR_S, 0.45)
    assert judged(ExcessiveRounds(POLICY), small + votes(2, 60, 0, 0.45 * HOUR_S, 0.45, "major"), 0.5 * HOUR_S) == []
    [(_, found)] = judged(ExcessiveRounds(POLICY), small + votes(2, 60, 0, 0.45 * HOUR_S, 0.0, "major"), 0.5 * HOUR_S)
    assert all(task.startswith("minor") for task in found.tasks)


def test_most_small_items_at_the_limit_are_too_much_even_if_it_was_always_so():
    detector = ExcessiveRounds(POLICY)
    detector.configure({"consensus.max_rounds": 3})
    found = judged(detector, votes(1, 200, 0, 2 * HOUR_S, 0.95), HOUR_S)
    assert [type(finding) is AntipatternCleared for _, finding in found] == [False]
    assert found[0][1].evidence["max_rounds"] == 3
    assert found[0][1].severity > 0.5


def test_a_single_round_as_the_limit_is_no_excess():
    detector = ExcessiveRounds(POLICY)
    detector.configure({"consensus.max_rounds": 1})
    assert judged(detector, votes(1, 200, 0, 2 * HOUR_S, 0.0), 2 * HOUR_S) == []
