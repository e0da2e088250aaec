"""An orchestrator that does not answer: changes stop until it is heard again."""

from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.messages.outputs import ConfigChange, Decision, Escalation, EscalationCleared, Output

CONDITION = "orchestrator_silent"


def fall_silent(moment: Moment) -> None:
    """Stop all changes and raise the escalation, once."""
    if moment.ledger.silent_since_us is None:
        moment.ledger.silent_since_us = moment.tick_us
        _say_insight(moment, Escalation(**_content(moment)))


def heard(moment: Moment) -> None:
    """The orchestrator gave a sign of life."""
    moment.ledger.unacknowledged = 0
    if moment.ledger.silent_since_us is not None:
        _say_insight(moment, EscalationCleared(**_content(moment)))
        moment.ledger.silent_since_us = None


def _content(moment: Moment) -> dict[str, object]:
    return {
        "condition": CONDITION,
        "metric": "unacknowledged_changes",
        "threshold": float(moment.policy.trial.silent_after),
        "since": format_time_us(moment.ledger.silent_since_us or moment.tick_us),
        "action": "freeze",
    }


def _say_insight(moment: Moment, insight: Output) -> None:
    """Insights of a tick stand before its decisions."""
    decided = (
        place
        for place, event in enumerate(moment.outputs)
        if isinstance(event, CloudEvent) and isinstance(event.data, ConfigChange | Decision)
    )
    moment.outputs.insert(next(decided, len(moment.outputs)), CloudEvent(moment.project, moment.tick_us, insight))
