"""What operators may order, and how each order is answered."""

import pytest

from meta_orchestrator.messages.event import Refused
from meta_orchestrator.messages.outputs import ConfigChange, Decision
from tests.adaptation.making import SUPPORTS, Project, at, change, decision, ready, wish

WIP = "workflow.wip_limit"
LONGER = wish("workflow.handoff_timeout_s", 180, metric="handoff_failure_rate")
RECOMMENDING = {"parameters": {}}


def overridden(project: Project, value: object, for_s: float, parameter: str = WIP) -> list[object]:
    project.order("override", parameter=parameter, value=value, until=at(project.now_s + for_s))
    return project.tick()


# ---- freeze


def test_a_freeze_refuses_wishes_and_shows_in_the_phase():
    project = ready()
    assert project.order("freeze", until=at(3600)).tick() == []
    assert project.phase == "frozen"
    assert decision(project.tick(wish())).refused_by == "frozen"


def test_a_freeze_with_a_time_in_the_past_unfreezes():
    project = ready()
    project.order("freeze", until=at(3600)).tick()
    project.order("freeze", until=at(0)).tick(wish())
    assert project.phase == "trial"


def test_a_freeze_ends_by_itself():
    project = ready()
    project.order("freeze", until=at(600)).tick()
    project.tick(after_s=510)
    assert project.phase == "frozen"
    project.tick()
    assert project.phase == "steady"


# ---- override and its expiry


def test_an_override_is_in_force_at_once_even_under_a_freeze_and_pins():
    project = ready()
    project.order("freeze", until=at(3600)).tick()
    out, told = overridden(project, 7, 600)
    assert (out.kind, out.version, out.config[WIP]) == ("override", 1, 7)
    assert (told.verdict, told.proposal.from_, told.proposal.to, told.change) == ("changed", 4, 7, out.change)
    assert told.explanation.startswith("workflow.wip_limit = 7: eve overrides it until 2027-")
    project.order("freeze", until=at(0)).tick()
    assert decision(project.tick(wish())).refused_by == "pinned"


def test_the_value_before_the_first_override_comes_back():
    project = ready()
    overridden(project, 7, 300)
    overridden(project, 9, 600)
    project.tick(after_s=540)
    out, told = project.tick()
    assert (out.kind, out.version, out.config[WIP]) == ("expiry", 3, 4)
    assert told.explanation == "the override by eve ended: workflow.wip_limit is 4 again"
    assert project.ledger.overrides == {}
    assert project.ledger.next_deadline_us() is None


def test_overrides_that_end_together_come_back_in_one_version():
    project = ready()
    project.order("override", parameter=WIP, value=7, until=at(600))
    project.order("override", parameter="consensus.max_rounds", value=5, until=at(600)).tick()
    out = change(project.tick(after_s=600)[:1])
    assert [(shift.parameter, shift.to) for shift in out.changes] == [("consensus.max_rounds", 3), (WIP, 4)]
    assert project.decisions[-1].proposal.parameter is None
    assert project.ledger.version == 3


def test_an_expiry_waits_for_a_freeze_to_end():
    project = ready()
    overridden(project, 7, 300)
    project.order("freeze", until=at(1800)).tick()
    assert project.run(900) == []
    assert project.ledger.next_deadline_us() == project.ledger.frozen_until_us()
    assert change(project.run(900)[:1]).kind == "expiry"


@pytest.mark.parametrize(
    ("parameter", "value", "refused_by", "sentence"),
    [
        (WIP, 11, "bounds", "11 is outside 1 to 10"),
        (WIP, "many", "bounds", "many is not a whole number"),
        ("consensus.frequency", "never", "bounds", "never is none of every_change"),
        ("workflow.max_rework", 2, "unsupported", "no orchestrator has said"),
        ("their.own", 2, "unsupported", "the policy does not describe it"),
    ],
)
def test_an_override_that_cannot_be_is_refused_with_the_reason(parameter, value, refused_by, sentence):
    project = ready(None, **SUPPORTS, **{"their.own": 1})
    told = decision(overridden(project, value, 600, parameter))
    assert (told.verdict, told.refused_by) == ("refused", refused_by)
    assert sentence in told.explanation
    assert (project.ledger.version, project.ledger.overrides) == (0, {})


def test_an_override_whose_end_has_passed_changes_nothing():
    project = ready()
    assert decision(overridden(project, 7, -10)).refused_by == "evidence"
    assert project.ledger.version == 0


def test_a_whole_number_written_as_a_fraction_is_a_whole_number():
    project = ready()
    assert repr(change(overridden(project, 7.0, 600)[:1]).config[WIP]) == "7"
    assert repr(project.ledger.config[WIP]) == "7"


def test_an_override_of_another_parameter_ends_the_trial_and_puts_its_value_back_first():
    project = ready()
    project.tick(LONGER)
    back, aborted, out, told = overridden(project, 7, 600)
    assert (back.kind, back.version, back.config["workflow.handoff_timeout_s"]) == ("rollback", 2, 120)
    assert (aborted.verdict, aborted.why, aborted.change) == ("aborted", "overridden", back.change)
    assert (out.kind, out.version, told.verdict) == ("override", 3, "changed")
    assert project.ledger.trial is None


def test_an_override_of_the_parameter_on_trial_replaces_its_value_and_later_gives_back_the_settled_one():
    project = ready()
    project.tick(wish())
    aborted, out, told = overridden(project, 7, 600)
    assert (aborted.verdict, aborted.why, aborted.version) == ("aborted", "overridden", None)
    assert (out.version, out.config[WIP], told.verdict) == (2, 7, "changed")
    project.tick(after_s=600)
    assert project.ledger.config[WIP] == 4, "3 was never settled"


def test_an_expiry_during_a_trial_of_something_else_ends_the_trial():
    project = ready()
    overridden(project, 7, 300)
    project.tick(LONGER)
    aborted, out, _ = project.tick(after_s=300)
    assert (aborted.verdict, aborted.why) == ("aborted", "superseded")
    assert (out.kind, out.config) == ("expiry", SUPPORTS)


# ---- rollback


def test_a_rollback_to_a_version_restores_its_whole_configuration():
    project = ready()
    overridden(project, 7, 100_000)
    overridden(project, 5, 100_000, "consensus.max_rounds")
    overridden(project, 9, 100_000)
    out, told = project.order("rollback", to_version=1).tick()
    assert (out.kind, out.version) == ("rollback", 4)
    assert (out.config[WIP], out.config["consensus.max_rounds"]) == (7, 3)
    assert told.explanation.startswith(
        'eve rolls back everything since version 1: "because"; consensus.max_rounds = 3, '
    )
    assert project.ledger.overrides == {}, "what it moves is no longer pinned"


def test_a_rollback_to_version_0_is_the_baseline_under_a_freeze_too():
    project = ready()
    overridden(project, 7, 100_000)
    project.order("freeze", until=at(100_000)).order("rollback", to_version=0).tick()
    assert project.ledger.config == SUPPORTS
    assert project.changes[-1].kind == "rollback"


def test_a_rollback_of_a_change_undoes_it_and_only_it():
    project = ready()
    first = change(overridden(project, 7, 100_000)[:1])
    overridden(project, 5, 100_000, "consensus.max_rounds")
    out = change(project.order("rollback", change=first.change).tick()[:1])
    assert (out.config[WIP], out.config["consensus.max_rounds"]) == (4, 5)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"to_version": 2}, "its configuration is in force now, as version 2"),
        ({"to_version": 99}, "version 99 is not remembered; 2 is in force"),
        ({"change": "unheard of"}, "no such change is remembered"),
    ],
)
def test_a_rollback_of_what_is_not_there_is_refused(data, sentence):
    project = ready()
    overridden(project, 7, 100_000)
    overridden(project, 8, 100_000)
    told = decision(project.order("rollback", **data).tick())
    assert (told.refused_by, project.ledger.version) == ("evidence", 2)
    assert told.explanation.endswith(f", but {sentence}")


def test_a_rollback_of_a_change_whose_value_is_no_longer_in_force_is_refused():
    project = ready()
    first = change(overridden(project, 7, 100_000)[:1])
    overridden(project, 8, 100_000)
    told = decision(project.order("rollback", change=first.change).tick())
    assert told.refused_by == "evidence"
    assert "its value of workflow.wip_limit is no longer in force" in told.explanation


def test_a_rollback_of_the_change_on_trial_ends_the_trial():
    project = ready()
    trial = change(project.tick(LONGER)[:1])
    aborted, out, told = project.order("rollback", change=trial.change).tick()
    assert (aborted.verdict, aborted.why) == ("aborted", "superseded")
    assert (out.kind, out.config["workflow.handoff_timeout_s"], told.verdict) == ("rollback", 120, "changed")


def test_a_rollback_of_something_else_puts_the_trial_back_with_it():
    project = ready()
    first = change(overridden(project, 7, 100_000)[:1])
    project.tick(LONGER)
    out = change(project.order("rollback", change=first.change).tick()[1:2])
    assert (out.config[WIP], out.config["workflow.handoff_timeout_s"]) == (4, 120)
    assert project.ledger.trial is None


def test_five_hundred_versions_can_be_gone_back_to_and_the_baseline_always():
    project = ready()
    for value in range(600):
        overridden(project, 1 + value % 9, 100_000)
    assert project.ledger.config_at(101)[WIP] == 1 + 100 % 9
    assert project.ledger.config_at(99) is None
    assert project.ledger.config_at(0) == SUPPORTS
    assert len(project.ledger.past) == 500


# ---- approve and decline


def recommended(project: Project) -> Decision:
    return decision(project.tick(wish()))


def test_a_recommendation_waits_and_its_approval_is_a_trial_under_the_same_id():
    project = ready(RECOMMENDING)
    told = recommended(project)
    assert (told.verdict, told.expires_at) == ("recommended", at(project.now_s + 86_400))
    assert "since the policy only recommends changes of it" in told.explanation
    out, changed = project.order("approve", proposal=told.proposal.id).tick()
    assert (out.kind, out.version, out.config[WIP], out.trial) == ("trial", 1, 3, told.proposal.id)
    assert (changed.verdict, changed.proposal.id) == ("changed", told.proposal.id)


def test_while_a_proposal_waits_the_same_wish_is_refused_by_mode():
    project = ready(RECOMMENDING)
    recommended(project)
    told = decision(project.tick(wish()))
    assert (told.verdict, told.refused_by) == ("refused", "mode")
    assert "already waits for approval" in told.explanation


def test_what_would_not_go_out_is_not_laid_before_the_owner():
    project = ready(RECOMMENDING)
    told = decision(project.tick(wish(gap=0.01)))
    assert (told.verdict, told.refused_by) == ("refused", "mode")
    assert "not now: it is only 1.0% from its target" in told.explanation


def test_a_proposal_is_gone_after_a_day_and_may_be_made_again():
    project = ready(RECOMMENDING)
    told = recommended(project)
    assert project.ledger.next_deadline_us() is not None
    project.tick(after_s=86_400)
    answer = decision(project.order("approve", proposal=told.proposal.id).tick())
    assert (answer.verdict, answer.refused_by, answer.proposal.id) == ("refused", "evidence", told.proposal.id)
    assert recommended(project).verdict == "recommended"


def test_a_proposal_is_gone_when_the_value_it_starts_from_has_moved():
    project = ready(RECOMMENDING)
    told = recommended(project)
    overridden(project, 7, 60)
    project.tick(after_s=60)
    assert project.ledger.config[WIP] == 4
    assert decision(project.order("approve", proposal=told.proposal.id).tick()).refused_by == "evidence"


def test_an_approval_under_a_freeze_is_refused_and_the_proposal_waits_on():
    project = ready(RECOMMENDING)
    told = recommended(project)
    project.order("freeze", until=at(600)).tick()
    assert decision(project.order("approve", proposal=told.proposal.id).tick()).refused_by == "frozen"
    project.tick(after_s=600)
    assert project.order("approve", proposal=told.proposal.id).tick()[1].verdict == "changed"


def test_an_approval_takes_the_place_of_a_running_trial():
    project = ready({"parameters": {"mode": "enforce", WIP: {"mode": "recommend"}}})
    told = recommended(project)
    project.tick(LONGER)
    outputs = project.order("approve", proposal=told.proposal.id).tick()
    assert [(it.kind, it.version) for it in outputs if isinstance(it, ConfigChange)] == [("rollback", 2), ("trial", 3)]
    assert [it.why for it in outputs if isinstance(it, Decision)] == ["superseded", None]
    assert project.ledger.config["workflow.handoff_timeout_s"] == 120


def test_a_declined_proposal_is_gone_and_its_parameter_rests_for_a_day():
    project = ready(RECOMMENDING)
    told = recommended(project)
    answer = decision(project.order("decline", proposal=told.proposal.id, reason="not now").tick())
    assert (answer.verdict, answer.refused_by) == ("refused", "operator_command")
    assert answer.explanation == 'eve declined workflow.wip_limit = 3: "not now"; it rests for 86400 s'
    assert "it rests until" in decision(project.tick(wish())).explanation
    project.tick(after_s=86_400)
    assert recommended(project).verdict == "recommended"


def test_an_answer_to_nothing_is_refused_by_its_name():
    told = decision(ready().order("decline", proposal="unheard of").tick())
    assert (told.refused_by, told.proposal.id) == ("evidence", "unheard of")
    assert told.explanation == "eve would decline a proposal that does not wait (any more)"


# ---- commands sent again


def test_a_command_acts_once_in_24_hours_where_that_is_asked_for():
    project = ready()
    project.once = True
    command = {"name": "c1", "parameter": WIP, "value": 7, "until": at(100)}
    assert len(project.order("override", **command).tick()) == 2
    replayed = project.order("override", **command).tick()
    assert [(type(it), it.reason) for it in replayed] == [(Refused, "replayed")]
    project.store_and_restore()
    assert [type(it) for it in project.order("override", **command).tick()][:1] == [Refused]
    project.tick(after_s=86_400)
    assert decision(project.order("override", **command).tick()).refused_by == "evidence", "it acts, and is too old"


def test_in_a_file_the_same_command_may_act_again():
    project = ready()
    command = {"name": "c1", "parameter": WIP, "value": 7, "until": at(1000)}
    project.order("override", **command).tick()
    assert len(project.order("override", **command).tick()) == 2


# ---- refusals are not repeated


def test_the_same_refusal_is_written_once_an_hour_and_another_one_at_once():
    project = ready()
    project.order("freeze", until=at(7200)).tick()
    assert len(project.tick(wish())) == 1
    assert [it for _ in range(118) for it in project.tick(wish())] == []
    assert [it.refused_by for it in project.tick(wish()) + project.tick(wish())] == ["frozen"]
    project.order("freeze", until=at(0)).tick()
    assert decision(project.tick(wish(to=0))).refused_by == "bounds"


def test_what_an_operator_rolled_back_is_left_alone_for_a_day():
    project = ready()
    first = change(overridden(project, 7, 100_000)[:1])
    project.order("rollback", change=first.change).tick()
    told = decision(project.tick(wish(WIP, 3)))
    assert (told.verdict, told.refused_by) == ("refused", "cooldown")
