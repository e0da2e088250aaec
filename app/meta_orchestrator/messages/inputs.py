"""What agents, votes, orchestrators and operators publish (CONTRACT §3).

TypedDicts: pydantic checks one against the bytes at the price of a bare parse, and hands out plain dicts. `Input` is
the union of them all by `type`; whoever adds a message adds it to its topic's tuple below, and schemas, decoding and
counting follow.
"""

from typing import Annotated, Any, Literal, NotRequired, Required

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from meta_orchestrator.messages.fields import (
    GREATEST,
    Amount,
    Criticality,
    EventTime,
    Name,
    Ordinal,
    Share,
    Time,
    Version,
)

_RANGE = Field(ge=-GREATEST, le=GREATEST)
Given = Annotated[int, _RANGE] | Annotated[float, _RANGE] | str
"""A parameter's value as others name it. (A range of `int | float` would be lost in the JSON Schema.)"""
_STRICT = ConfigDict(strict=True, allow_inf_nan=False, extra="ignore")


class Data(TypedDict):
    """The root of all `data`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]


class Envelope(TypedDict):
    """A CloudEvent 1.0 as it is read; `recordedtime` stands only in journals, the broker's append time takes its
    place.
    """

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    specversion: Literal["1.0"]
    id: Name
    source: Name
    time: EventTime
    subject: NotRequired[str | None]
    dataschema: NotRequired[str | None]
    traceparent: NotRequired[str | None]
    correlationid: NotRequired[str | None]
    causationid: NotRequired[str | None]
    configversion: NotRequired[Version | None]
    recordedtime: NotRequired[Time | None]


class ProjectEnvelope(Envelope):
    """All but `clock.tick` belong to a project, which is the record's key."""

    project: Name


# ---- agent-events ----


class AgentRegisteredData(Data):
    agent: Name
    agent_type: Name
    skills: NotRequired[list[Name] | None]
    capacity: NotRequired[Ordinal | None]


class AgentData(Data):
    agent: Name


class HeartbeatData(Data):
    agent: Name
    utilization: Share
    agent_type: NotRequired[Name | None]
    queue_depth: NotRequired[Amount | None]


class TaskStartedData(Data):
    task: Name
    agent: Name
    item: NotRequired[Name | None]
    criticality: NotRequired[Criticality | None]
    required_skills: NotRequired[list[Name] | None]
    points: NotRequired[Amount | None]


class TaskFinishedData(Data):
    task: Name
    agent: Name
    outcome: Literal["succeeded", "failed", "abandoned"]
    duration_ms: Amount
    points: NotRequired[Amount | None]
    cost: NotRequired[Amount | None]


class TaskBlockedData(Data):
    task: Name
    agent: Name
    waiting_for: list[Name]
    waiting_for_tasks: NotRequired[list[Name] | None]
    reason: NotRequired[str | None]


class TaskUnblockedData(Data):
    task: Name
    agent: Name


class HandoffStartedData(Data):
    handoff: Name
    task: Name
    from_agent: Name
    to_agent: Name


class HandoffCompletedData(HandoffStartedData):
    wait_ms: Amount


class HandoffFailedData(HandoffStartedData):
    cause: Literal["timeout", "rejected", "missing_context", "unavailable", "error", "other"]
    wait_ms: NotRequired[Amount | None]
    detail: NotRequired[str | None]


class ReworkRequestedData(Data):
    task: Name
    agent: Name
    requested_by: Name
    reason: NotRequired[str | None]
    attempt: Ordinal


class QualityCheckedData(Data):
    task: Name
    agent: Name
    check: Name
    passed: bool
    regression: bool


class FeedbackData(Data):
    agent: Name
    change: Name
    rating: Annotated[float, Field(ge=-1, le=1)]
    comment: NotRequired[str | None]


class AgentRegistered(ProjectEnvelope):
    type: Literal["agent.registered"]
    data: AgentRegisteredData


class AgentDeregistered(ProjectEnvelope):
    type: Literal["agent.deregistered"]
    data: AgentData


class AgentHeartbeat(ProjectEnvelope):
    type: Literal["agent.heartbeat"]
    data: HeartbeatData


class TaskStarted(ProjectEnvelope):
    type: Literal["agent.task.started"]
    data: TaskStartedData


class TaskFinished(ProjectEnvelope):
    type: Literal["agent.task.finished"]
    data: TaskFinishedData


class TaskBlocked(ProjectEnvelope):
    type: Literal["agent.task.blocked"]
    data: TaskBlockedData


class TaskUnblocked(ProjectEnvelope):
    type: Literal["agent.task.unblocked"]
    data: TaskUnblockedData


class HandoffStarted(ProjectEnvelope):
    type: Literal["agent.handoff.started"]
    data: HandoffStartedData


class HandoffCompleted(ProjectEnvelope):
    type: Literal["agent.handoff.completed"]
    data: HandoffCompletedData


class HandoffFailed(ProjectEnvelope):
    type: Literal["agent.handoff.failed"]
    data: HandoffFailedData


class ReworkRequested(ProjectEnvelope):
    type: Literal["agent.rework.requested"]
    data: ReworkRequestedData


class QualityChecked(ProjectEnvelope):
    type: Literal["agent.quality.checked"]
    data: QualityCheckedData


class Feedback(ProjectEnvelope):
    type: Literal["agent.feedback"]
    data: FeedbackData


# ---- consensus-events ----


class RoundOpenedData(Data):
    round: Name
    item: Name
    criticality: Criticality
    eligible: list[Name]
    threshold: Share
    attempt: Ordinal
    risk: NotRequired[Share | None]


class VoteCastData(Data):
    round: Name
    agent: Name
    choice: Literal["approve", "reject", "abstain"]
    confidence: NotRequired[Share | None]


class RoundClosedData(Data):
    round: Name
    item: Name
    outcome: Literal["accepted", "rejected", "no_quorum", "timed_out"]
    latency_ms: Amount
    attempt: Ordinal
    final: NotRequired[bool | None]


class RoundOpened(ProjectEnvelope):
    type: Literal["consensus.round.opened"]
    data: RoundOpenedData


class VoteCast(ProjectEnvelope):
    type: Literal["consensus.vote.cast"]
    data: VoteCastData


class RoundClosed(ProjectEnvelope):
    type: Literal["consensus.round.closed"]
    data: RoundClosedData


# ---- orchestrator-events ----


class OrchestratorRegisteredData(Data):
    orchestrator: Name
    supports: dict[Name, Given]


class ConfigAppliedData(Data):
    change: Name
    version: Version


class ConfigRejectedData(ConfigAppliedData):
    reason: str


class OperatorIntervenedData(Data):
    operator: Name
    kind: Literal["unblock", "reassign", "override", "restart", "other"]
    task: NotRequired[Name | None]
    reason: NotRequired[Literal["deadlock", "rework_exceeded", "no_agreement", "handoff_stuck", "other"] | None]


class OrchestratorRegistered(ProjectEnvelope):
    type: Literal["orchestrator.registered"]
    data: OrchestratorRegisteredData


class ConfigApplied(ProjectEnvelope):
    type: Literal["config.applied"]
    data: ConfigAppliedData


class ConfigRejected(ProjectEnvelope):
    type: Literal["config.rejected"]
    data: ConfigRejectedData


class OperatorIntervened(ProjectEnvelope):
    type: Literal["operator.intervened"]
    data: OperatorIntervenedData


# ---- control-commands ----


class FreezeData(Data):
    until: Time
    reason: str
    owner: Name


class OverrideData(Data):
    parameter: Name
    value: Given
    until: Time
    reason: str
    owner: Name


class RollbackData(Data):
    """Exactly one of `to_version` (0 = baseline) and `change`."""

    to_version: NotRequired[Version | None]
    change: NotRequired[Name | None]
    reason: str
    owner: Name


class AnswerData(Data):
    proposal: Name
    owner: Name
    reason: NotRequired[str | None]


class Freeze(ProjectEnvelope):
    type: Literal["control.freeze"]
    data: FreezeData


class Override(ProjectEnvelope):
    type: Literal["control.override"]
    data: OverrideData


class Rollback(ProjectEnvelope):
    type: Literal["control.rollback"]
    data: RollbackData


class Approve(ProjectEnvelope):
    type: Literal["control.approve"]
    data: AnswerData


class Decline(ProjectEnvelope):
    type: Literal["control.decline"]
    data: AnswerData


class ClockTick(Envelope):
    """Time has passed; belongs to no project."""

    type: Literal["clock.tick"]
    data: Required[dict[str, Any]]


MESSAGES: dict[str, tuple[Any, ...]] = {
    "agent-events": (
        AgentRegistered,
        AgentDeregistered,
        AgentHeartbeat,
        TaskStarted,
        TaskFinished,
        TaskBlocked,
        TaskUnblocked,
        HandoffStarted,
        HandoffCompleted,
        HandoffFailed,
        ReworkRequested,
        QualityChecked,
        Feedback,
    ),
    "consensus-events": (RoundOpened, VoteCast, RoundClosed),
    "orchestrator-events": (OrchestratorRegistered, ConfigApplied, ConfigRejected, OperatorIntervened),
    "control-commands": (Freeze, Override, Rollback, Approve, Decline),
}
"""Input topic → its messages. `clock.tick` may stand on each of them."""


def type_of(message: Any) -> str:
    """The CloudEvents `type` of a message class of this module."""
    name: str = message.__annotations__["type"].__args__[0]
    return name


TOPIC_OF: dict[str, str] = {type_of(message): topic for topic, messages in MESSAGES.items() for message in messages}
COMMANDS = frozenset(kind for kind, topic in TOPIC_OF.items() if topic == "control-commands")
Input = Annotated[
    AgentRegistered
    | AgentDeregistered
    | AgentHeartbeat
    | TaskStarted
    | TaskFinished
    | TaskBlocked
    | TaskUnblocked
    | HandoffStarted
    | HandoffCompleted
    | HandoffFailed
    | ReworkRequested
    | QualityChecked
    | Feedback
    | RoundOpened
    | VoteCast
    | RoundClosed
    | OrchestratorRegistered
    | ConfigApplied
    | ConfigRejected
    | OperatorIntervened
    | Freeze
    | Override
    | Rollback
    | Approve
    | Decline
    | ClockTick,
    Field(discriminator="type"),
]
