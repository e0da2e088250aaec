"""Each trouble has its symptom, told in numbers, and its remedy; where nothing is wrong nothing is wished for."""

import pytest

from meta_orchestrator.core.adaptation.adapt import wishes
from meta_orchestrator.core.adaptation.calls import Calls
from meta_orchestrator.core.adaptation.model import ResponseModel
from meta_orchestrator.core.adaptation.occupancy import Occupancy, fullest
from meta_orchestrator.core.adaptation.response import Response
from meta_orchestrator.core.adaptation.rules import main_remedies
from meta_orchestrator.core.adaptation.symptoms import symptoms_at
from meta_orchestrator.core.adaptation.weigh import remedies
from meta_orchestrator.core.analysis.findings import Findings
from meta_orchestrator.core.collection.agents import Agents
from meta_orchestrator.core.collection.measures import Measures
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.outputs import Antipattern, ConfigChange, Drift
from meta_orchestrator.policy import Policy
from tests.adaptation.making import ENFORCED, Project, at, decision, ready, us

HEALTHY = {
    "rounds_closed": 4, "rounds_decided": 4, "rounds_needless": 1, "latency_count": 4,
    "latency_log_sum": 40, "handoffs_ended": 20, "tasks_finished": 8, "points": 8, "busy_us": 60, "capacity_us": 100,
}  # fmt: skip
VOTES = HEALTHY | {"rounds_needless": 4}
SLOW = Measures(consensus_latency_p95_ms=150_000)
ROUNDS = Antipattern(kind="excessive_rounds", agents=["a"], since=at(0), severity=0.4, evidence={"rounds": 9})
REPEATED = HEALTHY | {"rounds_decided": 2, "rounds_repeated": 2}
TIMEOUTS = HEALTHY | {"handoffs_failed": 5, "handoffs_timed_out": 4}
REGRESSIONS = HEALTHY | {"tasks_regressed": 2}
OVERLOADED = HEALTHY | {"busy_us": 97, "handoffs_failed": 5}
IDLE = HEALTHY | {"busy_us": 20}
STALLED = Antipattern(kind="stalled", agents=["a"], since=at(0), severity=0.4, evidence={"tasks": 9})
WAITING = Findings(antipatterns={"stalled": STALLED})


def drift(metric: str, direction: str) -> Findings:
    found = Drift(metric=metric, direction=direction, before=1, after=2, since=at(0), detector="d", evidence={})
    return Findings(drifts={metric: found})


def seen(rows: dict[str, float], ticks: int = 60, **moment: object):
    """A project that has seen the same row for some ticks."""
    project = ready()
    project.run(30 * ticks, rows=rows)
    return project.moment(**moment)


@pytest.mark.parametrize(
    ("name", "rows", "more", "to", "sentence"),
    [
        ("slow_votes", VOTES, {"measures": SLOW}, "adaptive_threshold(0.3)", "100% of votes are on minor or normal"),
        ("slow_votes", VOTES, {"findings": Findings(antipatterns={"excessive_rounds": ROUNDS})},
         "adaptive_threshold(0.3)", "and rounds repeat"),
        ("undecided", REPEATED, {}, 0.55, "50% of votes are repeated, and only 50% come to a decision"),
        ("timeouts", TIMEOUTS, {}, 180, "25% of handoffs fail, 80% of these because they time out"),
        ("regressions", REGRESSIONS, {}, 0.95, "25.0% of tasks regress where 10% are tolerated"),
        ("slow_and_clean", HEALTHY, {"findings": drift("development_velocity", "down")}, 1,
         "only 0.0% of tasks regress"),
        ("overload", OVERLOADED, {}, 3, "agents are busy for 97% of their time, and 25% of handoffs fail"),
        ("overload", HEALTHY | {"busy_us": 97}, {"findings": drift("rework_percentage", "up")}, 3, "has risen to 2"),
        ("starvation", IDLE, {"findings": WAITING}, 5, "busy for only 20% of their time while work waits: stalled"),
    ],
)  # fmt: skip
def test_a_symptom_is_answered_by_one_step_of_its_main_remedy(name, rows, more, to, sentence):
    moment = seen(rows, **more)
    symptom = symptoms_at(moment)[name]
    assert sentence in symptom.reason
    assert symptom.certainty > 0.975
    assert symptom.samples >= symptom.needed
    assert symptom.gap > 0.1
    assert symptom.evidence
    assert symptom.expected
    assert to in [wish.to for wish in wishes(moment)]


@pytest.mark.parametrize(
    "more",
    [{}, {"measures": SLOW}, {"findings": WAITING}, {"findings": Findings(antipatterns={"excessive_rounds": ROUNDS})}],
)
def test_nothing_is_wished_for_where_nothing_is_wrong(more):
    assert symptoms_at(seen(HEALTHY, **more)) == {}
    assert symptoms_at(seen(HEALTHY, ticks=0, **more)) == {}


@pytest.mark.parametrize(
    ("name", "rows", "more"),
    [
        ("slow_votes", VOTES, {}),
        ("slow_votes", HEALTHY, {"measures": SLOW}),
        ("undecided", HEALTHY | {"rounds_decided": 2}, {}),
        ("undecided", HEALTHY | {"rounds_repeated": 2}, {}),
        ("timeouts", HEALTHY | {"handoffs_failed": 5, "handoffs_timed_out": 1}, {}),
        ("slow_and_clean", HEALTHY, {"findings": drift("development_velocity", "up")}),
        ("overload", HEALTHY | {"busy_us": 97}, {}),
        ("starvation", IDLE, {}),
    ],
)
def test_half_of_a_trouble_is_none(name, rows, more):
    assert name not in symptoms_at(seen(rows, **more))


def test_a_wish_on_thin_evidence_is_made_and_refused_by_evidence():
    project = ready()
    thin = HEALTHY | {"handoffs_ended": 4, "handoffs_failed": 2, "handoffs_timed_out": 2}
    project.tick(rows=thin)
    told = decision(project.tick(rows=thin, rules=True))
    assert (told.proposal.parameter, told.refused_by) == ("workflow.handoff_timeout_s", "evidence")
    assert "it rests on 8 values, and 10 are needed" in told.explanation


def test_sparse_data_are_looked_for_further_back_than_the_window():
    project = ready()
    for _ in range(20):
        project.tick(after_s=1200, rows={"handoffs_ended": 2, "handoffs_failed": 2, "handoffs_timed_out": 2})
    symptom = symptoms_at(project.moment())["timeouts"]
    assert symptom.samples >= 10
    assert symptom.evidence["looked_back_s"] > 3600


def test_dense_data_are_not():
    assert symptoms_at(seen(TIMEOUTS, ticks=120))["timeouts"].evidence["looked_back_s"] == 300


def test_the_time_before_the_last_change_is_another_configuration():
    project = ready()
    project.run(3600, rows=TIMEOUTS)
    project.order("override", parameter="workflow.handoff_timeout_s", value=300, until=at(90_000)).tick(rows=HEALTHY)
    project.run(900, rows=HEALTHY)
    assert "timeouts" not in symptoms_at(project.moment())


def test_a_wish_names_the_insight_that_led_to_it():
    project = ready()
    project.run(3600, rows=VOTES)
    findings = Findings(insights=[ROUNDS], antipatterns={"excessive_rounds": ROUNDS})
    outputs = project.tick(rows=VOTES, findings=findings, rules=True)
    said = next(event for event in project.said if event.data is ROUNDS)
    assert next(it for it in outputs if isinstance(it, ConfigChange)).trigger == [said.id]


def test_a_parameter_at_its_end_is_wished_for_and_refused_by_bounds():
    project = ready(None, **{"workflow.handoff_timeout_s": 900})
    project.run(900, rows=TIMEOUTS)
    told = decision(project.tick(rows=TIMEOUTS, rules=True))
    assert (told.refused_by, told.proposal.to) == ("bounds", 960)


def test_a_parameter_that_nobody_supports_is_wished_for_and_refused():
    project = Project(Policy.model_validate(ENFORCED | {"adaptation": {"chooser": "rules"}}))
    project.event("agent.heartbeat").run(900, rows=TIMEOUTS)
    told = decision(project.tick(rows=TIMEOUTS, rules=True))
    assert (told.refused_by, told.proposal.from_, told.proposal.to) == ("unsupported", None, 180)


def test_by_default_a_found_trouble_is_a_recommendation_after_the_warm_up():
    project = ready({"parameters": {}, "pace": {}})
    project.run(3600, rows=TIMEOUTS)
    told = decision(project.tick(rows=TIMEOUTS, rules=True))
    assert (told.verdict, told.proposal.to) == ("recommended", 180)
    assert project.ledger.version == 0


def test_a_parameter_on_trial_is_not_wished_for_again():
    project = ready()
    project.run(900, rows=TIMEOUTS)
    assert [it.verdict for it in project.tick(rows=TIMEOUTS, rules=True)[1:]] == ["changed"]
    project.ledger.trial.applied_us = project.ledger.trial.started_us
    assert project.tick(rows=TIMEOUTS, rules=True) == []


@pytest.mark.parametrize(
    ("reason", "name", "parameter", "to"),
    [
        ("no_agreement", "no_agreement", "consensus.max_rounds", 4),
        ("rework_exceeded", "rework", "workflow.max_rework", 4),
        ("handoff_stuck", "stuck", "workflow.max_handoffs", 25),
    ],
)
def test_what_people_are_called_for_is_answered_by_what_saves_the_call(reason, name, parameter, to):
    project = ready()
    project.run(3600, rows=HEALTHY)
    project.response = Response(ResponseModel(Policy()), calls=Calls({reason: 20.0}, 200.0))
    called = project.moment()
    assert list(symptoms_at(called)) == [name]
    assert [(wish.parameter, wish.to) for wish in main_remedies(called, symptoms_at(called))] == [(parameter, to)]
    project.response.calls.recent = {reason: 2.0}
    assert not symptoms_at(called)


@pytest.mark.parametrize(("calls", "sure"), [(3, 0.985612), (4, 0.998248), (5, 0.999828)])
def test_a_few_calls_for_people_are_many_where_hardly_any_are_tolerated(calls, sure):
    """Half a call is tolerated in fifty tasks: at least so many come by chance 1.4, .2 and .02 % of the time."""
    project = ready()
    project.response = Response(ResponseModel(Policy()), calls=Calls({"rework_exceeded": calls + 0.4}, 50.0))
    assert symptoms_at(project.moment())["rework"].certainty == pytest.approx(sure, abs=1e-6)


def occupied(*shares: float) -> Response:
    """full, full for long, busy, busy for long: those that are left out are 0."""
    return Response(ResponseModel(Policy()), occupancy=Occupancy(*shares))


@pytest.mark.parametrize(
    ("long", "usual", "names"),
    [
        (0.7, 960.0, set()),
        (1.0, 960.0, {"crowding", "overload", "slow_and_clean"}),
        (0.7, 1300.0, {"crowding", "overload", "slow_and_clean"}),
    ],
)
def test_full_desks_are_a_trouble_when_less_gets_done_or_for_hours(long, usual, names):
    project = ready()
    project.run(7200, rows=HEALTHY)  # 960 points an hour
    project.response = occupied(1.0, long, 0.97, 0.97)
    project.response.batches.usual_velocity = usual
    assert set(symptoms_at(project.moment())) == names


@pytest.mark.parametrize(("long", "too_much"), [(0.84, False), (0.95, True)])
def test_one_busy_hour_is_not_too_much_begun(long, too_much):
    project = ready()
    project.run(7200, rows=HEALTHY)
    project.response = occupied(1.0, 1.0, 0.97, long)
    assert ("overload" in symptoms_at(project.moment())) == too_much


@pytest.mark.parametrize(("full", "starved"), [(0.2, False), (0.6, True)])
def test_more_places_help_nobody_where_most_are_free(full, starved):
    project = ready()
    project.run(3600, rows=IDLE)
    project.response = occupied(full)
    assert ("starvation" in symptoms_at(project.moment(findings=WAITING))) == starved


@pytest.mark.parametrize(
    ("limit", "busy", "too_much"),
    [(4, 0.94, False), (4, 0.96, True), (6, 0.87, False), (6, 0.89, True), (3, 0.99, False), (2, 0.99, False)],
)
def test_a_step_down_costs_hardly_any_work(limit, busy, too_much):
    """With one place less they would do 6.5, 5.2, 6.1 and 5.5 % less. Who holds three has not begun too much, however
    busy."""
    project = ready(**{"workflow.wip_limit": limit})
    project.run(7200, rows=HEALTHY)
    project.response = occupied(1.0, 1.0, busy, busy)
    assert ("overload" in symptoms_at(project.moment())) == too_much


def test_how_busy_agents_are_is_never_from_before_the_limit_was_moved():
    """An hour at 40 %, then ten minutes at 80 % under another limit; how full they are goes on."""
    project, occupancy = ready(**{"workflow.wip_limit": 4}), Occupancy()
    for limit, busy, ticks in ((4, 0.4, 120), (5, 0.8, 20)):
        project.ledger.config["workflow.wip_limit"] = limit
        for _ in range(ticks):
            project.now_s += 30
            occupancy.watch(taken(project, busy, limit))
    assert occupancy.busy == pytest.approx(0.8)
    assert 0.4 < occupancy.busy_for_long < 0.7
    assert occupancy.full == 1.0


def taken(project: Project, busy: float, limit: int) -> Moment:
    """One coder who holds all it may."""
    moment = project.moment(measures=Measures(agent_utilization={"coder": busy}))
    moment.books.agents.greet("ada", moment.tick_us + 1, 0)
    moment.books.agents["ada"].agent_type, moment.books.agents["ada"].held = "coder", limit
    return moment


def test_an_agent_has_a_place_for_each_task_it_may_hold_however_many_it_works_on_at_once():
    agents = Agents()
    for name, kind, held in (("ada", "coder", 4), ("ben", "coder", 2), ("tim", "tester", 2)):
        agents.greet(name, us(60), us(0))
        agents[name].agent_type, agents[name].capacity, agents[name].held = kind, 8, held
    assert fullest(agents, 4, us(90), {}) == ("coder", 0.75)
    assert fullest(agents, None, us(90), {}) == (None, 0.0)


@pytest.mark.parametrize(
    ("held", "busy", "kind"),
    [
        ({"planner": 9, "coder": 4, "tester": 1}, {"planner": 0.2}, "coder"),  # what is planned waits for coders
        ({"planner": 4, "coder": 4, "tester": 1}, {"planner": 0.2, "coder": 0.9}, "coder"),
        ({"planner": 4, "coder": 4, "tester": 1}, {"planner": 0.9, "coder": 0.2}, "planner"),
        ({"planner": 4, "coder": 5, "tester": 1}, {"planner": 0.2, "coder": 0.9}, "coder"),  # work came back to them
        ({"planner": 9, "coder": 9, "tester": 9}, {}, None),  # there are no such places
    ],
)
def test_who_holds_more_than_the_limit_or_is_idle_waits_for_those_who_are_held_up_by_it(held, busy, kind):
    agents = Agents()
    for name, tasks in held.items():
        agents.greet(name, us(60), us(0))
        agents[name].agent_type, agents[name].held = name, tasks
    assert fullest(agents, 4, us(90), busy) == (kind, 1.0 if kind else 0.0)


def test_a_place_that_is_free_for_a_moment_makes_nobody_less_full():
    agents = Agents()
    for number in range(5):
        for name, tasks in ((f"coder-{number}", 4 - (number == 0)), (f"planner-{number}", 4)):
            agents.greet(name, us(60), us(0))
            agents[name].agent_type, agents[name].held = name.split("-")[0], tasks
    assert fullest(agents, 4, us(90), {"planner": 0.5, "coder": 0.98}) == ("coder", 0.95)


def test_of_agents_that_do_too_much_at_once_work_is_asked_for_and_not_only_handoffs():
    """That handoffs fail is the sign of it; what is lost is time."""
    busy = symptoms_at(seen(OVERLOADED))["overload"]
    assert (busy.metric, list(busy.expected)) == ("development_velocity", ["handoff_failure_rate"])
    risen = symptoms_at(seen(HEALTHY | {"busy_us": 97}, findings=drift("rework_percentage", "up")))["overload"]
    assert risen.metric == "rework_percentage"


def test_of_two_signs_of_too_much_at_once_the_clearer_one_is_told():
    """A few more handoffs than usual fail, which may be chance; that no place is free is none."""
    project = ready()
    project.run(7200, rows=HEALTHY | {"busy_us": 97, "handoffs_failed": 2.1})
    assert "of handoffs fail" in symptoms_at(project.moment())["overload"].reason
    project.response = occupied(1.0, 1.0, 0.97, 0.97)
    assert "100% of the places" in symptoms_at(project.moment())["overload"].reason


@pytest.mark.parametrize(("regressed", "clean"), [(0.1, True), (0.3, False)])
def test_care_may_be_saved_where_work_waits_and_hardly_anything_regresses(regressed, clean):
    """1.25 and 3.75 % of tasks, where 10 % are tolerated and a quarter of that is hardly anything."""
    project = ready()
    project.run(7200, rows=HEALTHY | {"tasks_regressed": regressed})
    project.response = occupied(1.0, 1.0)
    found = symptoms_at(project.moment()).get("slow_and_clean")
    assert (found is not None) is clean
    if found:
        assert found.reason == "only 1.2% of tasks regress, and work waits for agents"


def test_those_who_hold_all_they_may_and_are_idle_wait_for_others():
    project = ready()
    project.run(7200, rows=HEALTHY)
    project.response = occupied(1.0, 1.0, 0.5, 0.5)
    found = symptoms_at(project.moment())
    assert set(found) == {"crowding", "starvation", "slow_and_clean"}
    assert found["starvation"].metric == "agent_utilization", "that shows at once"


def test_where_nobody_votes_votes_are_left_alone():
    voteless = {name: 0.0 for name in HEALTHY if name.startswith(("rounds", "latency"))}
    told = {wish.parameter for wish in wishes(seen(REGRESSIONS | voteless))}
    assert told
    assert not any(parameter.startswith("consensus.") for parameter in told)
    model = ready(learns=True)
    model.run(3600, rows=REGRESSIONS | voteless)
    assert not any(
        wish.parameter.startswith("consensus.") for wish in remedies(model.moment(), symptoms_at(model.moment()))
    )
    model.run(60, rows=REGRESSIONS)
    assert any(
        wish.parameter.startswith("consensus.") for wish in remedies(model.moment(), symptoms_at(model.moment()))
    )
