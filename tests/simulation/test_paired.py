"""Paired seeds: two runs share their luck whatever their configuration."""

from math import log

import pytest

from meta_orchestrator.simulation.chance import Chance
from tests.simulation.team_runs import run, usual

SAME = ("criticality", "points", "required_skills")


def arrivals(done):
    """Task → its nature, as it was announced first."""
    first = {}
    for _, kind, data, _ in done.messages:
        if kind == "agent.task.started" and "item" not in data:
            first.setdefault(data["task"], {name: data[name] for name in SAME})
    return first


def test_paired_seeds_share_their_arrivals_under_any_configuration():
    other = run(config={"consensus.frequency": "critical_changes_only", "workflow.wip_limit": 2})
    ours, theirs = arrivals(usual()), arrivals(other)
    assert len(ours.keys() & theirs.keys()) > 150
    assert all(ours[task] == theirs[task] for task in ours.keys() & theirs.keys())


def test_a_draw_depends_on_its_cause_and_names_only():
    chance = Chance(7)
    first = chance.uniform("vote", "T1", 2)
    chance.uniform("vote", "T2", 2)
    assert chance.uniform("vote", "T1", 2) == first == Chance(7).uniform("vote", "T1", 2)
    assert first != Chance(8).uniform("vote", "T1", 2) != chance.uniform("abstain", "T1", 2)


def test_draws_have_their_distributions():
    chance, n = Chance(1), 20_000
    uniform = [chance.uniform("u", i) for i in range(n)]
    assert sum(uniform) / n == pytest.approx(0.5, abs=0.01)
    assert sum((u - 0.5) ** 2 for u in uniform) / n == pytest.approx(1 / 12, rel=0.03)
    assert sum(chance.exponential(3, "e", i) for i in range(n)) / n == pytest.approx(3, rel=0.03)
    logs = [log(chance.lognormal(5, 0.8, "l", i)) for i in range(n)]
    mean = sum(logs) / n
    assert mean == pytest.approx(log(5) - log(1 + 0.64) / 2, abs=0.02)
    assert sum((x - mean) ** 2 for x in logs) / n == pytest.approx(log(1 + 0.64), rel=0.05)
    counts = [chance.count(0.7, "c", i) for i in range(n)]
    assert sum(counts) / n == pytest.approx(0.7, rel=0.04)
    assert sum((x - 0.7) ** 2 for x in counts) / n == pytest.approx(0.7, rel=0.06)
    named = [chance.choice({"a": 1, "b": 3}, "n", i) for i in range(n)]
    assert named.count("b") / n == pytest.approx(0.75, abs=0.02)


def test_what_happens_at_a_small_share_happens_at_a_larger_one():
    chance = Chance(3)
    rare = {i for i in range(2000) if chance.happens(0.1, "x", i)}
    assert rare < {i for i in range(2000) if chance.happens(0.3, "x", i)}
