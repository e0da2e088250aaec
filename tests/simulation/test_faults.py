"""What befalls a team shows in its books, and time can be scaled."""

from functools import lru_cache

import pytest
import simpy

from meta_orchestrator.simulation.conditions import Conditions, Member
from meta_orchestrator.simulation.scenarios import SCENARIOS
from meta_orchestrator.simulation.team import Fault
from tests.simulation.team_runs import run, usual


def books(name, hours=12, scale=1.0, **config):
    """The books of some hours that begin one hour after the fault."""
    return _books(name, hours, scale, tuple(config.items()))


@lru_cache(maxsize=64)
def _books(name, hours, scale, config):
    env, said = simpy.Environment(), []
    publish = lambda *message: said.append((env.now, *message))  # noqa: E731
    team = SCENARIOS[name].team(env, publish, 1, fault_at_s=3600 * scale, scale=scale)
    team.apply(dict(config))
    env.run(until=2 * 3600 * scale)
    before = env.now, team.truth.at(env.now)
    env.run(until=(2 + hours) * 3600 * scale)
    return team.truth.since(before, env.now)


@pytest.mark.parametrize(
    ("scenario", "what", "at_least"),
    [
        ("over_deliberation", "worked_s.vote_per_left", 1.5),
        ("handoff_storm", "handoff_failures", 3.0),
        ("overload", "worked_s.switch", 1.4),
        ("under_review", "regressions", 1.8),
        ("load_step", "asked", 1.25),
        ("stubborn_voter", "rounds_per_left", 1.1),
        ("agent_outage", "lead_s_per_left", 2.0),
        ("no_votes", "regressions", 1.5),
    ],
)
def test_a_scenario_does_what_it_is_named_for(scenario, what, at_least):
    def value(found):
        name, _, per = what.partition("_per_")
        total = found["arrived"] + found["turned_away"] if name == "asked" else found[name]
        return total / found[per] if per else total

    assert value(books(scenario)) > at_least * value(books("nothing_wrong"))


REMEDIES: dict[str, dict[str, object]] = {
    "over_deliberation": {"consensus.frequency": "adaptive_threshold(0.3)"},
    "under_review": {"workflow.review_depth": 2},
    "blind_review": {"consensus.frequency": "adaptive_threshold(0.3)"},
    "handoff_storm": {"workflow.handoff_timeout_s": 180},
    "overload": {"workflow.wip_limit": 3},
    "load_step": {"consensus.frequency": "critical_changes_only"},
    "slow_drift": {"workflow.handoff_timeout_s": 180},
    "stubborn_voter": {"consensus.threshold.normal": 0.5},
    "agent_outage": {"consensus.frequency": "critical_changes_only"},
    "mixed": {"consensus.frequency": "adaptive_threshold(0.3)"},
    "no_votes": {"quality.min_pass_rate": 1.0},
}
"""Of each scenario in which something is wrong: one change that does good, and loosens nothing that is safety."""


@pytest.mark.parametrize(("scenario", "better"), REMEDIES.items())
def test_a_fault_has_a_remedy(scenario, better):
    assert books(scenario, **better).utility > 1.005 * books(scenario).utility


def test_where_reviewers_are_blind_more_review_does_harm():
    assert books("blind_review", **{"workflow.review_depth": 3}).utility < 0.95 * books("blind_review").utility


def test_a_scenario_is_faulty_where_there_is_a_remedy():
    assert {name for name, scenario in SCENARIOS.items() if scenario.is_faulty} == set(REMEDIES)


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - set(REMEDIES)))
@pytest.mark.parametrize("tried", REMEDIES.values(), ids=str)
def test_where_nothing_can_be_mended_no_remedy_does_much_good(name, tried):
    assert books(name, **tried).utility < 1.02 * books(name).utility


def test_a_project_without_votes_works():
    found = books("no_votes")
    assert found["points"] > 0
    assert found["rounds"] == 0


def test_before_the_fault_a_scenario_is_the_healthy_team():
    def start(name):
        env, said = simpy.Environment(), []
        SCENARIOS[name].team(env, lambda *message: said.append((env.now, *message)), 1, fault_at_s=3600)
        env.run(until=3600)
        return said

    assert start("nothing_wrong") == start("handoff_storm") == start("stubborn_voter")


def test_an_agent_that_goes_takes_nothing_new_and_one_that_comes_does():
    newcomer = Member("coder-9", "coder")
    done = run(hours=2, faults=(Fault(3600, leave=("coder-2",), join=(newcomer,)),))
    started = [(at, data["agent"]) for at, kind, data, _ in done.messages if kind == "agent.task.started"]
    assert any(at > 3700 and agent == "coder-9" for at, agent in started)
    taken = [data for at, kind, data, _ in done.messages if kind == "agent.handoff.started" and at > 3600]
    assert not any(data["to_agent"] == "coder-2" and data["from_agent"].startswith("planner") for data in taken)
    assert done.count("agent.deregistered") == 1


def test_a_scaled_team_does_the_same_in_less_time():
    small, large = books("over_deliberation", scale=0.05), books("over_deliberation")
    assert small["points"] == pytest.approx(large["points"], rel=0.02)
    assert small["lead_s"] == pytest.approx(large["lead_s"] * 0.05, rel=0.1)


def test_nothing_wrong_leaves_little_to_wish_for():
    healthy = usual()
    assert healthy["finished"] / healthy["arrived"] > 0.9
    assert healthy["handoff_failures"] / healthy["handoffs"] < 0.1
    assert healthy["interventions"] < 0.02 * healthy["arrived"]


def test_scaling_touches_durations_only():
    normal, small = Conditions(), Conditions().scaled(0.1)
    assert small.code_s == normal.code_s * 0.1
    assert small.doubt == normal.doubt
    assert small.switch_s / small.slice_s == pytest.approx(normal.switch_s / normal.slice_s)
