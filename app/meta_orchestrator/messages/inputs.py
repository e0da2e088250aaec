"""All messages that are read (CONTRACT §3), by topic, and `Input`, their union.

TypedDicts: pydantic checks one against the bytes at the price of a bare parse, and hands out plain dicts. Whoever adds
a message adds it to its topic's tuple below, and schemas, decoding and counting follow.
"""

from typing import Annotated, Any, Union

from pydantic import Field

from meta_orchestrator.messages.agent_events import (
    AgentDeregistered,
    AgentHeartbeat,
    AgentRegistered,
    Feedback,
    HandoffCompleted,
    HandoffFailed,
    HandoffStarted,
    QualityChecked,
    ReworkRequested,
    TaskBlocked,
    TaskFinished,
    TaskStarted,
    TaskUnblocked,
)
from meta_orchestrator.messages.consensus_events import RoundClosed, RoundOpened, VoteCast
from meta_orchestrator.messages.control_commands import Approve, Decline, Freeze, Override, Rollback
from meta_orchestrator.messages.envelope import ClockTick
from meta_orchestrator.messages.orchestrator_events import (
    ConfigApplied,
    ConfigRejected,
    OperatorIntervened,
    OrchestratorRegistered,
)

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
_MESSAGES = (*(message for messages in MESSAGES.values() for message in messages), ClockTick)
Input: Any = Annotated[Union[_MESSAGES], Field(discriminator="type")]  # noqa: UP007 - of a tuple
