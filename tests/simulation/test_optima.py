"""No parameter is best at an end: each has conditions under which a value inside its bounds beats both sides.

The same seeds for all values of a parameter, so they share their luck.
"""

from dataclasses import replace
from typing import Any

import pytest
import simpy

from meta_orchestrator.simulation.conditions import Conditions
from meta_orchestrator.simulation.configuration import BASELINE
from meta_orchestrator.simulation.team import Team
from meta_orchestrator.simulation.truth import HOUR_S

SEEDS, HOURS = (1, 2), 12
ALL = ("minor", "normal", "major", "critical")
WATCHFUL = {"interarrival_s": 150.0, "insight": 0.5}
"""Enough time, and voters with good eyes: what the council lets pass is what counts."""
UNREVIEWED = {"workflow.review_depth": 0}

ROWS: list[tuple[str, tuple[Any, Any, Any], dict[str, Any], dict[str, Any]]] = [
    # parameter, (too little, about right, too much), conditions, the rest of the configuration
    (
        "consensus.frequency",
        ("every_change", "adaptive_threshold(0.4)", "adaptive_threshold(1)"),
        {"interarrival_s": 80.0, "insight": 0.7, "defects_per_point": 0.5},
        {"workflow.review_depth": 1},
    ),
    (
        "consensus.frequency",
        ("every_change", "timeboxed_batches(300)", "timeboxed_batches(3600)"),
        {"interarrival_s": 70.0},
        {},
    ),
    (
        "consensus.threshold.minor",
        (0.5, 0.8, 0.9),
        WATCHFUL | {"criticalities": {"minor": 1.0}, "defects_per_point": 1.5},
        UNREVIEWED,
    ),
    (
        "consensus.threshold.normal",
        (0.5, 0.8, 0.9),
        WATCHFUL | {"criticalities": {"normal": 1.0}, "defects_per_point": 0.5},
        UNREVIEWED,
    ),
    (
        "consensus.threshold.major",
        (0.6, 0.85, 0.95),
        WATCHFUL | {"criticalities": {"major": 1.0}, "defects_per_point": 0.3},
        UNREVIEWED,
    ),
    (
        "consensus.threshold.critical",
        (0.66, 0.85, 1.0),
        WATCHFUL | {"criticalities": {"critical": 1.0}, "defects_per_point": 0.2},
        UNREVIEWED,
    ),
    (
        "consensus.max_rounds",
        (1, 3, 6),
        {
            "doubt": dict.fromkeys(ALL, 0.35),
            "persuaded": 0.5,
            "discuss_s": 300.0,
            "vote_s": 20.0,
            "stubborn": {"reviewer-1": 0.9, "coder-1": 0.9},
            "orphaned": 0.002,
        },
        {},
    ),
    ("workflow.wip_limit", (1, 2, 6), {"interarrival_s": 70.0, "switch_s": 8.0, "tangle": 0.03}, {}),
    ("workflow.handoff_timeout_s", (90, 240, 900), {"accept_s": 30.0, "lost": 0.12}, {}),
    (
        "workflow.max_rework",
        (1, 3, 5),
        {"muddled": 0.2, "defects_per_point": 0.5, "interarrival_s": 80.0, "orphaned": 0.002},
        {},
    ),
    (
        "workflow.max_handoffs",
        (5, 10, 50),
        {"orphaned": 0.015, "rejected": 0.12, "flaky": 0.05, "operator_s": 7200.0},
        {"quality.min_pass_rate": 1.0},
    ),
    ("workflow.review_depth", (1, 2, 3), {"defects_per_point": 0.8, "fix_share": 1.0, "review_s": 40.0}, {}),
    (
        "quality.min_pass_rate",
        (0.7, 0.9, 1.0),
        {"flaky": 0.02, "defects_per_point": 2.0, "catch": 0.3, "interarrival_s": 150.0},
        {},
    ),
]


def utility(config: dict[str, Any], conditions: dict[str, Any]) -> float:
    return sum(_utility(config, conditions, seed) for seed in SEEDS) / len(SEEDS)


def _utility(config: dict[str, Any], conditions: dict[str, Any], seed: int) -> float:
    env = simpy.Environment()
    team = Team(env, lambda *message: None, seed, replace(Conditions(), **conditions), (), BASELINE | config)
    env.run(until=2 * HOUR_S)
    before = env.now, team.truth.at(env.now)
    env.run(until=(2 + HOURS) * HOUR_S)
    return team.truth.since(before, env.now).utility


@pytest.mark.slow
@pytest.mark.parametrize(("parameter", "values", "conditions", "rest"), ROWS)
def test_a_value_inside_beats_both_sides(parameter, values, conditions, rest):
    low, inside, high = (utility(rest | {parameter: value}, conditions) for value in values)
    assert low < inside > high


def test_no_parameter_is_left_out():
    assert {row[0] for row in ROWS} == set(BASELINE)


@pytest.mark.slow
def test_parameters_interact():
    """Where all wait for votes, more work in progress helps; where few are voted on, it does not."""
    slow_votes = {"ponder_s": 600.0, "discuss_s": 240.0, "vote_deadline_s": 1200.0, "interarrival_s": 80.0}

    def gain(frequency: str) -> float:
        config = {"consensus.frequency": frequency}
        return utility(config | {"workflow.wip_limit": 6}, slow_votes) - utility(config, slow_votes)

    assert gain("every_change") > 0.02
    assert gain("critical_changes_only") < 0.01
