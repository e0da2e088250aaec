"""What operators may order (CONTRACT §3.4): one file an order."""

from collections.abc import Callable

from meta_orchestrator.core.adaptation.orders.answer import approve, decline
from meta_orchestrator.core.adaptation.orders.freeze import freeze
from meta_orchestrator.core.adaptation.orders.override import override
from meta_orchestrator.core.adaptation.orders.rollback import rollback
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event

ORDERS: dict[str, Callable[[Moment, Event], None]] = {
    "control.freeze": freeze,
    "control.override": override,
    "control.rollback": rollback,
    "control.approve": approve,
    "control.decline": decline,
}
