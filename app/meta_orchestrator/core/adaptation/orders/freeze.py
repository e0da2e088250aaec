"""`control.freeze`: nothing changes until a time; a time in the past unfreezes."""

from meta_orchestrator.core.ledger import Freeze
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import parse_time_us


def freeze(moment: Moment, order: Event) -> None:
    """The last word counts; unfreezing also lifts what escalations froze, until they are raised anew."""
    ledger, data = moment.ledger, order[4]
    until_us = parse_time_us(data["until"])
    if until_us > moment.tick_us:
        ledger.freeze = Freeze(until_us, data["owner"], data["reason"])
    else:
        ledger.freeze = None
        ledger.alarms = dict.fromkeys(ledger.alarms, moment.tick_us)
