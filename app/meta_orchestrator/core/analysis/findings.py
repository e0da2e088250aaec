"""What the analysis room hands to the next one."""

from dataclasses import dataclass, field

from meta_orchestrator.messages.outputs import Antipattern, Drift, Escalation, Output


@dataclass(frozen=True)
class Findings:
    """`insights` are new at this tick, in the order in which they are published; the rest is what holds now."""

    insights: list[Output] = field(default_factory=list)
    drifts: dict[str, Drift] = field(default_factory=dict)
    """Metric → its last drift within the look-back."""
    antipatterns: dict[str, Antipattern] = field(default_factory=dict)
    """Kind (or kind:subject where there are several) → what is active."""
    escalations: dict[str, Escalation] = field(default_factory=dict)
    """Condition → what is raised."""
