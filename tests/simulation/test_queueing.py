"""Where theory knows the answer, the team gives it."""

import pytest

from meta_orchestrator.simulation.conditions import Member
from tests.simulation.team_runs import Run, run, usual

NO_VOTES = {"consensus.frequency": "critical_changes_only", "workflow.review_depth": 0, "workflow.wip_limit": 10}
SMOOTH = {
    "criticalities": {"minor": 1.0},
    "points": {"1": 1.0},
    "plan_s": 0,
    "test_s": 0,
    "accept_s": 0,
    "lost": 0,
    "rejected": 0,
    "missing_context": 0,
    "defects_per_point": 0,
    "flaky": 0,
    "switch_s": 0,
    "tangle": 0,
    "orphaned": 0,
    "backlog": 10**9,
}
"""Nothing but coding takes time, and nothing goes wrong."""


def test_littles_law_holds():
    done = run(hours=12)
    assert done.open == pytest.approx(done["left"] / done.seconds * done.lead_s, rel=0.05)


def test_utilization_is_arrival_rate_times_work():
    done = run(hours=30, config=NO_VOTES, interarrival_s=30, code_s=90, roster=_coders(4), **SMOOTH)
    busy = sum(share for name, share in done.busy.items() if name.startswith("coder"))
    assert busy == pytest.approx(90 / 30, rel=0.05)


@pytest.mark.parametrize("cv", [0.0, 0.5, 1.0])
def test_one_coder_waits_as_pollaczek_and_khinchine_say(cv):
    """M/G/1, first come first served: W = S + u S (1 + cv²) / (2 (1 - u)). All work in one slice, no WIP limit."""
    service_s, utilization = 60.0, 0.6
    teams = [_queue(seed, service_s, utilization, cv) for seed in (1, 2, 3)]
    expected_s = service_s + utilization * service_s * (1 + cv**2) / (2 * (1 - utilization))
    assert sum(team["left"] for team in teams) > 9_000
    assert sum(team["lead_s"] for team in teams) / sum(team["left"] for team in teams) == pytest.approx(
        expected_s, rel=0.06
    )


def _queue(seed: int, service_s: float, utilization: float, cv: float) -> Run:
    return run(
        hours=100,
        seed=seed,
        config=NO_VOTES | {"workflow.wip_limit": 10_000},
        interarrival_s=service_s / utilization,
        code_s=service_s,
        work_cv=cv,
        slice_s=1e9,
        heartbeat_s=0,
        checks=1,
        roster=_coders(1),
        **SMOOTH,
    )


def test_nobody_is_busier_than_all_the_time():
    assert all(0 <= share <= 1 + 1e-9 for share in usual().busy.values())
    worked_s = sum(total for name, total in usual().books.items() if name.startswith("worked_s."))
    assert worked_s == pytest.approx(sum(usual().busy.values()) * usual().seconds, rel=0.01)


def _coders(n: int) -> tuple[Member, ...]:
    coders = tuple(Member(f"coder-{i}", "coder") for i in range(n))
    return (Member("planner-1", "planner"), *coders, Member("tester-1", "tester"))
