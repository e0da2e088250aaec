"""What the orchestrator supports and obeys, and what operators did by hand (CONTRACT §3.3)."""

from typing import Literal, NotRequired

from meta_orchestrator.messages.envelope import Data, Given, ProjectEnvelope
from meta_orchestrator.messages.fields import Name, Version


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
