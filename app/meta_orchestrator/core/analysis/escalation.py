"""Conditions of the policy: something has been beyond a threshold for too long, and people (or a freeze) must step in.

Only said here; the decision room acts on what is raised. Unknown is not good and not bad: it raises nothing and
clears nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meta_orchestrator.core.collection.measures import Measures
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import Antipattern, Escalation, EscalationCleared
from meta_orchestrator.policy import ANTIPATTERNS, Policy
from meta_orchestrator.policy import Escalation as Rule

MOST = dict.fromkeys(("consensus_success_rate", "dissent_rate", "handoff_failure_rate", "agent_utilization"), 1.0) | {
    "quality_regression_rate": 1.0,
    "rework_percentage": 100.0,
}
"""The greatest value of a metric: a condition below .95 must be able to be cleared."""
COUNTERS = ("handoff_failure_causes", "counts")


@dataclass
class Condition:
    """One rule of the policy and how long it has been met."""

    name: str
    rule: Rule
    beyond_us: int | None = None
    """Since when the value has been beyond the threshold."""
    raised: Escalation | None = None

    def judge(self, tick_us: int, value: float | None) -> Escalation | None:
        """Raised or cleared at this tick by the metric's value."""
        if value is None:
            return None
        return self._clear(value) if self.raised else self._raise(tick_us, value)

    @property
    def due_us(self) -> int | None:
        """When it is raised if it goes on like this; None if it is raised, or not met."""
        if self.raised or self.beyond_us is None:
            return None
        return self.beyond_us + round(self.rule.for_s * SECOND)

    def _raise(self, tick_us: int, value: float) -> Escalation | None:
        rule = self.rule
        if not (value < rule.threshold if rule.below else value > rule.threshold):
            self.beyond_us = None
            return None
        self.beyond_us = tick_us if self.beyond_us is None else self.beyond_us
        if tick_us - self.beyond_us < rule.for_s * SECOND:
            return None
        self.raised = Escalation(
            condition=self.name,
            metric=rule.metric,
            threshold=rule.threshold,
            since=format_time_us(self.beyond_us),
            action=rule.action,
        )
        return self.raised

    def _clear(self, value: float) -> Escalation | None:
        """Hysteresis: only well on the good side, where there is so much room."""
        rule, margin = self.rule, abs(self.rule.threshold) * self.rule.clear_margin
        most = MOST.get(rule.metric.partition(".")[0])
        if rule.below and most is not None and rule.threshold < most:
            margin = min(margin, (most - rule.threshold) / 2)
        good = value >= rule.threshold + margin if rule.below else value <= rule.threshold - margin
        if not (good and self.raised):
            return None
        over = EscalationCleared.model_validate(self.raised.model_dump())
        self.beyond_us = self.raised = None
        return over


class Conditions:
    """All rules of the policy, each by a name that says it: `handoff_failure_rate > 0.5 for 600 s`."""

    def __init__(self, policy: Policy) -> None:
        self.conditions: dict[str, Condition] = {}
        self.judged_us = 0
        for rule in policy.escalation:
            name = f"{rule.metric} {'<' if rule.below else '>'} {rule.threshold:g} for {rule.for_s:g} s"
            if name in self.conditions:
                name += f" ({rule.action})"
            self.conditions[name] = Condition(name, rule)

    def judge(self, tick_us: int, measures: Measures, antipatterns: Mapping[str, Antipattern]) -> list[Escalation]:
        """What is raised or cleared at this tick."""
        self.judged_us = tick_us
        judged = [
            condition.judge(tick_us, value_of(condition.rule, measures, antipatterns))
            for condition in self.conditions.values()
        ]
        return [change for change in judged if change]

    @property
    def raised(self) -> dict[str, Escalation]:
        return {name: condition.raised for name, condition in self.conditions.items() if condition.raised}

    @property
    def next_look_us(self) -> int | None:
        """When a condition will have been met for long enough, even if nothing more is heard of the project."""
        due = [us for it in self.conditions.values() if (us := it.due_us) is not None and us > self.judged_us]
        return min(due, default=None)

    def dump(self) -> dict[str, Any]:
        states = {
            name: [condition.beyond_us, condition.raised.model_dump(mode="json") if condition.raised else None]
            for name, condition in self.conditions.items()
        }
        return {"judged_us": self.judged_us, "states": states}

    def load(self, dumped: dict[str, Any]) -> None:
        self.judged_us = dumped["judged_us"]
        for name, (beyond_us, raised) in dumped["states"].items():
            self.conditions[name].beyond_us = beyond_us
            self.conditions[name].raised = Escalation.model_validate(raised) if raised else None


def value_of(rule: Rule, measures: Measures, antipatterns: Mapping[str, Antipattern]) -> float | None:
    """The metric of a rule now: a measure, `measure.key` (the worst of all without a key), or a severity.

    What a counter does not name has not happened; the utilization of a type that is not there is unknown.
    """
    if rule.metric in ANTIPATTERNS:
        found = [finding.severity for finding in antipatterns.values() if finding.kind == rule.metric]
        return max(found, default=0.0)
    name, _, key = rule.metric.partition(".")
    value: Any = getattr(measures, name)
    if not isinstance(value, dict):
        return None if value is None else float(value)
    if name in COUNTERS and key not in value:
        return float(max(value.values(), default=0)) if key == "" else 0.0
    known = [float(v) for k, v in value.items() if v is not None and key in ("", k)]
    return (min(known) if rule.below else max(known)) if known else None
