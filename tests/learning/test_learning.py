"""What a verdict teaches, and the way back to the baseline."""

from meta_orchestrator.core.adaptation.belief import Gain
from meta_orchestrator.core.analysis.findings import Findings
from meta_orchestrator.core.learning.learn import learn
from meta_orchestrator.core.validation.conclude import Verdict
from meta_orchestrator.messages.outputs import ConfigChange, Decision, Escalation
from tests.adaptation.making import SUPPORTS, TICK_S, Project, at, change, decision, ready, us, wish
from tests.validation.test_trials import BETTER, QUIET

TIMEOUT = "workflow.handoff_timeout_s"
CALM = {
    "pace": {"warm_up_s": 0, "changes_per_hour": 100, "budget_per_day": 100},
    "reset": {"ramp_s": 0},
}


def trial(project: Project, rows: dict[str, float]) -> int:
    """One trial of one more step; returns for how many seconds the parameter rests afterwards."""
    project.run(3600, rows=QUIET)
    project.tick(wish(TIMEOUT, project.ledger.config[TIMEOUT] + 60, metric="handoff_failure_rate"), rows=QUIET)
    project.applied().run(1800, rows=rows)
    assert project.ledger.trial is None
    return round((project.ledger.rests_until_us[TIMEOUT] - us(project.now_s)) / 1e6)


def test_each_failure_doubles_the_rest_and_a_success_ends_the_row():
    project = ready(CALM)
    rests = []
    for rows in (QUIET, QUIET, QUIET, QUIET, BETTER, QUIET):
        rests.append(trial(project, rows))
        project.tick(after_s=rests[-1] + 600)
    assert rests == [1200, 2400, 4800, 9600, 600, 1200]


def test_a_step_back_that_failed_rests_longer_and_the_way_on_is_open():
    project = ready(CALM)
    project.ledger.turns[TIMEOUT] = (f"{TIMEOUT} -", 0)
    trial(project, QUIET)
    left_us = project.ledger.rests_until_us[f"{TIMEOUT} +"] - us(project.now_s)
    assert left_us == 2 * project.policy.pace.reverse_s * 1e6
    assert f"{TIMEOUT} -" not in project.ledger.rests_until_us


def test_what_fails_again_and_again_rests_for_a_week_at_the_most():
    project = ready(CALM)
    project.ledger.failures[TIMEOUT] = 40
    assert trial(project, QUIET) == 604_800, "as long as anything is remembered"


def escalation(action: str, condition: str = "slow") -> Escalation:
    return Escalation(condition=condition, metric="m", threshold=1, since=at(0), action=action)


def raised(action: str, new: bool = True) -> Findings:
    found = escalation(action)
    return Findings(insights=[found] if new else [], escalations={"slow": found})


def moved(project: Project) -> Project:
    """A project away from its baseline in two parameters, one of them pinned."""
    project.order("override", parameter="workflow.wip_limit", value=7, until=at(60)).tick()
    project.tick(wish("consensus.max_rounds", 2))
    project.ledger.trial = None
    project.order("override", parameter=TIMEOUT, value=300, until=at(90_000)).tick()
    return project


def test_an_escalation_puts_back_the_baseline_once_but_not_what_an_operator_pinned():
    project = moved(ready(CALM))
    out, told = project.tick(findings=raised("reset_to_baseline"))[1:]
    assert (out.kind, out.config) == ("reset", SUPPORTS | {TIMEOUT: 300})
    assert (told.verdict, told.change) == ("changed", out.change)
    assert told.explanation == "slow asks for the baseline: consensus.max_rounds = 3"
    assert project.tick(findings=raised("reset_to_baseline", new=False)) == []
    assert decision(project.tick(wish("consensus.max_rounds", 2))).refused_by == "cooldown"


def test_a_reset_ends_the_trial_with_one_version():
    project = ready(CALM)
    project.tick(wish("consensus.max_rounds", 2))
    outputs = project.tick(findings=raised("reset_to_baseline"))[1:]
    assert [type(output) for output in outputs] == [Decision, ConfigChange, Decision]
    assert (outputs[0].why, outputs[1].config) == ("superseded", SUPPORTS)
    assert project.ledger.trial is None


def test_a_reset_under_a_freeze_is_refused():
    project = moved(ready(CALM))
    project.order("freeze", until=at(90_000)).tick()
    told = decision(project.tick(findings=raised("reset_to_baseline")))
    assert (told.verdict, told.refused_by) == ("refused", "frozen")


def test_there_is_nothing_to_reset_at_the_baseline():
    project = ready(CALM)
    assert [type(output) for output in project.tick(findings=raised("reset_to_baseline"))] == [Escalation]


def test_an_escalation_freezes_while_it_is_raised_and_for_a_day_at_the_most():
    project = ready(CALM)
    project.tick(findings=raised("freeze"))
    assert project.phase == "frozen"
    assert decision(project.tick(wish(), findings=raised("freeze", new=False))).refused_by == "frozen"
    project.tick(after_s=86_400 - 2 * TICK_S, findings=raised("freeze", new=False))
    assert project.phase == "frozen"
    project.tick(findings=raised("freeze", new=False))
    assert project.phase == "steady"
    project.tick()
    project.tick(findings=raised("freeze"))
    assert project.phase == "frozen", "raised anew"
    project.tick()
    assert project.phase == "steady", "cleared"


def test_an_operator_lifts_what_an_escalation_froze():
    project = ready(CALM)
    project.tick(findings=raised("freeze"))
    project.order("freeze", until=at(0)).tick(findings=raised("freeze", new=False))
    project.tick(findings=raised("freeze", new=False))
    assert project.phase == "steady"


def test_an_escalation_may_ask_for_approval_of_every_change():
    project = ready(CALM)
    told = decision(project.tick(wish(), findings=raised("require_approval", new=False)))
    assert told.verdict == "recommended"
    assert "the escalation slow asks for approval" in told.explanation
    assert change(project.tick(wish("consensus.max_rounds", 2))[:1]).kind == "trial"


WEEKLY = {"pace": CALM["pace"] | {"reverse_s": 0}, "reset": {"every_s": 7200, "ramp_s": 3600}}


def test_the_scheduled_reset_comes_when_it_is_due_and_after_what_is_on_trial():
    project = ready(WEEKLY)
    project.order("override", parameter=TIMEOUT, value=300, until=at(60)).tick()
    project.run(6900)
    project.tick(wish("consensus.max_rounds", 2)).clear()
    project.applied().run(300)
    assert project.ledger.config["consensus.max_rounds"] == 2
    assert project.ledger.reset_us is None, "the trial is judged first"
    project.run(1800)
    assert project.ledger.trial is None
    assert project.ledger.config == SUPPORTS
    assert project.ledger.reset_us is not None


def test_a_scheduled_reset_is_a_version_with_its_reason():
    project = ready(WEEKLY)
    project.tick(wish("consensus.max_rounds", 2))
    project.ledger.trial = None
    out = change(project.run(7200))
    assert (out.kind, out.config) == ("reset", SUPPORTS)
    assert "scheduled" in out.reason
    assert not project.run(3600), "the next one is due after as long again, and there is nothing to reset"


def test_after_a_reset_the_rate_limit_grows_back():
    project = ready({"pace": CALM["pace"] | {"changes_per_hour": 4, "cooldown_s": 0}, "reset": {"ramp_s": 14_400}})
    project.order("override", parameter=TIMEOUT, value=300, until=at(90_000)).tick()
    project.order("rollback", to_version=0).tick()
    verdicts = []
    for _ in range(2):
        verdicts.append(decision(project.tick(wish("consensus.max_rounds", 2))[-1:]))
        project.ledger.trial = None
        project.ledger.config["consensus.max_rounds"] = 3
    assert [it.verdict for it in verdicts] == ["changed", "refused"]
    assert (verdicts[1].refused_by, "so soon after the reset" in verdicts[1].explanation) == ("rate_limit", True)
    project.tick(after_s=14_400)
    for _ in range(4):
        assert decision(project.tick(wish("consensus.max_rounds", 2))[-1:]).verdict == "changed"
        project.ledger.trial = None
        project.ledger.config["consensus.max_rounds"] = 3


def test_what_was_kept_is_not_soon_reversed_but_may_go_further():
    project = ready({"pace": CALM["pace"] | {"reverse_s": 7200}, "trial": {"watch_s": 0}})
    project.run(3600, rows=QUIET)
    project.tick(wish(TIMEOUT, 180, metric="handoff_failure_rate"), rows=QUIET)
    project.applied().run(2700, rows=BETTER)
    assert project.decisions[-1].verdict == "kept"
    told = decision(project.tick(wish(TIMEOUT, 120)))
    assert told.refused_by == "cooldown"
    assert "it would reverse what was kept" in told.explanation
    assert change(project.tick(wish(TIMEOUT, 240))[:1]).kind == "trial"


def kept_at(project: Project, *values: int) -> list[float]:
    """The hours for which the way back of each kept value of a parameter rests."""
    hours = []
    for value in values:
        project.tick(wish(TIMEOUT, value))
        trial = project.ledger.trial
        project.ledger.trial = None
        learn(project.moment(), Verdict(TIMEOUT, "kept", trial=trial))
        project.ledger.rests_until_us.pop(TIMEOUT, None)
        [(way, until_us)] = project.ledger.rests_until_us.items()
        hours.append(round((until_us - us(project.now_s)) / 3.6e9, 1))
        del project.ledger.rests_until_us[way]
    return hours


def test_the_way_back_rests_twice_as_long_each_time_a_parameter_is_turned_round():
    """So within a year of constant conditions a parameter turns round a few dozen times at the most."""
    project = ready({"pace": CALM["pace"] | {"reverse_s": 7200}, "trial": {"watch_s": 0}})
    assert kept_at(project, 180, 240, 180, 240, 300, 240) == [2, 2, 4, 8, 8, 16]
    assert kept_at(project, *[300, 240] * 5)[-5:] == [168] * 5, "a week: as long as anything is remembered"


def learning(**policy: object) -> Project:
    return ready(CALM | policy, learns=True)


BUSY = QUIET | {"tasks_finished": 8, "points": 8, "tasks_worked": 8, "tasks_regressed": 4}
CLEAN = BUSY | {"tasks_regressed": 0}
CALLED = BUSY | {"interventions": 16}


def gain(project: Project) -> Gain:
    model = project.response.model
    sick = {"timeouts": 1.0}
    move = model.features(SUPPORTS | {TIMEOUT: 180}, sick) - model.features(SUPPORTS, sick)
    return model.gain(move)


def believed(project: Project) -> float:
    return gain(project).mean


def tried(project: Project, rows: dict[str, float]) -> float:
    """One trial with these rows while it lasts; returns what was believed of it before."""
    project.run(7200, rows=BUSY)
    before = gain(project)
    evidence = {"symptom_timeouts": 1.0, "expected_gain": before.mean, "expected_gain_sd": before.sd}
    project.tick(wish(TIMEOUT, 180, metric="development_velocity", evidence=evidence), rows=BUSY)
    project.applied()
    for _ in range(120):
        project.tick(rows=rows if project.ledger.trial else BUSY)
    assert project.ledger.trial is None
    return before.mean


def test_a_trial_teaches_the_model_and_leaves_a_lesson():
    for rows, sign in ((CLEAN, +1), (CALLED, -1)):
        project = learning()
        before = tried(project, rows)
        assert sign * (believed(project) - before) > 0.003
        lesson = project.ledger.learnt[-1]
        assert (lesson.parameter, lesson.from_, lesson.to, lesson.symptoms) == (TIMEOUT, 120, 180, {"timeouts": 1.0})
        assert sign * lesson.gain > 0


def test_a_model_that_is_lost_is_taught_from_the_lessons():
    project = learning()
    tried(project, CLEAN)
    knew = believed(project)
    project.response = type(project.response).load(project.policy, None)
    lost = believed(project)
    project.tick(rows=BUSY)
    taught = believed(project)
    assert lost < taught
    assert abs(taught - knew) < abs(lost - knew) / 2


def test_a_guard_teaches_harm_that_the_objective_does_not_show():
    project = learning()
    before = tried(project, BUSY | {"handoffs_failed": BUSY["handoffs_ended"]})
    assert project.decisions[-1].verdict == "rolled_back"
    assert believed(project) < before - 0.01
    assert project.ledger.learnt[-1].gain < 0
