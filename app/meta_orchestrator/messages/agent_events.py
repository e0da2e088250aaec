"""What agents do (CONTRACT §3.1)."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field

from meta_orchestrator.messages.envelope import Data, ProjectEnvelope
from meta_orchestrator.messages.fields import Amount, Criticality, Name, Ordinal, Share


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
