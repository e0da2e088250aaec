"""Weeks under constant conditions."""

from itertools import pairwise

import pytest

from meta_orchestrator.drivers.evaluation.arms import arms
from meta_orchestrator.drivers.evaluation.endurance import endurance, reversals
from meta_orchestrator.drivers.evaluation.runs import Decided, Run, controlled
from meta_orchestrator.policy import Policy
from meta_orchestrator.simulation.truth import Span

POLICY = arms(Policy())["adaptive"]
FREQUENCY, WIP = "consensus.frequency", "workflow.wip_limit"


def moves(*values: int, verdict: str = "kept") -> list[Decided]:
    pairs = pairwise(values)
    return [Decided(n * 3600.0, verdict, WIP, {WIP: to}, {WIP: from_}, "") for n, (from_, to) in enumerate(pairs)]


def test_what_goes_one_way_never_turns_round():
    assert reversals(Run("x", "adaptive", 1, decided=moves(4, 5, 6, 7)), POLICY) == {}
    votes = {"every_change": "adaptive_threshold(0.3)", "adaptive_threshold(0.3)": "critical_changes_only"}
    less = [Decided(0.0, "kept", FREQUENCY, {FREQUENCY: to}, {FREQUENCY: from_}, "") for from_, to in votes.items()]
    assert reversals(Run("x", "adaptive", 1, decided=less), POLICY) == {}


def test_each_turn_of_what_was_kept_counts():
    assert reversals(Run("x", "adaptive", 1, decided=moves(4, 5, 6, 5, 4, 5)), POLICY) == {WIP: 2}
    assert reversals(Run("x", "adaptive", 1, decided=moves(4, 5, 4, 5, verdict="rolled_back")), POLICY) == {}


def test_changes_are_counted_by_the_week():
    run = Run("x", "adaptive", 1, [Span(3600.0, {})] * (3 * 168), state_bytes=list(range(21)))
    run.decided = [Decided(day * 86_400.0, "changed", WIP, {WIP: 5}, {WIP: 4}, "") for day in (0, 1, 6.9, 15)]
    found = endurance(run, POLICY)
    assert (found.changed, found.kept, found.state_bytes) == ([3, 0, 1], [0, 0, 0], [6, 13, 20])


@pytest.mark.slow
def test_in_a_healthy_team_hardly_anything_is_changed_and_the_state_stays_as_it_is():
    """Three days; `evaluate -s nothing_wrong --days 60` is the long way."""
    run = controlled("nothing_wrong", 1, 3 * 24, POLICY, "adaptive")
    assert run.count("changed") <= 3
    assert not reversals(run, POLICY)
    assert run.state_bytes[-1] < 1.25 * run.state_bytes[1]  # 24 h are remembered from the second day on
