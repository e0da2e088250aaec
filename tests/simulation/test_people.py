"""Tangles and deadlocks, operators, feedback, liars, faults that creep in."""

from collections import Counter
from functools import lru_cache

import pytest
import simpy

from meta_orchestrator.simulation.scenarios import SCENARIOS
from meta_orchestrator.simulation.team import Fault
from tests.simulation.team_runs import HOUR_S, Run, run

TANGLED = {"tangle": 0.08, "interarrival_s": 75.0}


@lru_cache(maxsize=1)
def tangled() -> Run:
    return run(hours=12, config={"workflow.wip_limit": 8}, **TANGLED)


def test_a_change_waits_for_another_one_and_says_for_whom():
    waits = [
        data for _, kind, data, _ in tangled().messages if kind == "agent.task.blocked" and "waiting_for_tasks" in data
    ]
    assert len(waits) > 20
    assert all(len(data["waiting_for"]) == len(data["waiting_for_tasks"]) == 1 for data in waits)
    assert all(data["agent"] not in data["waiting_for"] for data in waits)


def test_an_operator_cuts_every_deadlock_once():
    done = tangled()
    cut = [data for _, kind, data, _ in done.messages if kind == "operator.intervened" and data["reason"] == "deadlock"]
    assert len(cut) == done.team.truth["deadlocks"] > 2
    assert all(data["kind"] == "unblock" for data in cut)
    assert len({data["task"] for data in cut}) == len(cut)


def test_more_work_in_progress_means_more_deadlocks():
    """Who holds one task at a time cannot begin a second one that waits for the first of somebody else."""
    assert run(hours=12, config={"workflow.wip_limit": 1}, **TANGLED)["deadlocks"] < tangled()["deadlocks"]


def test_without_tangles_nobody_waits_for_a_task():
    assert not any("waiting_for_tasks" in data for _, _, data, _ in run(tangle=0.0).messages)


def test_a_task_without_context_fails_until_an_operator_explains_it():
    done = run(hours=6, orphaned=0.1, missing_context=0.0, rejected=0.0, lost=0.0)
    failed = Counter(data["task"] for _, kind, data, _ in done.messages if kind == "agent.handoff.failed")
    explained = {data["task"] for _, kind, data, _ in done.messages if kind == "operator.intervened"}
    finished = {data["task"] for _, kind, data, _ in done.messages if kind == "agent.task.finished"}
    without_context = {task for task in finished if failed[task] >= 15}
    assert len(without_context) > 5
    assert without_context <= explained


def rated(parameter: str, **conditions) -> dict[str, float]:
    """Agent → what it says about a change."""
    done = run(hours=2, rates=1.0, **conditions)
    done.team.hear_of("c1", [parameter])
    done.team.world.env.run(until=6 * HOUR_S)
    return {data["agent"]: data["rating"] for _, kind, data, _ in done.messages if kind == "agent.feedback"}


def test_agents_rate_a_change_once_each_and_not_all_alike():
    ratings = rated("workflow.wip_limit")
    assert len(ratings) == 11
    assert len(set(ratings.values())) > 5
    assert all(-1 <= rating <= 1 for rating in ratings.values())


def test_what_is_disliked_is_rated_badly_and_liars_hate_everything():
    assert sum(rated("workflow.wip_limit", dislikes={"workflow.wip_limit": -0.8}).values()) / 11 < -0.6
    assert rated("workflow.wip_limit", dislikes={"workflow.wip_limit": 0.9}, liars=("coder-3",))["coder-3"] == -1


def test_a_liar_deceives_the_listeners_and_not_the_books():
    def team(name: str):
        env, said = simpy.Environment(), []
        made = SCENARIOS[name].team(env, lambda *message: said.append(message), 1, fault_at_s=HOUR_S)
        env.run(until=8 * HOUR_S)
        return dict(made.truth.totals), said  # work that a forgotten team leaves off is booked when Python forgets it

    (honest, told), (deceived, lies) = team("nothing_wrong"), team("hostile")
    assert honest == deceived
    honestly = set(map(repr, told))
    made_up = [message for message in lies if repr(message) not in honestly]
    assert {source for _, _, source in made_up} == {"coder-3"}
    assert {kind for kind, _, _ in made_up} >= {
        "agent.task.finished",
        "agent.quality.checked",
        "agent.handoff.failed",
        "agent.heartbeat",
        "agent.rework.requested",
    }
    assert any(data.get("agent") not in (None, "coder-3") for _, data, _ in made_up)


def test_a_creeping_fault_has_no_step():
    fault = Fault(
        HOUR_S, {"accept_s": 135.0, "doubt": dict.fromkeys(("minor", "normal", "major", "critical"), 0.5)}, 4 * HOUR_S
    )
    env = simpy.Environment()
    team = run(hours=0.5, faults=(fault,)).team
    env, seen = team.world.env, []
    for hour in (2, 3, 4, 5, 6):
        env.run(until=hour * HOUR_S + 1)
        seen.append(team.world.conditions)
    assert [conditions.accept_s for conditions in seen] == pytest.approx([45, 75, 105, 135, 135])
    assert seen[1].doubt["minor"] == pytest.approx(0.3)


def test_the_changing_team_changes():
    env = simpy.Environment()
    team = SCENARIOS["changing_team"].team(env, lambda *message: None, 1, fault_at_s=HOUR_S)
    env.run(until=30 * HOUR_S)
    there = {agent.name for agent in team.agents if agent.present}
    assert there >= {"coder-6", "coder-7", "reviewer-4", "tester-3"}
    assert not there & {"coder-2", "coder-3", "reviewer-2", "tester-1"}
    assert team.truth.capacity.level == 11
