"""Escalations that freeze changes, or ask for approval of each."""

from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import DAY_US


def heed(moment: Moment) -> None:
    """A freeze lasts while its condition is raised, a day at the most, so that nothing stays frozen for ever unseen."""
    ledger, raised = moment.ledger, sorted(moment.findings.escalations.items())
    freezing = [condition for condition, it in raised if it.action == "freeze"]
    until_us = moment.tick_us + DAY_US
    ledger.alarms = {condition: ledger.alarms.get(condition, until_us) for condition in freezing}
    ledger.approvals = [condition for condition, it in raised if it.action == "require_approval"]
