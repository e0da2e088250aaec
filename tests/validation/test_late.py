"""A change that was kept is watched for a day: harm that shows only later is taken back."""

import pytest

from meta_orchestrator.core.analysis.findings import Findings
from meta_orchestrator.core.validation import late
from meta_orchestrator.messages.outputs import ConfigChange, Drift
from tests.adaptation.making import Project, at, us, wish
from tests.validation.test_trials import BETTER, QUIET, started

PARAMETER = "workflow.handoff_timeout_s"
ESCAPED = BETTER | {"tasks_regressed": 2}
"""As good as it was on trial, but for the defects that are now met."""


def kept() -> Project:
    project = started()
    project.applied().run(1800, rows=BETTER)
    assert project.decisions[-1].verdict == "kept"
    return project


def ends(project: Project) -> list[str]:
    return [told.verdict for told in project.decisions if told.verdict in ("kept", "rolled_back")]


def test_harm_that_shows_hours_after_the_verdict_takes_the_change_back():
    project = kept()
    project.run(3 * 3600, rows=BETTER)
    back, told = project.run(1.5 * 3600, rows=ESCAPED)
    assert (back.kind, back.version, back.config[PARAMETER]) == ("rollback", 2, 120)
    assert (told.verdict, told.version) == ("rolled_back", 2)
    assert told.proposal.id == back.trial == project.decisions[-2].proposal.id, "about the same proposal"
    assert told.explanation.startswith("quality_regression_rate went from 0 to ")
    hours = told.explanation.partition(f"since {PARAMETER} = 180 was kept ")[2].split(" h ago")[0]
    assert 3 < float(hours) < 4.5, "1.5 hours after its onset at the latest"
    assert told.measured["quality_regression_rate"].before == 0
    assert project.ledger.failures == {PARAMETER: 1}, "and it is learnt"
    assert project.ledger.watch is None


def test_the_watch_survives_a_restart_at_every_tick():
    plain, restarted = kept(), kept()
    for project in (plain, restarted):
        for _ in range(400):
            project.tick(rows=ESCAPED)
            if project is restarted:
                project.store_and_restore()
    assert ends(plain) == ["kept", "rolled_back"]
    assert restarted.said == plain.said


def test_after_a_day_the_watch_is_over():
    project = kept()
    project.run(86_400, rows=BETTER)
    project.run(6 * 3600, rows=ESCAPED)
    assert ends(project) == ["kept"]


def test_what_stays_good_stays():
    project = kept()
    assert project.run(86_400, rows=BETTER) == []
    assert project.ledger.watch is None


def test_a_later_version_of_something_else_ends_the_watch():
    project = kept()
    project.order("override", parameter="workflow.wip_limit", value=7, until=at(90_000)).tick(rows=BETTER)
    project.run(6 * 3600, rows=ESCAPED)
    assert ends(project) == ["kept"], "the other change would explain it as well"


def test_a_drift_of_something_else_explains_the_harm():
    project = kept()
    busier = Drift(metric="agent_utilization", direction="up", before=0.6, after=0.9, since=at(project.now_s + 600),
                   detector="d", evidence={})  # fmt: skip
    project.run(900, rows=BETTER)
    project.tick(rows=ESCAPED, findings=Findings(drifts={"agent_utilization": busier}))
    project.run(6 * 3600, rows=ESCAPED)
    assert ends(project) == ["kept"]


def test_a_late_rollback_passes_a_freeze_and_nothing_else_goes_out_with_it():
    project = kept()
    project.order("freeze", until=at(project.now_s + 36_000)).tick(rows=BETTER)
    outputs = project.run(3 * 3600, rows=ESCAPED)
    assert [output.kind for output in outputs if isinstance(output, ConfigChange)] == ["rollback"]


def test_the_tick_of_a_late_rollback_refuses_every_wish():
    project = kept()
    outputs = []
    while not any(isinstance(output, ConfigChange) for output in outputs):
        outputs = project.tick(wish(samples=0, needed=20), rows=ESCAPED)
    assert {told.refused_by for told in project.decisions[:-1]} == {None, "evidence"}
    assert outputs[-1].refused_by == "safety_rollback"
    assert "a change was taken back for safety just now" in outputs[-1].explanation


def test_while_another_change_is_on_trial_the_watch_waits():
    project = kept()
    project.run(3600, rows=BETTER)
    project.tick(wish("consensus.max_rounds", 2, metric="consensus_success_rate"), rows=BETTER)
    project.applied().run(1740, rows=BETTER)
    assert project.ledger.watch.trial.proposal.parameter == PARAMETER
    assert project.ledger.watch.until_us == us(project.now_s) + (86_400 - 3600 - 1770) * 1_000_000


def test_a_change_that_was_taken_back_is_not_watched():
    project = started()
    project.applied().run(1800, rows=QUIET)
    assert project.decisions[-1].verdict == "rolled_back"
    assert project.ledger.watch is None


def test_the_watch_looks_once_a_window():
    project, looks = kept(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(late, "late_harm", lambda *given: looks.append(given))
        project.run(3600, rows=BETTER)
    assert len(looks) == 12
