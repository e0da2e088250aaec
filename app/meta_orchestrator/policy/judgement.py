"""How sure one must be: analysis, the response model, targets, escalation, and what counts as better."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from meta_orchestrator.messages.fields import Share
from meta_orchestrator.messages.outputs import Action, AntipatternKind
from meta_orchestrator.policy.parameters import Metric
from meta_orchestrator.policy.section import NotNegative, Section

DriftDetector = Literal["rank_esr", "adwin"]
ANTIPATTERNS: tuple[str, ...] = AntipatternKind.__args__  # type: ignore[attr-defined]
ESCALATING: tuple[str, ...] = (
    *Metric.__args__,  # type: ignore[attr-defined]
    "handoff_failure_causes",
    "manual_interventions",
    "late_events",
    "counts",
    *AntipatternKind.__args__,  # type: ignore[attr-defined]
)
"""What an escalation may watch."""
WITH_ENTRIES = ("agent_utilization", "handoff_failure_causes", "counts")
"""Those of them of which it may watch one entry."""

Spread = Annotated[float, Field(ge=1e-6, le=1000)]
"""Shares of the objective. Beyond this the model's single precision ends, and no objective is won or lost so far."""


class Analysis(Section):
    """When something is worth saying. Rates are false alarms in stable conditions."""

    drift_run_length: PositiveFloat = Field(
        10_000, description="batches of each stream between two false drifts of all streams of a project together"
    )
    drift_batch: PositiveInt = Field(20, description="values (events of a rate) that make one batch of a stream")
    drift_agent_batch: PositiveInt = Field(
        10, description="the same of an agent's own metrics: an agent does less than a team"
    )
    drift_agents: PositiveInt = Field(1000, description="agents of a project whose own metrics are watched, at most")
    drift_detectors: tuple[DriftDetector, ...] = Field(
        ("rank_esr",),
        description="which may speak of a project's metrics; adwin is slow, and no part of the bound on false alarms",
    )
    alpha: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.01, description="false alarms of an antipattern's test in a look-back"
    )
    fdr: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="of the agents that are called dissenters, the share that may be wrongly called so"
    )
    bottleneck_wait: PositiveFloat = Field(
        1, description="tasks must wait for a bottleneck so many times as long as they are worked on there"
    )
    min_events: PositiveInt = Field(20, description="fewer events of its kind and an antipattern is not looked for")
    agent_share: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="of a rate that decides, an agent reports this share or twice its fair part at the most"
    )
    clear_after_s: PositiveFloat = Field(
        600,
        description="an antipattern not seen for this long is cleared; what is counted must show that it stopped, and"
        " a hard limit that was met counts for `lookback_s`",
    )
    lookback_s: PositiveFloat = Field(1800, description="antipatterns look at this much of the past")
    cause_alpha: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="chance that somebody is named as the cause of a change that all share evenly"
    )
    trends_per_day: Annotated[float, Field(gt=0)] = Field(
        0.03, description="false trends of a project in stable conditions: one a month"
    )


class Adaptation(Section):
    """Which change is tried. Gains are shares of the objective: .01 is one percent of all that counts.

    The standard deviations are those of the response model before it has seen anything; it learns the rest.
    """

    chooser: Literal["rules", "model"] = Field(
        "model", description="rules: the first remedy of the first symptom; model: the change that promises most"
    )
    look_s: PositiveFloat = Field(
        7200, description="how far back a trouble is looked for while it is unclear: what is rare shows in hours"
    )
    batch_s: PositiveFloat = Field(300, description="one look of the response model spans this long at the least")
    batch_tasks: PositiveInt = Field(8, description="and so many finished tasks: fewer are mostly noise")
    least_looks: PositiveInt = Field(2, description="of the response model at a trial, before it is asked about it")
    try_at: Share = Field(
        0.65,
        description="but for the main remedy of a trouble nothing is tried that helps with less: half an hour tells"
        " too little of small effects, so that the verdict follows what was believed before",
    )
    turn_at: Share = Field(
        0.8,
        description="the same of a step back from what was kept: it stays only from `trial.keep_at` on, and a trial"
        " hardly takes it there from further below",
    )
    least_gain: NotNegative = Field(0.003, description="nor what promises less than this")
    doubt: PositiveFloat = Field(
        1.5, description="the model's standard deviations count this much more: it is wrong somewhere (measured)"
    )
    step_sd: Spread = Field(0.02, description="what one step of a parameter may do by itself")
    remedy_gain: Spread = Field(0.03, description="what one step of a remedy does where its symptom is strong")
    remedy_sd: Spread = Field(0.02, description="how unsure that is: the direction is known, the size is not")
    level_sd: Spread = Field(0.5, description="where the score of an unknown team may stand")
    level_drift_sd: Annotated[float, Field(ge=0, le=1000)] = Field(
        0.01, description="how far the score wanders by itself in an hour"
    )
    disturbed_sd: Spread = Field(0.2, description="how far it may have moved where a drift was detected")
    noise_sd: Spread = Field(0.2, description="spread of the score of `batch_s` seconds, until it is known")
    noise_looks: PositiveInt = Field(30, description="looks after which their own spread counts as much as that")
    harm: PositiveFloat = Field(
        0.05, description="a guard that takes a change back tells the model of such a loss, give or take half of it"
    )
    memory_s: PositiveFloat = Field(
        604_800, description="what is not seen again is forgotten over this time: teams change within weeks"
    )


class Targets(Section):
    """What the rules steer towards."""

    consensus_latency_p95_ms: PositiveFloat = 120_000
    consensus_success_rate: Share = 0.8
    handoff_failure_rate: Share = 0.1
    quality_regression_rate: Share = 0.1
    utilization_low: Share = 0.4
    utilization_high: Share = 0.85
    places_taken: Share = Field(
        0.95, description="of the places for tasks of some agents, for about an hour: beyond it work waits"
    )
    interventions: Share = Field(0.01, description="people who had to step in, of a kind, for each finished task")


class Escalation(Section):
    """A metric (or an antipattern's kind, then its severity) beyond a threshold for some time."""

    metric: str
    threshold: float
    below: bool = Field(False, description="raised below the threshold instead of above it")
    for_s: Annotated[float, Field(ge=0)] = 600
    clear_margin: Share = Field(0.1, description="hysteresis: cleared only this far (relative) on the good side")
    action: Action = "notify"

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        """`agent_utilization.coder` and `handoff_failure_causes.timeout` name one entry."""
        name, dot, _ = metric.partition(".")
        if name not in ESCALATING:
            raise ValueError(f"must be one of {', '.join(ESCALATING)}")
        if dot and name not in WITH_ENTRIES:
            raise ValueError(f"{name} has no entries; only {', '.join(WITH_ENTRIES)} have")
        return metric


class Weights(Section):
    """What better means: shares of velocity, quality, coordination, resource use and risk in the objective."""

    velocity: Annotated[float, Field(ge=0)] = 0.4
    quality: Annotated[float, Field(ge=0)] = 0.25
    coordination: Annotated[float, Field(ge=0)] = 0.15
    utilization: Annotated[float, Field(ge=0)] = 0.1
    risk: Annotated[float, Field(ge=0)] = Field(0.1, description="people who had to step in, for each finished task")


class ProjectPolicy(Section):
    profile: str = "standard"
