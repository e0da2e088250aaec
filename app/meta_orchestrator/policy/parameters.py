"""What may be changed: parameters, their bounds and steps, and those that are built in."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from meta_orchestrator.messages.fields import Value
from meta_orchestrator.policy.section import Section

Mode = Literal["recommend", "enforce"]
Type = Literal["int", "float", "choice", "frequency"]
Metric = Literal[
    "consensus_latency_p95_ms",
    "consensus_success_rate",
    "dissent_rate",
    "agent_utilization",
    "handoff_failure_rate",
    "development_velocity",
    "quality_regression_rate",
    "coordination_failures",
    "rework_percentage",
]
Symptom = Literal[
    "regressions",
    "timeouts",
    "slow_votes",
    "no_agreement",
    "undecided",
    "overload",
    "starvation",
    "crowding",
    "rework",
    "stuck",
    "slow_and_clean",
]
"""What may look wrong, in the order in which the rules attend to it (`core/adaptation/symptoms/`)."""


class Parameter(Section):
    """A setting of the orchestrator that may be tuned."""

    type: Type
    low: float | None = Field(None, description="least value (int, float)")
    high: float | None = Field(None, description="greatest value (int, float)")
    step: PositiveFloat | None = Field(None, description="the size of one change (int, float)")
    choices: tuple[str, ...] | None = Field(
        None, description="the values in order, one change moves one place (choice)"
    )
    default: Value | None = None
    mode: Mode = "recommend"
    safety: bool = Field(False, description="a value looser than the baseline is always only recommended")
    looser: Literal["down", "up"] = Field("down", description="which way is looser")
    guards: tuple[Metric, ...] = Field((), description="metrics that must not get worse while a change is on trial")
    helps: dict[Symptom, Annotated[float, Field(ge=-1, le=1)]] = Field(
        default_factory=dict, description="against which trouble one step up helps, and how much; down where negative"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type in ("int", "float") and (
            self.low is None or self.high is None or self.step is None or self.low > self.high
        ):
            raise ValueError(f"a parameter of type {self.type} needs low <= high and a step")
        if self.type == "choice" and not self.choices:
            raise ValueError("a parameter of type choice needs choices")
        return self


_GUARDS: tuple[Metric, ...] = ("quality_regression_rate", "handoff_failure_rate", "consensus_success_rate")
"""Rates, not counts: a team that does twice as much may fail twice as often."""
_BUT_VOTES: tuple[Metric, ...] = _GUARDS[:2]
"""Of what decides which changes are voted on, since those that are left are the harder ones and agreed on less often;
and of what has nothing to do with votes: each guard more is one more that may cry wolf."""


def _threshold(low: float, high: float, default: float, safety: bool = False) -> Parameter:
    return Parameter(type="float", low=low, high=high, step=0.05, default=default, safety=safety, guards=_GUARDS)


def _count(
    low: int, high: int, default: int, step: int = 1, guards: tuple[Metric, ...] = _GUARDS, safety: bool = False
) -> Parameter:
    return Parameter(type="int", low=low, high=high, step=step, default=default, safety=safety, guards=guards)


BUILT_IN: dict[str, Parameter] = {
    "consensus.frequency": Parameter(type="frequency", default="every_change", guards=_BUT_VOTES),
    "consensus.threshold.minor": _threshold(0.5, 0.9, 0.5),
    "consensus.threshold.normal": _threshold(0.5, 0.9, 0.6),
    "consensus.threshold.major": _threshold(0.6, 0.95, 0.67, safety=True),
    "consensus.threshold.critical": _threshold(0.66, 1, 0.75, safety=True),
    "consensus.max_rounds": _count(1, 6, 3),
    "workflow.wip_limit": _count(1, 10, 4),
    "workflow.handoff_timeout_s": _count(10, 900, 120, 60, _BUT_VOTES),
    "workflow.max_rework": _count(1, 5, 3, guards=_BUT_VOTES),
    "workflow.max_handoffs": _count(5, 50, 20, 5, _BUT_VOTES),
    "workflow.review_depth": _count(0, 4, 2, safety=True),
    "quality.min_pass_rate": Parameter(
        type="float", low=0.7, high=1, step=0.05, default=0.9, safety=True, guards=_GUARDS
    ),
}
"""CONTRACT §5. One step is at most a fifth of the range, but for small whole numbers, where it is one."""
