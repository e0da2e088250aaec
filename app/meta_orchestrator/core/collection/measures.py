"""The metrics of a window, before the decisions of the tick are known."""

from dataclasses import dataclass, field


@dataclass
class Measures:
    """The numbers of `MetricsSnapshot` without `config_version` and `phase`; None is "too little data"."""

    consensus_latency_p95_ms: float | None = None
    consensus_success_rate: float | None = None
    dissent_rate: float | None = None
    agent_utilization: dict[str, float | None] = field(default_factory=dict)
    handoff_failure_rate: float | None = None
    handoff_failure_causes: dict[str, int] = field(default_factory=dict)
    development_velocity: float = 0.0
    quality_regression_rate: float | None = None
    coordination_failures: int = 0
    rework_percentage: float | None = None
    manual_interventions: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    late_events: int = 0
