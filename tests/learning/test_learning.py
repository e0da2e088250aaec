"""What a verdict teaches, and the way back to the baseline."""

from meta_orchestrator.core.analysis.findings import Findings
from meta_orchestrator.messages.outputs import ConfigChange, Decision, Escalation
from tests.adaptation.making import SUPPORTS, TICK_S, Project, at, change, decision, ready, us, wish
from tests.validation.test_trials import BETTER, QUIET

TIMEOUT = "workflow.handoff_timeout_s"
CALM = {"pace": {"warm_up_s": 0, "changes_per_hour": 100, "budget_per_day": 100}}


def trial(project: Project, rows: dict[str, float]) -> int:
    """One trial of one more step; returns for how many seconds the parameter rests afterwards."""
    project.run(3600, rows=QUIET)
    project.tick(wish(TIMEOUT, project.ledger.config[TIMEOUT] + 60, metric="handoff_failure_rate"), rows=QUIET)
    project.applied().run(1800, rows=rows)
    assert project.ledger.trial is None
    return round((project.ledger.rests_until_us[TIMEOUT] - us(project.now_s)) / 1e6)


def test_each_failure_doubles_the_rest_up_to_eight_times_and_a_success_ends_the_row():
    project = ready(CALM)
    rests = []
    for rows in (QUIET, QUIET, QUIET, QUIET, BETTER, QUIET):
        rests.append(trial(project, rows))
        project.tick(after_s=5400)
    assert rests == [1200, 2400, 4800, 4800, 600, 1200]
    assert project.ledger.lessons == {TIMEOUT: {"rolled_back": 5, "kept": 1}}


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
