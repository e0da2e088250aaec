"""A small change is tried to and fro: when, how it flips, to which value work belongs, and how it ends."""

from datetime import datetime
from random import Random

import pytest

from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.messages.outputs import ConfigChange, Decision
from tests.adaptation.making import SUPPORTS, Project, at, decision, ready, wish
from tests.validation.test_trials import QUIET

PARAMETER = "workflow.wip_limit"
SMALL = wish(evidence={"expected_gain": 0.004, "expected_gain_sd": 0.01}, expected={"development_velocity": 0.01})
PERIOD_S, BURN_IN_S, PAIRS = 1200, 300, 6
LENGTH_S = 2 * PAIRS * PERIOD_S


def begun(project: Project | None = None) -> Project:
    """A switchback that has just gone out."""
    project = project or ready()
    project.run(3600, rows=QUIET)
    project.tick(SMALL, rows=QUIET)
    assert project.ledger.trial.periods
    return project


def work(project: Project, seconds: float, effect: float = 0.0, answers: bool = True, chance: Random | None = None):
    """The team works on: each half minute about six tasks of a minute, more (share `effect`) under the new value."""
    chance, outputs = chance or Random(7), []
    for _ in range(round(seconds / 30)):
        trial = project.ledger.trial
        if answers and trial and trial.answered_us is None:
            project.applied()
        tried = project.ledger.config[PARAMETER] == 3
        count = 6 * (1 + effect * tried)
        for _ in range(int(count) + (chance.random() < count % 1)):
            project.event("agent.task.finished", source="a", task=f"t{chance.random()}", agent="a",
                          outcome="succeeded", duration_ms=60_000.0)  # fmt: skip
        outputs += project.tick(rows=QUIET | {"busy_us": 60 + chance.random()})
    return outputs


def seconds(time: str) -> float:
    return (datetime.fromisoformat(time) - datetime.fromisoformat(at(0))).total_seconds()


def in_force_from(project: Project) -> dict[int, object]:
    """Seconds after the first of its changes → the value from then on."""
    changes = [event for event in project.said if isinstance(event.data, ConfigChange)]
    return {(it.time_us - changes[0].time_us) // 1_000_000: it.data.config[PARAMETER] for it in changes}


def test_its_timetable_is_published_and_in_each_pair_both_values_take_their_turn():
    project = begun()
    told = project.decisions[-1]
    assert (told.verdict, told.trial.design, len(told.trial.periods)) == ("changed", "switchback", 2 * PAIRS)
    values = [period["value"] for period in told.trial.periods]
    assert all({values[2 * pair], values[2 * pair + 1]} == {3, 4} for pair in range(PAIRS))
    assert values[0] == 3, "the change goes out with its decision"
    starts = [seconds(period["start"]) for period in told.trial.periods]
    assert starts == [project.now_s + PERIOD_S * place for place in range(2 * PAIRS)]
    assert seconds(told.trial.review_at) == project.now_s + LENGTH_S + BURN_IN_S
    assert project.changes[-1].review_at == told.trial.review_at


def test_the_order_is_drawn_from_the_id_of_the_change():
    orders = set()
    for minutes in range(12):
        project = ready()
        project.run(60 * minutes)
        begun(project)
        orders.add(tuple(period.tried for period in project.ledger.trial.periods))
    assert len(orders) > 6
    assert begun().decisions[-1].trial == begun().decisions[-1].trial


@pytest.mark.parametrize(
    ("evidence", "expected", "rows", "policy"),
    [
        ({"expected_gain": 0.05, "expected_gain_sd": 0.01}, {}, QUIET, {}),
        ({"expected_gain": 0.004, "expected_gain_sd": 0.05}, {}, QUIET, {}),
        ({}, {"development_velocity": 0.1}, QUIET, {}),
        ({"expected_gain": 0.004, "expected_gain_sd": 0.01}, {}, QUIET | {"handoffs_ended": 0}, {}),
        ({"expected_gain": 0.004, "expected_gain_sd": 0.01}, {}, QUIET, {"trial": {"flips_per_day": 11}}),
    ],
    ids=["much is promised", "much may be", "much is expected", "nobody shares work", "too few flips are left"],
)
def test_it_is_a_step_where(evidence, expected, rows, policy):
    project = ready(policy)
    project.run(3600, rows=rows)
    project.tick(wish(evidence=evidence, expected=expected), rows=rows)
    assert (project.decisions[-1].trial.design, project.decisions[-1].trial.periods) == ("step", None)


def test_each_flip_is_a_version_at_its_published_time_and_counts_as_no_change_of_the_hour():
    project = begun()
    timetable = project.decisions[-1].trial.periods
    flips = [output for output in work(project, LENGTH_S - PERIOD_S) if isinstance(output, ConfigChange)]
    assert {flip.kind for flip in flips} == {"trial"}
    assert [flip.version for flip in flips] == list(range(2, 2 + len(flips)))
    assert all([shift.parameter for shift in flip.changes] == [PARAMETER] for flip in flips)
    assert {flip.trial for flip in flips} == {project.changes[0].trial}
    in_force, value = in_force_from(project), None
    for place, period in enumerate(timetable[:-1]):
        value = in_force.get(place * PERIOD_S, value)
        assert value == period["value"]
    assert len(project.ledger.changes_us) == 1, "of the rate limit and the budget"
    assert len(project.ledger.flips_us) == len(flips), "their own"


def sums(project: Project, name: str) -> list[float]:
    return [period.row[INDEX[name]] for period in project.ledger.trial.periods]


def test_work_belongs_to_the_value_that_was_in_force_when_it_began_and_the_burn_in_is_left_out():
    project = begun()
    project.applied().run(PERIOD_S - 30, rows=QUIET | {"points": 0})
    finished = {"source": "a", "agent": "a", "outcome": "succeeded"}
    project.tick(rows=QUIET)
    project.applied().run(BURN_IN_S + 270, rows=QUIET)
    assert sums(project, "points")[:3] == [0, 0, 0], "the totals of a tick are not what began in it"
    second_s = BURN_IN_S + 270 + 30
    project.event("agent.task.finished", task="1", duration_ms=100_000.0, **finished)
    project.event("agent.task.finished", task="2", duration_ms=(second_s - 30) * 1e3, **finished)
    project.event("agent.task.finished", task="3", duration_ms=(second_s + 300) * 1e3, points=5, **finished)
    project.event("agent.handoff.failed", source="a", handoff="h", task="1", from_agent="a", to_agent="b",
                  cause="timeout", wait_ms=120_000.0)  # fmt: skip
    project.event("consensus.round.closed", source="a", round="r", item="i", outcome="accepted", latency_ms=50_000.0,
                  attempt=2)  # fmt: skip
    project.tick()
    assert sums(project, "points")[:3] == [5, 1, 0], "the second began while queues still showed the other value"
    assert sums(project, "handoffs_failed")[:3] == [0, 1, 0]
    assert sums(project, "rounds_repeated")[:3] == [0, 1, 0]
    assert sums(project, "seconds")[0] == PERIOD_S - BURN_IN_S


@pytest.mark.parametrize("last", [True, False], ids=["the new value is in force", "the old value is in force"])
def test_a_change_that_helps_is_kept_and_put_in_force_if_it_is_not(last):
    project = begun(ready({"trial": {"alpha": 1e-6}}))
    project.ledger.trial.periods[-1].tried, project.ledger.trial.periods[-2].tried = last, not last
    outputs = work(project, LENGTH_S + BURN_IN_S, effect=0.25)
    told = project.decisions[-1]
    assert (told.verdict, told.version) == ("kept", project.ledger.version)
    assert (told.p_better > 0.99, told.samples["ticks_during"]) == (True, PAIRS)
    assert told.measured["development_velocity"].interval[0] > 0
    kept = [output for output in outputs if isinstance(output, ConfigChange) and output.kind == "kept"]
    assert [it.version for it in kept] == ([] if last else [told.version])
    assert project.ledger.config == SUPPORTS | {PARAMETER: 3}
    assert project.ledger.watch.trial.proposal.parameter == PARAMETER


def test_what_is_clear_after_a_few_pairs_does_not_wait_for_the_review():
    project = begun()
    work(project, LENGTH_S - 2 * PERIOD_S, effect=0.5)
    assert project.decisions[-1].verdict == "kept"
    assert project.decisions[-1].e_value >= 20


def test_a_change_without_effect_goes_back():
    project = begun()
    outputs = work(project, LENGTH_S + BURN_IN_S)
    told = outputs[-1]
    assert told.verdict == "rolled_back"
    assert project.ledger.config == SUPPORTS
    rollbacks = [output for output in outputs if isinstance(output, ConfigChange) and output.kind == "rollback"]
    assert len(rollbacks) == (told.version is not None), "no version where the old value was in force"


def test_a_freeze_holds_the_flips_up_and_the_review_and_spoils_the_pairs():
    project = begun()
    work(project, 2 * PERIOD_S)
    project.order("freeze", until=at(project.now_s + LENGTH_S)).tick()
    version = project.ledger.version
    assert not any(isinstance(output, ConfigChange) for output in work(project, LENGTH_S - 60))
    assert project.ledger.version == version
    assert project.ledger.trial, "its review waits"
    work(project, 120)
    assert project.decisions[-1].verdict == "rolled_back", "one pair shows nothing"


def test_an_override_of_another_parameter_ends_it_and_puts_the_old_value_back():
    for periods in (0, 1):
        project = begun()
        work(project, periods * PERIOD_S + 300)
        before = project.ledger.config[PARAMETER]
        outputs = project.order("override", parameter="consensus.max_rounds", value=2, until=at(90_000)).tick()
        told = next(output for output in outputs if isinstance(output, Decision) and output.verdict == "aborted")
        assert told.why == "overridden"
        assert project.ledger.config == SUPPORTS | {"consensus.max_rounds": 2}
        kinds = [output.kind for output in outputs if isinstance(output, ConfigChange)]
        assert kinds == (["rollback", "override"] if before == 3 else ["override"])
        assert all(shift.from_ != shift.to for change in project.changes for shift in change.changes)


@pytest.mark.parametrize("asked", ["to_version", "change"])
def test_an_operator_who_rolls_it_back_while_the_old_value_is_in_force_ends_it(asked):
    project = begun()
    work(project, PERIOD_S + 300)
    assert project.ledger.config == SUPPORTS
    what = {"to_version": 0} if asked == "to_version" else {"change": project.ledger.trial.change}
    ended, told = project.order("rollback", **what).tick()
    assert (ended.verdict, ended.why, told.verdict) == ("aborted", "superseded", "refused")
    assert work(project, LENGTH_S) == []
    assert project.ledger.config == SUPPORTS


def test_rolling_back_something_else_does_not_end_it():
    project = begun()
    work(project, PERIOD_S + 300)
    told = decision(project.order("rollback", change="unknown").tick())
    assert told.verdict == "refused"
    assert project.ledger.trial


def test_a_flip_that_nobody_answers_is_said_again_and_then_the_trial_is_aborted():
    project = begun()
    work(project, PERIOD_S - 30)
    flip = project.tick()[0]
    assert (flip.version, flip.config[PARAMETER]) == (2, 4)
    outputs = work(project, 240, answers=False)
    assert outputs[0] == flip
    told = decision(outputs)
    assert (told.verdict, told.why) == ("aborted", "unacknowledged")
    assert "version 2 was published twice and not acknowledged within 240 s" in told.explanation
    assert project.ledger.config == SUPPORTS


def test_a_guard_takes_it_back_at_once():
    project = begun()
    project.applied()
    outputs = []
    while project.ledger.trial:
        if project.ledger.trial.answered_us is None:
            project.applied()
        tried = project.ledger.config[PARAMETER] == 3
        outputs += project.tick(rows=QUIET | {"tasks_regressed": 3 * tried})
    assert outputs[-1].explanation.startswith("quality_regression_rate went from 0 to 0.6 while workflow.wip_limit")
    assert project.now_s < 3660 + 2 * PERIOD_S


def test_ratings_of_any_of_its_versions_count():
    project = begun()
    work(project, 2.5 * PERIOD_S)
    for agent, change in enumerate(project.ledger.trial.changes):
        project.event("agent.feedback", agent=f"a{agent}", change=change, rating=-1)
    project.tick()
    assert len(project.ledger.trial.ratings) == len(project.ledger.trial.changes) >= 1


def test_it_survives_a_restart_at_every_tick():
    plain, restarted = begun(), begun()
    chances = Random(1), Random(1)
    work(plain, LENGTH_S + BURN_IN_S, 0.2, chance=chances[0])
    for _ in range(round((LENGTH_S + BURN_IN_S) / 30)):
        work(restarted, 30, 0.2, chance=chances[1])
        restarted.store_and_restore()
    assert restarted.said == plain.said
    assert restarted.decisions[-1].verdict in ("kept", "rolled_back")
