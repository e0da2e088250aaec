"""What can become of a change: applied, kept, taken back, rejected, unanswered."""

from meta_orchestrator.core.analysis.findings import Findings
from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.messages.outputs import ConfigChange, Decision, Drift, Escalation, EscalationCleared
from meta_orchestrator.policy import Policy
from tests.adaptation.making import ENFORCED, Project, at, change, decision, only, ready, wish

QUIET = {
    "tasks_finished": 5,
    "points": 5,
    "handoffs_ended": 10,
    "handoffs_failed": 2,
    "busy_us": 60,
    "capacity_us": 100,
}
BETTER = QUIET | {"handoffs_failed": 0, "points": 8, "busy_us": 80}
WORSE_WHILE_ON_TRIAL = QUIET | {"handoffs_failed": 3}
WORSE = QUIET | {"tasks_regressed": 4}
LONGER = wish("workflow.handoff_timeout_s", 180, metric="handoff_failure_rate", reason="handoffs time out")


def started(policy: dict[str, object] | None = None) -> Project:
    """A project with an hour of history in which a trial has just gone out."""
    project = ready(policy)
    project.run(3600, rows=QUIET)
    project.tick(LONGER, rows=QUIET)
    return project


def test_a_change_goes_out_as_a_trial_of_one_parameter_with_its_review_and_guards():
    project = ready()
    project.run(3600, rows=QUIET)
    outputs = project.tick(LONGER, rows=QUIET)
    assert [type(output) for output in outputs] == [ConfigChange, Decision]
    out, told = outputs
    assert (out.version, out.kind, out.config["workflow.handoff_timeout_s"]) == (1, "trial", 180)
    assert [(shift.parameter, shift.from_, shift.to) for shift in out.changes] == [
        ("workflow.handoff_timeout_s", 120, 180)
    ]
    assert out.review_at == told.trial.review_at == at(project.now_s + 1800)
    guards = {guard.metric: guard.worse_than for guard in out.rollback_if}
    assert guards == {"quality_regression_rate": 0.0, "handoff_failure_rate": 0.22}, (
        "10 % beyond .2; of rounds nothing is known"
    )
    assert (told.verdict, told.change, told.version) == ("changed", out.change, 1)
    assert told.proposal.id == told.trial.id == out.trial
    assert (
        told.explanation == f"workflow.handoff_timeout_s 120 → 180: handoffs time out; on trial until {out.review_at}"
    )
    assert project.phase == "trial"


def test_a_trial_that_helps_is_kept_without_a_new_version():
    project = started()
    trial = project.ledger.trial
    project.applied()
    outputs = project.run(1770, rows=BETTER)
    assert outputs == []
    outputs = project.tick(rows=BETTER)
    told = decision(outputs)
    assert (told.verdict, told.change, told.proposal.id) == ("kept", trial.change, trial.proposal.id)
    assert outputs == [told]
    assert told.p_better > 0.99
    assert told.explanation.startswith(
        "it helped: handoff_failure_rate 0.2 → 0, better with a probability of over 99%; "
    )
    measured = told.measured["handoff_failure_rate"]
    assert (measured.before, measured.after) == (0.2, 0)
    assert measured.interval[1] < -0.15
    assert told.samples == {
        "ticks_before": 120,
        "ticks_during": 56,
        "handoff_failure_rate": 560,
        "quality_regression_rate": 280,
    }
    assert told.context["tasks_finished_per_hour_during"] == 600
    assert told.context["workflow.handoff_timeout_s"] == 180
    assert (project.ledger.version, project.ledger.config["workflow.handoff_timeout_s"]) == (1, 180)
    assert project.phase == "steady"


def test_a_trial_without_effect_is_taken_back_as_a_new_version():
    project = started()
    project.applied().run(1770, rows=QUIET)
    back, told = project.tick(rows=QUIET)
    assert (back.kind, back.version, back.config["workflow.handoff_timeout_s"]) == ("rollback", 2, 120)
    assert back.trial == told.proposal.id
    assert (told.verdict, told.version, told.p_better) == ("rolled_back", 2, 0.5)
    assert "better with a probability of 50% only, 90% are needed" in told.explanation


def test_a_trial_in_which_nothing_happened_is_inconclusive_and_taken_back():
    project = started()
    project.applied().run(1770)
    told = decision(project.tick()[1:])
    assert told.verdict == "rolled_back"
    assert "nothing was measured of handoff_failure_rate" in told.explanation


def test_a_guard_that_gets_clearly_worse_takes_the_change_back_long_before_its_review():
    project = started()
    project.applied()
    while project.ledger.trial:
        outputs = project.tick(rows=WORSE)
    back, told = outputs
    assert project.now_s - 3630 - 30 < 600, "within ten minutes"
    assert (back.kind, told.verdict) == ("rollback", "rolled_back")
    assert told.explanation.startswith("quality_regression_rate went from 0 to 0.8 while workflow.handoff_timeout_s")
    assert told.measured["quality_regression_rate"].after == 0.8


def test_a_safety_rollback_passes_a_freeze_and_a_review_waits_for_its_end():
    frozen = started()
    frozen.applied().order("freeze", until=at(frozen.now_s + 7200)).tick(rows=BETTER)
    assert frozen.phase == "frozen"
    assert frozen.run(3600, rows=BETTER) == []
    assert frozen.ledger.next_deadline_us() == frozen.ledger.frozen_until_us()
    assert {output.verdict for output in frozen.run(3600, rows=BETTER)} == {"kept"}

    hurt = started()
    hurt.applied().order("freeze", until=at(hurt.now_s + 7200)).tick(rows=WORSE)
    assert [output.kind for output in hurt.run(1200, rows=WORSE) if isinstance(output, ConfigChange)] == ["rollback"]


def test_a_trial_acknowledged_only_after_a_freeze_is_tried_before_it_is_judged():
    project = started()
    outputs = project.order("freeze", until=at(project.now_s + 3600)).run(3600, rows=QUIET)
    assert outputs == [project.changes[0]], "published again"
    project.applied()
    assert project.run(1500, rows=BETTER) == [], "its review, 30 min after the change, is put off"
    assert decision(project.run(300, rows=BETTER)).verdict == "kept"


def test_a_change_without_an_answer_is_published_again_word_for_word_then_taken_back():
    project = started()
    assert project.run(90) == []
    assert project.ledger.next_deadline_us() == project.ledger.trial.acknowledge_by_us
    again = change(project.tick())
    assert again == project.changes[0]
    assert project.run(90) == []
    back, told = project.tick()
    assert (back.kind, back.version, back.config["workflow.handoff_timeout_s"]) == ("rollback", 2, 120)
    assert (told.verdict, told.why, told.measured, told.p_better) == ("aborted", "unacknowledged", None, None)
    assert "published twice and not acknowledged within 240 s" in told.explanation
    assert project.ledger.failures == {}, "nothing is learnt"


def test_two_changes_in_a_row_without_an_answer_stop_all_changes_until_the_orchestrator_is_heard():
    project = started({"pace": {"warm_up_s": 0, "cooldown_s": 0}})
    project.run(240)
    project.tick(LONGER)
    outputs = project.run(240)
    raised = only(outputs, Escalation)
    assert (raised.condition, raised.action, raised.threshold) == ("orchestrator_silent", "freeze", 2)
    assert [type(output) for output in outputs[-3:]] == [Escalation, ConfigChange, Decision], "insights come first"
    assert project.phase == "frozen"
    told = decision(project.tick(LONGER))
    assert (told.refused_by, project.ledger.version) == ("frozen", 4)
    assert "acknowledged none of the last 2 changes" in told.explanation

    cleared, changed = project.register().tick(LONGER)[:2]
    assert (type(cleared), type(changed)) == (EscalationCleared, ConfigChange)
    assert cleared.since == raised.since


def test_one_answer_between_them_keeps_two_missing_ones_from_being_in_a_row():
    project = started({"pace": {"warm_up_s": 0, "cooldown_s": 0}})
    project.run(240)
    project.register().tick(LONGER)
    project.run(240)
    assert project.ledger.unacknowledged == 1
    assert project.phase == "steady"


def test_an_event_of_the_orchestrator_that_names_the_version_acknowledges_it():
    project = started()
    project.event("agent.task.started", source="somebody else", configversion=1).tick()
    assert project.ledger.trial.applied_us is None
    project.event("agent.task.started", configversion=0).tick()
    assert project.ledger.trial.applied_us is None
    project.event("agent.task.started", configversion=1).tick()
    assert project.ledger.trial.applied_us == round((1_800_000_000 + project.now_s - 29) * 1e6)


def test_an_acknowledgement_of_something_else_is_none():
    project = started()
    trial = project.ledger.trial
    project.event("config.applied", change="other", version=trial.version)
    project.event("config.applied", change=trial.change, version=trial.version + 1).tick()
    assert trial.applied_us is None


def test_the_first_acknowledgement_counts():
    project = started()
    project.applied().tick()
    first = project.ledger.trial.applied_us
    project.applied().tick()
    assert project.ledger.trial.applied_us == first


def test_a_rejected_change_is_taken_back_at_once_and_rests_twice_as_long():
    project = started()
    trial = project.ledger.trial
    project.event("config.rejected", change=trial.change, version=1, reason="too long")
    back, told = project.tick()
    assert (back.kind, back.config["workflow.handoff_timeout_s"]) == ("rollback", 120)
    assert (told.verdict, told.why) == ("aborted", "rejected")
    assert (
        "the orchestrator rejected version 1 (too long); rejection 1 of workflow.handoff_timeout_s" in told.explanation
    )
    rest_us = project.ledger.rests_until_us["workflow.handoff_timeout_s"]
    assert rest_us == round((1_800_000_000 + project.now_s + 1200) * 1e6)


def test_the_third_rejection_makes_the_parameter_recommended_only():
    project = ready({"pace": {"warm_up_s": 0, "cooldown_s": 0}})
    for _ in range(3):
        project.tick(LONGER)
        trial = project.ledger.trial
        project.event("config.rejected", change=trial.change, version=trial.version, reason="no").tick()
    assert "from now on it is only recommended" in project.decisions[-1].explanation
    told = decision(project.tick(LONGER))
    assert told.verdict == "recommended"
    assert "rejected it 3 times" in told.explanation


def test_five_unhappy_agents_make_a_good_result_inconclusive_and_four_do_not():
    verdicts = {}
    for raters in (4, 5):
        project = started()
        project.applied()
        for agent in range(raters):
            project.event("agent.feedback", agent=f"a{agent}", change=project.ledger.trial.change, rating=-0.8)
        project.run(1770, rows=BETTER)
        verdicts[raters] = project.tick(rows=BETTER)[-1]
    assert (verdicts[4].verdict, verdicts[5].verdict) == ("kept", "rolled_back")
    assert "5 agents rated it -0.80 on average" in verdicts[5].explanation
    assert verdicts[5].p_better > 0.99, "what was measured stays true"


def test_an_agent_that_rates_often_counts_once():
    project = started()
    project.applied()
    for _ in range(10):
        project.event("agent.feedback", agent="a", change=project.ledger.trial.change, rating=-1)
    project.run(1770, rows=BETTER)
    assert decision(project.tick(rows=BETTER)).verdict == "kept"


def test_a_trial_whose_parameter_the_orchestrator_no_longer_supports_is_superseded():
    project = started()
    project.register(**{"workflow.wip_limit": 4})
    told = decision(project.tick())
    assert (told.verdict, told.why, told.change) == ("aborted", "superseded", None)
    assert project.ledger.config == {"workflow.wip_limit": 4}


def test_the_baseline_is_that_of_the_first_registration_and_values_in_force_stay():
    project = started()
    project.register(**{"workflow.handoff_timeout_s": 60, "workflow.max_rework": 3})
    project.tick()
    assert project.ledger.config == {"workflow.handoff_timeout_s": 180, "workflow.max_rework": 3}
    assert project.ledger.baseline["workflow.handoff_timeout_s"] == 120
    assert project.ledger.baseline["workflow.max_rework"] == 3


def test_without_an_orchestrator_every_parameter_is_at_its_default_and_a_trial_counts_at_once():
    project = Project(Policy.model_validate(ENFORCED), Ledger(assumed=True))
    project.run(3600, rows=QUIET)
    assert project.ledger.config["consensus.frequency"] == "every_change"
    assert len(project.ledger.config) == 12
    project.tick(LONGER, rows=QUIET)
    assert project.ledger.trial.applied_us == project.ledger.trial.started_us
    project.run(1770, rows=BETTER)
    assert decision(project.tick(rows=BETTER)).verdict == "kept"


def test_a_second_wish_of_the_same_tick_finds_the_first_one_in_flight():
    project = ready()
    outputs = project.tick(LONGER, wish())
    assert [output.refused_by for output in outputs if isinstance(output, Decision)] == [None, "in_flight"]


def test_a_trial_is_not_compared_with_what_was_under_another_configuration():
    project = ready({"pace": {"warm_up_s": 0, "cooldown_s": 0}})
    project.run(1800, rows=QUIET)
    project.tick(LONGER, rows=QUIET)
    project.applied()
    while project.ledger.trial:
        project.tick(rows=WORSE_WHILE_ON_TRIAL)
    assert project.decisions[-1].verdict == "rolled_back"
    project.run(900, rows=QUIET)
    project.tick(LONGER, rows=QUIET)
    project.applied().run(1800, rows=BETTER)
    told = project.decisions[-1]
    assert told.measured["handoff_failure_rate"].before == 0.2, "the failed trial in between is left out"
    # An hour of the old value: what lies 120 s after the end of the first trial, and before it as much as there is
    assert told.samples["ticks_before"] == (930 - 120) // 30 + (1800 + 30) // 30


def test_the_onset_of_a_fault_is_not_charged_to_the_change_that_answers_it():
    project, metric = ready(), "handoff_failure_rate"
    project.run(2700, rows=QUIET | {"handoffs_failed": 0})
    project.run(870, rows=QUIET | {"handoffs_failed": 6})
    onset = Drift(metric=metric, direction="up", before=0, after=0.6, since=at(2730), detector="d", evidence={})
    project.tick(LONGER, rows=QUIET | {"handoffs_failed": 6}, findings=Findings(drifts={metric: onset}))
    project.applied().run(1800, rows=QUIET | {"handoffs_failed": 4})
    told = project.decisions[-1]
    assert told.verdict == "kept"
    assert (told.measured[metric].before, told.samples["ticks_before"]) == (0.6, 30)
