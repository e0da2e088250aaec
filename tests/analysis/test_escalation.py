"""Conditions: raised after long enough, cleared with a margin, and blind to what is unknown."""

import pytest

from meta_orchestrator.core.analysis.escalation import Conditions
from meta_orchestrator.core.collection.measures import Measures
from meta_orchestrator.core.loop import Loop
from meta_orchestrator.errors import SettingsError
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.messages.outputs import (
    Antipattern,
    ConfigChange,
    Escalation,
    EscalationCleared,
    MetricsSnapshot,
)
from meta_orchestrator.policy import ANTIPATTERNS, Policy, parse
from tests.analysis.making import Room, event, us


def conditions(**rule: object) -> Conditions:
    given = {"metric": "handoff_failure_rate", "threshold": 0.5, "for_s": 60} | rule
    return Conditions(Policy.model_validate({"escalation": [given]}))


def judged(watched: Conditions, *values: float | None, metric: str = "handoff_failure_rate") -> list[str]:
    """What is said at ticks of 30 s: `+` raised, `-` cleared, `.` nothing."""
    said = ""
    for n, value in enumerate(values):
        changes = watched.judge(us(30 * n), Measures(**{metric: value}), {})
        assert len(changes) <= 1
        said += "." if not changes else "-" if isinstance(changes[0], EscalationCleared) else "+"
    return list(said)


def test_it_is_raised_when_the_value_has_been_beyond_for_long_enough():
    assert judged(conditions(), 0.6, 0.6, 0.6, 0.6) == list("..+.")
    assert judged(conditions(for_s=0), 0.6) == ["+"]


def test_a_good_value_in_between_begins_the_time_anew():
    assert judged(conditions(), 0.6, 0.6, 0.5, 0.6, 0.6, 0.6) == list(".....+")


def test_an_unknown_value_raises_nothing_clears_nothing_and_forgets_nothing():
    assert judged(conditions(), 0.6, None, None, None, 0.6, None, 0.1) == list("....+.-")


def test_it_is_cleared_only_well_on_the_good_side():
    assert judged(conditions(for_s=0, clear_margin=0.1), 0.6, 0.49, 0.46, 0.45, 0.6) == list("+..-+")


def test_below_is_the_other_way_round():
    watched = conditions(metric="consensus_success_rate", threshold=0.3, below=True, for_s=0)
    assert judged(watched, 0.31, 0.29, 0.31, 0.33, metric="consensus_success_rate") == list(".+.-")


def test_it_says_what_was_wrong_since_when_and_what_follows():
    watched = conditions(action="freeze")
    [raised] = [
        change for n in range(3) for change in watched.judge(us(30 * n), Measures(handoff_failure_rate=0.9), {})
    ]
    assert (raised.condition, raised.metric) == ("handoff_failure_rate > 0.5 for 60 s", "handoff_failure_rate")
    assert (raised.threshold, raised.since, raised.action) == (0.5, format_time_us(0), "freeze")
    assert watched.raised == {raised.condition: raised}


@pytest.mark.parametrize("kind", ANTIPATTERNS)
def test_the_severity_of_any_antipattern_is_a_metric_too(kind):
    watched = conditions(metric=kind, threshold=0.4, for_s=0)
    found = Antipattern(kind=kind, agents=["a"], since=format_time_us(0), severity=0.7, evidence={})
    assert len(watched.judge(us(0), Measures(), {kind: found})) == 1
    [cleared] = watched.judge(us(30), Measures(), {})
    assert isinstance(cleared, EscalationCleared)


def test_of_a_metric_by_key_the_worst_counts_or_the_one_that_is_named():
    measures = Measures(agent_utilization={"builder": 0.95, "tester": 0.1, "idle": None})
    high = {"threshold": 0.9, "for_s": 0}
    assert len(conditions(metric="agent_utilization", **high).judge(us(0), measures, {})) == 1
    assert len(conditions(metric="agent_utilization.builder", **high).judge(us(0), measures, {})) == 1
    assert conditions(metric="agent_utilization.tester", **high).judge(us(0), measures, {}) == []
    assert conditions(metric="agent_utilization.idle", **high).judge(us(0), measures, {}) == []
    low = {"threshold": 0.2, "for_s": 0, "below": True}
    assert len(conditions(metric="agent_utilization", **low).judge(us(0), measures, {})) == 1


def test_what_a_counter_does_not_name_has_not_happened():
    watched = conditions(metric="handoff_failure_causes.timeout", threshold=3, for_s=0)
    failing, quiet = Measures(handoff_failure_causes={"timeout": 5, "error": 1}), Measures()
    assert [len(watched.judge(us(30 * n), it, {})) for n, it in enumerate((quiet, failing, quiet))] == [0, 1, 1]
    silent = conditions(metric="counts.agent.heartbeat", threshold=1, below=True, for_s=0)
    assert len(silent.judge(us(0), Measures(counts={"agent.task.started": 1}), {})) == 1


def test_a_condition_close_to_the_best_value_can_be_cleared():
    watched = conditions(metric="consensus_success_rate", threshold=0.95, below=True, for_s=0)
    assert judged(watched, 0.9, 0.96, 0.98, metric="consensus_success_rate") == list("+.-")


def test_a_team_that_stands_still_is_looked_at_once_more_when_that_has_lasted_long_enough():
    watched = conditions(metric="development_velocity", threshold=1, below=True, for_s=600)
    watched.judge(us(30), Measures(development_velocity=0), {})
    assert watched.next_look_us == us(630)
    assert len(watched.judge(us(630), Measures(development_velocity=0), {})) == 1
    assert watched.next_look_us is None
    unknown = conditions(for_s=60)
    unknown.judge(us(30), Measures(handoff_failure_rate=0.9), {})
    unknown.judge(us(90), Measures(), {})
    assert unknown.next_look_us is None, "what is unknown by then is not asked for again and again"


def test_a_metric_that_does_not_exist_is_a_wrong_setting():
    with pytest.raises(SettingsError, match=r"policy.escalation.0.metric = 'handoff_failures': .*must be one of"):
        parse(Policy, {"escalation": [{"metric": "handoff_failures", "threshold": 0.5}]}, "policy")


def test_two_rules_on_one_threshold_are_told_apart():
    rule = {"metric": "ping_pong", "threshold": 0.5}
    policy = Policy.model_validate({"escalation": [rule, rule | {"action": "freeze"}]})
    assert list(Conditions(policy).conditions) == ["ping_pong > 0.5 for 600 s", "ping_pong > 0.5 for 600 s (freeze)"]


# ---- in force, from events to what follows ---------------------------------------------------------------------------


def failing_team(action: str) -> tuple[Loop, list[CloudEvent]]:
    """Ten minutes in which every handoff is rejected, then half an hour in which none is."""
    rule = {"metric": "handoff_failure_rate", "threshold": 0.5, "for_s": 60, "action": action}
    loop, said = Loop(Policy.model_validate({"escalation": [rule]})), []
    supports = {"workflow.max_rework": 3}
    loop.observe("team", event(1, "orchestrator.registered", orchestrator="o", supports=supports), 0)
    for tick in range(1, 80):
        for n in range(5):
            who = {"handoff": f"{tick}.{n}", "task": f"{tick}.{n}", "from_agent": "a", "to_agent": "b"}
            failed = "agent.handoff.failed", {"cause": "rejected"}
            kind, more = failed if tick <= 20 else ("agent.handoff.completed", {"wait_ms": 1})
            loop.observe("team", event(30 * tick - 20 + n, kind, **who, **more), us(30 * tick - 20))
        if tick == 2:
            loop.projects["team"].ledger.config |= {"workflow.max_rework": 5}
        said += [it for it in loop.decide(us(30 * tick)) if isinstance(it, CloudEvent)]
    return loop, said


def times(said: list[CloudEvent], kind: type) -> list[float]:
    return [it.time_us / 1e6 for it in said if type(it.data) is kind]


def phases(said: list[CloudEvent], phase: str) -> list[float]:
    return [it.time_us / 1e6 for it in said if isinstance(it.data, MetricsSnapshot) and it.data.phase == phase]


def test_notify_says_it_and_changes_nothing():
    _, said = failing_team("notify")
    [begin], [end] = times(said, Escalation), times(said, EscalationCleared)
    assert 60 <= begin <= 150
    assert 600 < end <= 900
    assert times(said, ConfigChange) == phases(said, "frozen") == []


def test_freeze_holds_while_it_is_raised():
    _, said = failing_team("freeze")
    [begin], [end] = times(said, Escalation), times(said, EscalationCleared)
    assert phases(said, "frozen") == [float(second) for second in range(int(begin), int(end), 30)]


def test_require_approval_holds_while_it_is_raised():
    loop, said = failing_team("require_approval")
    assert loop.projects["team"].ledger.approvals == [], "it is over"
    early = Loop(loop.policy)
    early.observe("team", event(1, "agent.heartbeat", agent="a", utilization=0.5), 0)
    early.decide(us(30))
    condition = next(iter(early.projects["team"].minds.conditions.conditions.values()))
    condition.raised = next(it.data for it in said if type(it.data) is Escalation)
    early.decide(us(60))
    assert early.projects["team"].ledger.approvals == [condition.name]


def test_reset_to_baseline_puts_back_what_was_changed_and_names_the_escalation():
    loop, said = failing_team("reset_to_baseline")
    [raised] = [it for it in said if type(it.data) is Escalation]
    [change] = [it for it in said if isinstance(it.data, ConfigChange)]
    assert change.time_us == raised.time_us
    assert (change.data.kind, change.data.config, change.data.trigger) == (
        "reset",
        {"workflow.max_rework": 3},
        [raised.id],
    )
    assert loop.projects["team"].ledger.config == {"workflow.max_rework": 3}


def test_who_explains_an_escalation_is_handed_on():
    room, high = Room(), Measures(handoff_failure_rate=0.9)
    found = [room.tick(measures=high).causes for _ in range(25)]
    assert [list(causes) for causes in found if causes] == [["handoff_failure_rate > 0.5 for 600 s"]]
