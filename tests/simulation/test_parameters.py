"""Each parameter of the contract moves the truth the way it should: same seed, same luck, one parameter different."""

from functools import lru_cache
from typing import Any

import pytest

from meta_orchestrator.simulation.configuration import BASELINE
from tests.simulation.team_runs import HOUR_S, Run, run

DEBATE = {
    "doubt": {"minor": 0.48, "normal": 0.4, "major": 0.25, "critical": 0.2},
    "persuaded": 0.95,
    "discuss_s": 180.0,
}
SLOW_RECEIVERS = {"accept_s": 130.0, "accept_cv": 0.4}
DEFECTIVE = {"defects_per_point": 0.6}
MUCH_TO_DO = {"interarrival_s": 72.0, "switch_s": 6.0}


def booked(parameter: str, value: Any, what: str, conditions: dict[str, Any]) -> float:
    """A total of the books, or the mean lead time."""
    config = (parameter, value)
    done = _run(config, tuple(sorted((name, _frozen(given)) for name, given in conditions.items())))
    return done.lead_s if what == "lead_s" else done[what]


@lru_cache(maxsize=64)
def _run(config: tuple[str, Any], conditions: tuple[tuple[str, Any], ...]) -> Run:
    thawed = {name: dict(given) if isinstance(given, tuple) else given for name, given in conditions}
    return run(hours=9, config=dict([config]), **thawed)


def _frozen(given: Any) -> Any:
    return tuple(given.items()) if isinstance(given, dict) else given


@pytest.mark.parametrize(
    ("parameter", "less", "more", "what", "conditions"),
    [
        # (parameter, the value that gives less of `what`, the one that gives more of it, …, under these conditions)
        ("consensus.frequency", "critical_changes_only", "every_change", "worked_s.vote", {}),
        ("consensus.frequency", "adaptive_threshold(0.3)", "every_change", "rounds", {}),
        ("consensus.frequency", "every_change", "critical_changes_only", "points", DEBATE),
        ("consensus.frequency", "timeboxed_batches(300)", "every_change", "worked_s.vote", {}),
        ("consensus.frequency", "every_change", "timeboxed_batches(600)", "lead_s", {}),
        ("consensus.threshold.minor", 0.5, 0.9, "rounds", DEBATE),
        ("consensus.threshold.normal", 0.5, 0.9, "rounds", DEBATE),
        ("consensus.threshold.major", 0.6, 0.95, "rounds", DEBATE),
        ("consensus.threshold.critical", 0.66, 1.0, "rounds", DEBATE),
        ("consensus.threshold.normal", 0.9, 0.5, "regressions", DEFECTIVE),
        ("consensus.max_rounds", 1, 5, "rounds", DEBATE),
        ("consensus.max_rounds", 5, 1, "interventions", DEBATE),
        ("workflow.wip_limit", 2, 4, "worked_s.switch", MUCH_TO_DO),
        ("workflow.wip_limit", 1, 3, "points", MUCH_TO_DO),  # starvation below
        ("workflow.wip_limit", 7, 3, "points", MUCH_TO_DO),  # context switches above
        ("workflow.handoff_timeout_s", 300, 60, "handoff_failures", SLOW_RECEIVERS),
        ("workflow.handoff_timeout_s", 60, 300, "points", SLOW_RECEIVERS),
        ("workflow.handoff_timeout_s", 60, 900, "lead_s", {"lost": 0.1}),  # what is lost is noticed later
        ("workflow.max_rework", 4, 1, "abandoned", DEFECTIVE),
        ("workflow.max_rework", 4, 1, "interventions", DEFECTIVE),
        ("workflow.max_handoffs", 20, 5, "interventions", SLOW_RECEIVERS | {"patience_s": 1e6}),
        ("workflow.max_handoffs", 5, 20, "handoff_failures", SLOW_RECEIVERS | {"patience_s": 1e6}),
        ("workflow.review_depth", 2, 0, "regressions", {}),
        ("workflow.review_depth", 1, 3, "worked_s.review", {}),
        ("workflow.review_depth", 3, 1, "points", MUCH_TO_DO),  # reviewers become the bottleneck
        ("quality.min_pass_rate", 1.0, 0.7, "regressions", DEFECTIVE),
        ("quality.min_pass_rate", 0.7, 1.0, "reworks", DEFECTIVE),
    ],
)
def test_a_parameter_moves_the_truth(parameter, less, more, what, conditions):
    assert booked(parameter, less, what, conditions) < booked(parameter, more, what, conditions)


def test_no_parameter_of_the_contract_is_left_out():
    tried = {row[0] for mark in test_a_parameter_moves_the_truth.pytestmark for row in mark.args[1]}
    assert tried == set(BASELINE)


def test_a_change_acts_from_the_moment_it_is_applied():
    quiet = run(hours=2, seed=4)
    before = quiet.seconds + HOUR_S, quiet.team.truth.at(quiet.seconds + HOUR_S)
    quiet.team.apply({"consensus.frequency": "critical_changes_only"})
    assert quiet.team.config["workflow.wip_limit"] == BASELINE["workflow.wip_limit"]
    quiet.team.world.env.run(until=5 * HOUR_S)
    later = quiet.team.truth.since(before, 5 * HOUR_S)
    assert later["rounds"] / later["arrived"] < 0.5 < quiet["rounds"] / quiet["arrived"]
