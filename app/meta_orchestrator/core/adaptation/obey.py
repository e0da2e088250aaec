"""Operators' commands, escalations that hold changes up, and the ends of overrides."""

from meta_orchestrator.core.adaptation.alarms import heed
from meta_orchestrator.core.adaptation.expiry import expire
from meta_orchestrator.core.adaptation.orders import ORDERS
from meta_orchestrator.core.ledger import command_name
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event, Refused


def obey(moment: Moment) -> None:
    """Each command is answered by a decision, but a freeze, which has no parameter: it shows in the phase."""
    heed(moment)
    for order in moment.orders:
        if _is_new(moment, order):
            ORDERS[order[3]](moment, order)
    expire(moment)


def _is_new(moment: Moment, order: Event) -> bool:
    """Whether a command may act; where it must be new within 24 h, one that was seen is a dead letter."""
    if not moment.once:
        return True
    name = command_name(order)
    if name in moment.ledger.commands:
        moment.outputs.append(Refused(moment.project, order, "replayed", "this command acted within the last 24 h"))
        return False
    moment.ledger.commands[name] = moment.tick_us
    return True
