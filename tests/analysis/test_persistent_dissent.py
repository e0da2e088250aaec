"""persistent_dissent: who is against the outcome again and again, beyond what the rounds and people's ways explain."""

import numpy as np
import orjson
import pytest
from scipy import stats

from judge.votes import insights, lines
from meta_orchestrator.core.analysis.antipatterns.persistent_dissent import PersistentDissent
from meta_orchestrator.core.analysis.antipatterns.shared.dissenters import discoveries, p_among_peers, p_within_rounds
from meta_orchestrator.messages.outputs import AntipatternCleared
from tests.analysis.council import POLICY, Chamber, ballots

USUAL = dict.fromkeys("abcdefghijkl", 0.15)
ROUNDS_A_DAY = 400


def differing(seed: int, spread: float) -> dict[str, float]:
    """Twelve agents whose rates are beta distributed around .15: people differ, nobody is bad."""
    rates = np.random.default_rng(seed).beta(0.15 * spread, 0.85 * spread, 12)
    return dict(zip(USUAL, rates, strict=True))


# ---- the two tail probabilities --------------------------------------------------------------------------------------


def test_within_rounds_it_is_the_share_of_permutations_with_so_many_votes_against():
    random = np.random.default_rng(1)
    against = random.random((60, 7)) < random.beta(1, 4, 60)[:, None]
    shares = against.mean(1)
    permuted = np.array([random.permuted(against, axis=1).sum(0) for _ in range(4000)])
    expected, variance = shares.sum(), (shares * (1 - shares)).sum()
    for votes in range(int(expected), int(expected) + 9):
        [ours] = p_within_rounds(np.array([float(votes)]), np.array([expected]), np.array([variance]))
        assert ours == pytest.approx((permuted >= votes).mean(), abs=0.01)


def test_among_peers_it_is_the_beta_binomial_tail_where_mean_and_spread_are_all_but_known():
    random = np.random.default_rng(2)
    votes = np.full(400, 300.0)
    against = random.binomial(300, random.beta(0.2 * 30, 0.8 * 30, 400)).astype(float)
    against[0] = 110
    [ours] = p_among_peers(against, votes, np.array([0]))
    assert ours == pytest.approx(stats.betabinom.sf(109, 300, 6, 24), rel=0.35)


def test_a_second_dissenter_does_not_hide_the_first():
    votes, against = np.full(12, 80.0), np.array([60.0, 60.0, *[10.0] * 10])
    assert all(p_among_peers(against, votes, np.array([0, 1])) < 0.01)


def test_discoveries_are_those_of_benjamini_and_hochberg():
    p_values = np.random.default_rng(3).uniform(size=(200, 20)) ** 3
    for row in p_values:
        assert (discoveries(row, 0.05) == (stats.false_discovery_control(row) <= 0.05)).all()


# ---- what is found ---------------------------------------------------------------------------------------------------


def test_a_stubborn_agent_is_found_named_dated_and_cleared_when_it_gives_in():
    chamber = Chamber()
    said = chamber.hold(ballots(USUAL, 100, 1))
    said += chamber.hold(ballots(USUAL | {"c": 0.8}, 100, 2))
    said += chamber.hold(ballots(USUAL, 100, 3))
    assert [finding.agents for _, finding in said] == [["c"], ["c"]]
    (found_at, found), (cleared_at, over) = said
    assert 100 < found_at <= 180
    assert found.since >= "1970-01-01T00:45:00Z"  # 90 rounds of 30 s
    assert found.severity == pytest.approx(found.evidence["rate"] - found.evidence["expected_rate"], abs=2e-6)
    assert isinstance(over, AntipatternCleared)
    assert 200 < cleared_at <= 260


def test_who_is_against_what_everybody_quarrels_about_is_no_dissenter():
    """Only `a`, `b` and `c` vote on the hard questions, where half of them is against."""
    easy, hard = ballots(USUAL, 150, 1), ballots(dict.fromkeys("abc", 0.45), 150, 2)
    assert Chamber().hold([ballot for both in zip(easy, hard, strict=True) for ballot in both]) == []


def test_two_agents_make_no_majority():
    assert Chamber().hold(ballots({"a": 0.9, "b": 0.1}, 200, 1)) == []


def test_where_everybody_votes_alike_nobody_is_found():
    """40 teams in a day of votes at .05: five or more are less likely than 1 in 20."""
    assert sum(bool(Chamber().hold(ballots(USUAL, ROUNDS_A_DAY, seed))) for seed in range(40)) <= 4


def test_where_people_differ_few_are_found_and_true_dissenters_nearly_all():
    quiet = [bool(Chamber().hold(ballots(differing(seed, 40), ROUNDS_A_DAY, seed))) for seed in range(25)]
    assert sum(quiet) <= 7  # .15 promised: 8 or more of 25 are less likely than 1 in 40
    named = []
    for seed in range(12):
        rates = differing(seed, 40)
        rates |= {name: rates[name] + 0.3 for name in "ab"}
        named.append({name for _, found in Chamber().hold(ballots(rates, ROUNDS_A_DAY, seed)) for name in found.agents})
    assert sum(len(names & {"a", "b"}) for names in named) >= 0.6 * 24
    assert np.mean([len(names - {"a", "b"}) / max(1, len(names)) for names in named]) <= 0.1


def test_rare_votes_are_remembered_for_as_long_as_it_takes():
    assert Chamber().hold(ballots(USUAL | {"c": 0.7}, 60, 1), every_s=4 * 3600)


def test_who_votes_no_more_is_cleared_in_time():
    chamber = Chamber()
    [_] = chamber.hold(ballots(USUAL | {"c": 0.8}, 60, 1))
    deadline_us = chamber.detector.next_look_us
    assert chamber.idle(deadline_us - 1) == []
    [over] = chamber.idle(deadline_us)
    assert isinstance(over, AntipatternCleared)
    assert chamber.detector.next_look_us is None


def test_stored_and_restored_at_any_round_it_says_the_same():
    votes = ballots(USUAL | {"c": 0.6}, 120, 5) + ballots(USUAL, 100, 6)
    through, stored = Chamber(), Chamber()
    said = through.hold(votes)
    again = []
    for ballot in votes:
        again += stored.hold([ballot])
        dumped = orjson.dumps(stored.detector.dump())
        stored.detector = PersistentDissent(POLICY)
        stored.detector.load(orjson.loads(dumped))
    assert said
    assert again == said


def test_a_thousand_agents_are_judged_quickly_and_stored_small():
    chamber = Chamber()
    rates = {f"agent-{n}": 0.15 for n in range(1000)} | {"agent-7": 0.9}
    said = chamber.hold(ballots(rates, 40, 1))
    assert ["agent-7"] in [found.agents for _, found in said]
    assert len(orjson.dumps(chamber.detector.dump())) < 150 * 1000


def test_a_blocking_minority_dissents_and_not_those_whom_it_outvotes():
    """Three of eight are against; at a threshold of two thirds their No is the outcome."""
    rates = dict.fromkeys("abcde", 0.05) | dict.fromkeys("xyz", 0.9)
    said = Chamber().hold(ballots(rates, 150, 1), outcome="rejected")
    assert said
    assert {name for _, found in said for name in found.agents} == set("xyz")


def test_in_whatever_order_the_votes_of_a_round_arrive_it_says_the_same():
    votes = [{name: not no for name, no in ballot.items()} for ballot in ballots(USUAL | {"c": 0.7}, 60, 1)]
    *journal, end = lines(votes)
    size, random = len(USUAL) + 2, np.random.default_rng(1)
    rounds = [journal[start : start + size] for start in range(0, len(journal), size)]
    shuffled = [one[k] for one in rounds for k in random.permutation(size)]
    assert insights([*shuffled, end]) == insights([*journal, end]) != []
