"""Conditions: raised after long enough, cleared with a margin, and blind to what is unknown."""

import pytest

from meta_orchestrator.core.analysis.escalation import Conditions
from meta_orchestrator.core.collection.measures import Measures
from meta_orchestrator.errors import SettingsError
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.messages.outputs import Antipattern, EscalationCleared
from meta_orchestrator.policy import Policy, parse
from tests.analysis.making import us


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


def test_the_severity_of_an_antipattern_is_a_metric_too():
    watched = conditions(metric="ping_pong", threshold=0.4, for_s=0)
    found = Antipattern(kind="ping_pong", agents=["a"], since=format_time_us(0), severity=0.7, evidence={})
    assert len(watched.judge(us(0), Measures(), {"ping_pong": found})) == 1
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


def test_a_metric_that_does_not_exist_is_a_wrong_setting():
    with pytest.raises(SettingsError, match=r"policy.escalation.0.metric = 'handoff_failures': .*must be one of"):
        parse(Policy, {"escalation": [{"metric": "handoff_failures", "threshold": 0.5}]}, "policy")


def test_two_rules_on_one_threshold_are_told_apart():
    rule = {"metric": "ping_pong", "threshold": 0.5}
    policy = Policy.model_validate({"escalation": [rule, rule | {"action": "freeze"}]})
    assert list(Conditions(policy).conditions) == ["ping_pong > 0.5 for 600 s", "ping_pong > 0.5 for 600 s (freeze)"]
