"""The team's own books, by which everything is judged."""

import pytest

from meta_orchestrator.simulation.alone import work_alone
from meta_orchestrator.simulation.configuration import BASELINE
from meta_orchestrator.simulation.scenarios import SCENARIOS
from meta_orchestrator.simulation.truth import HOUR_S, Span
from tests.simulation.team_runs import run, usual

CALM = SCENARIOS["nothing_wrong"]


def test_hours_add_up_to_the_whole():
    truth = work_alone(CALM, 5 * HOUR_S).truth
    hours, whole = truth.hours(), truth.span(0, 5 * HOUR_S)
    assert [hour.seconds for hour in hours] == [HOUR_S] * 5
    for name in ("points", "handoffs", "capacity_s", "worked_s.code"):
        assert sum(hour[name] for hour in hours) == pytest.approx(whole[name])


def test_a_span_needs_a_time_at_which_books_were_kept():
    truth = work_alone(CALM, 1.5 * HOUR_S).truth
    assert truth.span(0, 1.5 * HOUR_S)["arrived"] == truth["arrived"]
    with pytest.raises(ValueError, match="600"):
        truth.span(600, HOUR_S)


def test_rates_are_of_the_teams_own_day():
    normal = work_alone(CALM, 10 * HOUR_S).truth.span(0, 10 * HOUR_S)
    small = work_alone(CALM, 0.01 * 10 * HOUR_S, scale=0.01).truth.span(0, 0.01 * 10 * HOUR_S)
    assert small.velocity == pytest.approx(normal.velocity, rel=0.05)
    assert small.utilization == pytest.approx(normal.utilization, rel=0.05)
    assert small.demand == pytest.approx(normal.demand)


def test_utilization_is_busy_time_of_the_capacity_that_is_there():
    done = usual()
    assert done.span.utilization == pytest.approx(sum(done.busy.values()) / len(done.busy), rel=0.02)
    assert 0 < done.span.productive < done.span.utilization


def test_coordination_failures_are_those_of_the_contract():
    totals = {"handoff_failures": 3, "rounds_undecided": 2, "abandoned": 1, "interventions": 9}
    assert Span(60, totals).coordination_failures == 6


@pytest.mark.parametrize(
    ("name", "worse"),
    [("points", -20), ("harm", 5), ("handoff_failures", 5), ("interventions", 5), ("worked_s.code", -600)],
)
def test_each_term_moves_the_utility(name, worse):
    totals = {"points": 80, "finished": 40, "harm": 4, "handoff_failures": 6, "interventions": 2}
    totals |= {"capacity_s": 36_000, "worked_s.code": 18_000}
    before = Span(HOUR_S, totals, demand=2000)
    after = Span(HOUR_S, totals | {name: totals[name] + worse}, demand=2000)
    assert after.utility < before.utility


def test_the_utility_of_a_known_hour():
    """Velocity 80 · 24 / 2000 = .96, quality 40 / 44, risk 40 / 48, half of the time productive."""
    totals = {"points": 80, "finished": 40, "harm": 4, "handoff_failures": 6, "interventions": 2}
    span = Span(HOUR_S, totals | {"capacity_s": 36_000, "worked_s.code": 18_000, "worked_s.vote": 9_000}, 2000)
    assert span.utility == pytest.approx(0.4 * 0.96 + 0.3 * 40 / 44 + 0.2 * 40 / 48 + 0.1 * 0.5)
    assert span.utilization == pytest.approx(0.75)


def test_a_full_backlog_takes_nothing_more_in():
    flooded = run(hours=6, interarrival_s=20.0)
    assert flooded["turned_away"] > 0.5 * (flooded["arrived"] + flooded["turned_away"])
    assert flooded.team.flow.planners.waiting <= flooded.team.world.conditions.backlog + flooded["regressions"]


def test_a_timetable_repeats_what_was_applied():
    timetable = [(HOUR_S, {"workflow.wip_limit": 2}), (3 * HOUR_S, {"workflow.review_depth": 1})]
    team = work_alone(CALM, 4 * HOUR_S, timetable=timetable)
    assert [at for at, _ in team.applied] == [HOUR_S, 3 * HOUR_S]
    assert team.config == BASELINE | {"workflow.wip_limit": 2, "workflow.review_depth": 1}
    again = work_alone(CALM, 4 * HOUR_S, timetable=team.applied)
    assert again.truth.totals == team.truth.totals


def test_runs_that_differ_later_are_the_same_until_then():
    with_change = work_alone(CALM, 6 * HOUR_S, timetable=[(3 * HOUR_S, {"workflow.review_depth": 0})]).truth
    without = work_alone(CALM, 6 * HOUR_S).truth
    assert with_change.span(0, 3 * HOUR_S) == without.span(0, 3 * HOUR_S)
    assert with_change.span(3 * HOUR_S, 6 * HOUR_S) != without.span(3 * HOUR_S, 6 * HOUR_S)
