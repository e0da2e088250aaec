"""What a project is going through, in one word."""

from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.outputs import Phase


def phase(moment: Moment) -> Phase:
    """frozen (an orchestrator that does not answer freezes too) > trial > observing (warm-up) > steady."""
    ledger, warm_up_us = moment.ledger, round(moment.policy.pace.warm_up_s * SECOND)
    if ledger.is_frozen(moment.tick_us) or ledger.silent_since_us is not None:
        return "frozen"
    if ledger.trial:
        return "trial"
    return "observing" if ledger.born_us is None or moment.tick_us < ledger.born_us + warm_up_us else "steady"
