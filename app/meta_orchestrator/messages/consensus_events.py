"""Rounds of voting (CONTRACT §3.2)."""

from typing import Literal, NotRequired

from meta_orchestrator.messages.envelope import Data, ProjectEnvelope
from meta_orchestrator.messages.fields import Amount, Criticality, Name, Ordinal, Share


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
