"""The end of an override: the value from before the first one comes back."""

from meta_orchestrator.core.adaptation.publish import moved, publish, tell
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.conclude import supersede


def expire(moment: Moment) -> None:
    """All that end at this tick, in one version; a freeze holds them up."""
    ledger, tick_us = moment.ledger, moment.tick_us
    ended = {name: it for name, it in sorted(ledger.overrides.items()) if it.until_us <= tick_us}
    if not ended or ledger.is_frozen(tick_us):
        return
    for name in ended:
        del ledger.overrides[name]
    owners = ", ".join(dict.fromkeys(it.owner for it in ended.values()))
    values = ", ".join(f"{name} is {it.before} again" for name, it in ended.items())
    reason = f"the override by {owners} ended: {values}"
    moves = {name: it.before for name, it in ended.items()}
    supersede(moment, moves, reason)
    change = publish(moment, "expiry", "expiry", moves, reason)
    tell(moment, "changed", moved(change), reason, change=change.change, version=change.version)
