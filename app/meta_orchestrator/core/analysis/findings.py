"""What the analysis room hands to the next one."""

from dataclasses import dataclass, field

from meta_orchestrator.messages.outputs import Antipattern, Drift, Escalation, EscalationCleared, Evidence, Output


@dataclass(frozen=True)
class Findings:
    """`insights` are new at this tick, in the order in which they are published; the rest is what holds now."""

    insights: list[Output] = field(default_factory=list)
    drifts: dict[str, Drift] = field(default_factory=dict)
    """Metric → its last drift within the look-back."""
    agent_drifts: dict[str, Drift] = field(default_factory=dict)
    """The same of single agents, by `subject`."""
    antipatterns: dict[str, Antipattern] = field(default_factory=dict)
    """Kind (or kind:subject where there are several) → what is active."""
    escalations: dict[str, Escalation] = field(default_factory=dict)
    """Condition → what is raised."""
    said: dict[str, str] = field(default_factory=dict)
    """Metric that drifted, or kind of an antipattern → id of the insight that said so last, perhaps long ago."""
    causes: dict[str, Evidence] = field(default_factory=dict)
    """Condition that is raised at this tick → who and what explains it; an escalation has no place to say so."""


def subject(insight: Drift | Antipattern) -> str:
    """What an insight is about: a later one about the same takes its place."""
    if isinstance(insight, Antipattern):
        return insight.kind
    return insight.metric if insight.agent is None else f"{insight.metric} {insight.agent}"


def is_raised(insight: Escalation) -> bool:
    """Rather than cleared, which has the same fields."""
    return not isinstance(insight, EscalationCleared)
