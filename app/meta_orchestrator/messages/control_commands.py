"""Signed commands of operators (CONTRACT §3.4)."""

from typing import Literal, NotRequired

from meta_orchestrator.messages.envelope import Data, Given, ProjectEnvelope
from meta_orchestrator.messages.fields import Name, Time, Version


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
