"""What the meta-orchestrator publishes (CONTRACT §4): frozen models; `None` is null where the contract says so, else
left out.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from meta_orchestrator.messages.fields import Fraction, Time, Value, optional, six_digits

Kind = Literal["trial", "kept", "rollback", "override", "expiry", "reset"]
Verdict = Literal["changed", "recommended", "refused", "kept", "rolled_back", "aborted"]
RefusedBy = Literal[
    "operator_command",
    "safety_rollback",
    "pinned",
    "frozen",
    "unsupported",
    "bounds",
    "mode",
    "warming_up",
    "evidence",
    "in_flight",
    "rate_limit",
    "cooldown",
    "deadband",
    "budget",
]
AntipatternKind = Literal[
    "handoff_cycle",
    "ping_pong",
    "thrashing",
    "deadlock",
    "excessive_rework",
    "excessive_rounds",
    "persistent_dissent",
    "bottleneck",
    "stalled",
]
Phase = Literal["observing", "steady", "trial", "frozen"]
Action = Literal["notify", "require_approval", "freeze", "reset_to_baseline"]
Evidence = dict[str, Annotated[int | float | str | None, AfterValidator(six_digits)]]


class Output(BaseModel):
    """`data` of one record that we write; `type` and `topic` belong to the class."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    type: ClassVar[str]
    topic: ClassVar[str]
    once_a_tick: ClassVar[bool] = False
    """There is one of a project and tick at the most: its place is its name, so that it can be named in advance."""


class Shift(BaseModel):
    """One parameter's move. `from` is a word of Python, hence the alias."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)
    parameter: str
    from_: Annotated[Value, AfterValidator(six_digits)] = Field(alias="from")
    to: Annotated[Value, AfterValidator(six_digits)]


class Guard(BaseModel):
    model_config = ConfigDict(frozen=True)
    metric: str
    worse_than: Fraction


class ConfigChange(Output):
    """The whole configuration after a change; a subscriber applies it iff its version is above its own."""

    type: ClassVar[str] = "config.change"
    topic: ClassVar[str] = "config-changes"
    change: str
    version: int
    kind: Kind
    changes: list[Shift]
    config: dict[str, Annotated[Value, AfterValidator(six_digits)]]
    reason: str
    trigger: list[str]
    expected: dict[str, Fraction]
    review_at: Time | None = optional()
    rollback_if: list[Guard] | None = optional()
    trial: str | None = optional()


class Proposal(BaseModel):
    """What was wished. Its id is the trial's id in every decision about it."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)
    id: str
    parameter: str | None
    from_: Annotated[Value | None, AfterValidator(six_digits)] = Field(alias="from")
    to: Annotated[Value | None, AfterValidator(six_digits)]


class Trial(BaseModel):
    model_config = ConfigDict(frozen=True)
    id: str
    design: Literal["step", "switchback"]
    periods: list[dict[str, Any]] | None = optional()
    review_at: Time


class Measured(BaseModel):
    """A metric before and during a trial; `interval` is that of the difference (after - before)."""

    model_config = ConfigDict(frozen=True)
    before: Fraction | None
    after: Fraction | None
    interval: tuple[Fraction, Fraction] | None


class Decision(Output):
    """One decision and why, the refused ones too."""

    type: ClassVar[str] = "decision"
    topic: ClassVar[str] = "decisions"
    decision: str
    verdict: Verdict
    proposal: Proposal
    change: str | None = optional()
    version: int | None = optional()
    explanation: str
    evidence: Evidence
    trial: Trial | None = optional()
    expires_at: Time | None = optional()
    refused_by: RefusedBy | None = optional()
    measured: dict[str, Measured] | None = optional()
    p_better: Fraction | None = optional()
    e_value: Fraction | None = optional()
    samples: dict[str, int] | None = optional()
    why: Literal["unacknowledged", "rejected", "overridden", "superseded"] | None = optional()
    context: Evidence | None = optional()
    expected: dict[str, Fraction] | None = optional()


class Drift(Output):
    type: ClassVar[str] = "drift.detected"
    topic: ClassVar[str] = "insights"
    metric: str
    agent: str | None = optional()
    direction: Literal["up", "down"]
    before: Fraction
    after: Fraction
    since: Time
    detector: str
    evidence: Evidence


class Antipattern(Output):
    """Found. `antipattern.cleared` has the same fields."""

    type: ClassVar[str] = "antipattern.detected"
    topic: ClassVar[str] = "insights"
    kind: AntipatternKind
    agents: list[str]
    tasks: list[str] | None = optional()
    since: Time
    severity: Fraction = Field(ge=0, le=1)
    evidence: Evidence


class AntipatternCleared(Antipattern):
    type: ClassVar[str] = "antipattern.cleared"


class Escalation(Output):
    """Raised. `escalation.cleared` has the same fields."""

    type: ClassVar[str] = "escalation.raised"
    topic: ClassVar[str] = "insights"
    condition: str
    metric: str
    threshold: Fraction
    since: Time
    action: Action


class EscalationCleared(Escalation):
    type: ClassVar[str] = "escalation.cleared"


class Coverage(BaseModel):
    model_config = ConfigDict(frozen=True)
    demand: Fraction
    supply: Fraction


class TeamRecommended(Output):
    type: ClassVar[str] = "team.recommended"
    topic: ClassVar[str] = "insights"
    add: list[str]
    remove: list[str]
    coverage: dict[str, Coverage]
    expected: dict[str, Fraction]


class MetricsSnapshot(Output):
    """CONTRACT §4.4, over the window that ends at the tick."""

    type: ClassVar[str] = "metrics.snapshot"
    topic: ClassVar[str] = "metrics"
    once_a_tick: ClassVar[bool] = True
    consensus_latency_p95_ms: Fraction | None
    consensus_success_rate: Fraction | None
    dissent_rate: Fraction | None
    agent_utilization: dict[str, Fraction | None]
    handoff_failure_rate: Fraction | None
    handoff_failure_causes: dict[str, int]
    development_velocity: Fraction
    quality_regression_rate: Fraction | None
    coordination_failures: int
    rework_percentage: Fraction | None
    manual_interventions: int
    counts: dict[str, int]
    late_events: int
    config_version: int
    phase: Phase


class AgentMetrics(Output):
    """Each minute, for each agent with events in the window."""

    type: ClassVar[str] = "metrics.agent"
    topic: ClassVar[str] = "metrics"
    agent: str
    task_latency_p95_ms: Fraction | None
    utilization: Fraction | None
    handoff_failure_rate: Fraction | None
    dissent_rate: Fraction | None


OUTPUTS: tuple[type[Output], ...] = (
    ConfigChange,
    Decision,
    Drift,
    Antipattern,
    AntipatternCleared,
    Escalation,
    EscalationCleared,
    TeamRecommended,
    MetricsSnapshot,
    AgentMetrics,
)
