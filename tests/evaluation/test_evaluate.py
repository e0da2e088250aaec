"""The whole way from a plan to its tables, on a plan for the hasty."""

import math
from dataclasses import replace
from functools import lru_cache
from io import StringIO
from itertools import pairwise

import orjson
import pytest
from rich.console import Console

from meta_orchestrator.core.adaptation.parameters import is_looser
from meta_orchestrator.drivers.evaluation.arms import BEST, STATIC, arms
from meta_orchestrator.drivers.evaluation.bandit import bandit_run
from meta_orchestrator.drivers.evaluation.clairvoyant import Search
from meta_orchestrator.drivers.evaluation.crew import Crew
from meta_orchestrator.drivers.evaluation.evaluation import Evaluation, evaluate
from meta_orchestrator.drivers.evaluation.page import evaluation_page
from meta_orchestrator.drivers.evaluation.plan import QUICK, plan_of
from meta_orchestrator.drivers.evaluation.raw import raw
from meta_orchestrator.drivers.evaluation.rows import OTHERS, POOLED, rows
from meta_orchestrator.drivers.evaluation.runs import Run, controlled, scheduled, static, together
from meta_orchestrator.drivers.evaluation.tables import tables
from meta_orchestrator.errors import SettingsError
from meta_orchestrator.policy import Policy
from meta_orchestrator.simulation.scenarios import SCENARIOS

POLICY = arms(Policy())["adaptive"]
HASTY = replace(QUICK, scenarios=("nothing_wrong", "handoff_storm"), seeds=(1, 2), hours=3, judged=2, judged_hours=8)


@lru_cache(maxsize=1)
def done() -> Evaluation:
    with Crew() as crew:
        return evaluate(HASTY, {"adaptive": POLICY}, crew)


class Impatient:
    """Looks at the bar, and presses Ctrl-C when so many jobs are done."""

    def __init__(self, jobs: int) -> None:
        self.left = jobs

    def more(self, hours: float) -> None:
        """It is all too long."""

    def done(self, hours: float) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def stopped_after(jobs: int) -> Evaluation:
    with Crew(Impatient(jobs), workers=1) as crew:
        return evaluate(replace(HASTY, hours=1), {"adaptive": POLICY}, crew)


def test_what_is_finished_when_a_person_stops_it_counts_as_it_would_have_counted():
    found = stopped_after(3)
    assert found.unfinished > 0
    assert sorted(found.runs) == [("adaptive", "nothing_wrong", 1), ("static", "nothing_wrong", 1)]
    assert books(found.runs["static", "nothing_wrong", 1]) == books(static("nothing_wrong", 1, 3, {}, "static"))
    assert [row.name for row in rows(found)] == ["nothing_wrong"]
    assert list(tables(found))


def test_what_is_stopped_before_a_pair_is_whole_compares_nothing():
    found = stopped_after(1)
    assert (found.runs, found.judged, found.plan.scenarios) == ({}, [], ())


def books(run: Run) -> list[dict[str, float]]:
    return [dict(span.totals) for span in run.hours]


def test_what_nobody_changes_goes_as_it_goes_alone():
    """A controller without anything to change has no influence: the arms share all their luck."""
    powerless = Policy.model_validate({"parameters": {}})
    assert books(controlled("handoff_storm", 3, 3, powerless, "x")) == books(static("handoff_storm", 3, 3, {}, "x"))


def test_a_run_is_repeated_exactly_by_the_timetable_of_its_configurations():
    run = next(run for (arm, _, _), run in done().runs.items() if arm == "adaptive" and len(run.applied) > 1)
    assert books(scheduled(run.scenario, run.seed, len(run.hours), run.applied)) == books(run)


def test_a_policy_that_only_recommends_is_evaluated_as_if_it_were_in_force():
    assert {one.mode for one in arms(Policy())["adaptive"].parameters.values()} == {"enforce"}
    own = Policy.model_validate({"parameters": {"workflow.wip_limit": {"mode": "enforce"}}})
    assert arms(own)["adaptive"] is own


def test_the_clairvoyant_finds_the_way_out_and_loosens_nothing():
    search = Search("handoff_storm", POLICY, 4)
    start = search.utility
    best = search.run(1)
    assert search.utility > 1.1 * start
    assert best["workflow.handoff_timeout_s"] > search.start["workflow.handoff_timeout_s"]
    unsafe = [
        name for name, one in POLICY.parameters.items() if one.safety and is_looser(one, best[name], search.start[name])
    ]
    assert not unsafe


def test_pooled_are_the_faulty_scenarios_and_the_others():
    names = [row.name for row in rows(done())]
    assert names == ["nothing_wrong", "handoff_storm"]  # one faulty scenario needs no pool
    pooled = replace(done(), plan=replace(HASTY, scenarios=("nothing_wrong", "handoff_storm", "handoff_storm")))
    assert [row.name for row in rows(pooled)][-1] == POOLED
    pooled = replace(done(), plan=replace(HASTY, scenarios=("nothing_wrong", "nothing_wrong", "handoff_storm")))
    assert [row.name for row in rows(pooled)][-1] == OTHERS


def test_a_row_is_what_the_books_say():
    row = next(row for row in rows(done()) if row.name == "handoff_storm")
    with_, without = (
        sum(run.faulty["points"] for run in done().of(arm, "handoff_storm")) for arm in ("adaptive", STATIC)
    )
    assert row.changes["velocity"].value == pytest.approx(with_ / without - 1)
    assert row.decisions == sum(one.scenario == "handoff_storm" for one in done().judged)


def test_the_share_of_the_gap_is_none_for_the_static_team_and_all_for_the_best():
    """Arms whose shares are known."""
    seeds = {seed: static("handoff_storm", seed, 5, {"workflow.handoff_timeout_s": 400}, BEST) for seed in HASTY.seeds}
    runs = {(BEST, "handoff_storm", seed): run for seed, run in seeds.items()}
    runs |= {("adaptive", "handoff_storm", seed): run for seed, run in seeds.items()}
    runs |= {key: run for key, run in done().runs.items() if key[0] == STATIC}
    plan = replace(HASTY, scenarios=("handoff_storm",))
    [row] = rows(Evaluation(plan, {"adaptive": POLICY}, runs))
    assert row.gap.value == pytest.approx(1)
    runs |= {("adaptive", *key[1:]): run for key, run in runs.items() if key[0] == STATIC}
    [row] = rows(Evaluation(plan, {"adaptive": POLICY}, runs))
    assert row.gap.value == pytest.approx(0)
    assert row.recovery_h is None


def test_the_raw_results_are_json_and_hold_every_hour():
    read = orjson.loads(orjson.dumps(raw(done())))
    assert len(read["runs"]) == len(done().runs)
    assert {len(run["hours"]) for run in read["runs"]} == {5}
    assert all(math.isfinite(hour["utility"]) for run in read["runs"] for hour in run["hours"])


def test_the_page_needs_nothing_from_elsewhere():
    page = evaluation_page(done(), tables(done()))
    assert page.count("<svg") == 2
    assert "handoff_storm" in page
    for foreign in ("<script", "src=", "@import", "<link"):
        assert foreign not in page


def test_books_of_stretches_put_together_are_those_of_the_whole():
    run = done().runs[STATIC, "handoff_storm", 1]
    assert together(run.hours)["points"] == sum(span["points"] for span in run.hours)
    assert together(run.hours).seconds == 5 * 3600


def test_a_scenario_that_is_not_there_is_told():
    with pytest.raises(SettingsError, match="must be one of nothing_wrong"):
        plan_of(True, ["nothing"], None, None)


def test_a_plan_is_what_was_asked_for():
    plan = plan_of(True, ["mixed", "mixed"], 3, 1.5)
    assert (plan.scenarios, plan.seeds, plan.hours) == (("mixed",), (1, 2, 3), 36)
    assert plan_of(False, [], None, None).scenarios == tuple(SCENARIOS)


def test_an_ablation_takes_one_part_out_and_leaves_the_rest():
    made = arms(Policy(), ablations=True)
    assert list(made) == ["adaptive", "rules", "no model", "no trials", "no limiters", "River's bandit"]
    full = made["adaptive"].model_dump()
    differing = {
        arm: {name for name, part in policy.model_dump().items() if part != full[name]} for arm, policy in made.items()
    }
    assert differing["rules"] == {"adaptation"}
    assert differing["no trials"] == {"trial", "parameters"}
    assert differing["no limiters"] == {"pace"}


def test_rivers_bandit_moves_one_parameter_at_a_time_and_loosens_nothing():
    run = bandit_run("handoff_storm", 1, 6, POLICY, "bandit")
    baseline = SCENARIOS["handoff_storm"].baseline()
    configs = [baseline, *(config for _, config in run.applied)]
    moved = [[name for name in after if after[name] != before[name]] for before, after in pairwise(configs)]
    assert moved
    assert {len(names) for names in moved} == {1}
    for name, one in POLICY.parameters.items():
        assert not (one.safety and any(is_looser(one, config[name], baseline[name]) for config in configs))


def test_all_arms_are_told_beside_one_another():
    plan = replace(HASTY, scenarios=("handoff_storm", "overload"))
    runs = {
        (arm, name, seed): static(name, seed, 5, {}, arm)
        for arm in ("static", "adaptive", "rules")
        for name in plan.scenarios
        for seed in plan.seeds
    }
    told = Console(record=True, width=200, file=StringIO())
    for one in tables(Evaluation(plan, arms(Policy()), runs)):
        told.print(one)
    text = told.export_text()
    assert "All faulty scenarios together, by arm" in text
    assert text.count("rules") == 2
