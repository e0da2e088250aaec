"""Back to the golden baseline: as an escalation asks, or on schedule; operators order it by `control.rollback`.

From there the configuration is tuned anew, gradually: the rate limit grows back over `reset.ramp_s`.
"""

from meta_orchestrator.core.adaptation.publish import asked, moved, publish, tell
from meta_orchestrator.core.ledger import By
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.conclude import abort
from meta_orchestrator.messages.cloudevent import CloudEvent, digest
from meta_orchestrator.messages.fields import SECOND, Value, format_time_us
from meta_orchestrator.messages.outputs import Escalation


def reset(moment: Moment) -> None:
    """Once for each escalation that is raised at this tick with the action `reset_to_baseline`, and when it is time."""
    for insight in moment.findings.insights:
        if type(insight) is Escalation and insight.action == "reset_to_baseline":
            _reset(moment, f"{insight.condition} asks for the baseline", "escalation", _said(moment, insight))
    if _is_due(moment):
        _reset(moment, "it is time for the scheduled return to the baseline", "expiry", [])


def _is_due(moment: Moment) -> bool:
    """A freeze holds it up, and what is on trial is judged first."""
    ledger, every_s = moment.ledger, moment.policy.reset.every_s
    if every_s is None or ledger.trial or ledger.is_frozen(moment.tick_us):
        return False
    last_us = ledger.reset_us if ledger.reset_us is not None else ledger.born_us
    return last_us is not None and moment.tick_us >= last_us + round(every_s * SECOND)


def _reset(moment: Moment, reason: str, by: By, trigger: list[str]) -> None:
    moves, ledger = _moves(moment), moment.ledger
    if ledger.is_frozen(moment.tick_us):
        _refuse(moment, reason)
        return
    ledger.reset_us = moment.tick_us
    if moves:
        trial = ledger.trial
        if trial:
            abort(moment, trial, "superseded", f"{reason} while {trial.proposal.parameter} was on trial")
        change = publish(moment, "reset", by, moves, reason, trigger=trigger)
        names = ", ".join(f"{name} = {value}" for name, value in sorted(moves.items()))
        tell(moment, "changed", moved(change), f"{reason}: {names}", change=change.change, version=change.version)
        rest_us = moment.tick_us + round(moment.policy.pace.cooldown_s * SECOND)
        ledger.rests_until_us |= {name: max(rest_us, _rest(moment, name)) for name in moves}


def _refuse(moment: Moment, reason: str) -> None:
    until = format_time_us(moment.ledger.frozen_until_us())
    proposal = asked(moment, digest("reset", moment.project, moment.tick_us), None)
    tell(moment, "refused", proposal, f"{reason}, but changes are frozen until {until}", refused_by="frozen")


def _moves(moment: Moment) -> dict[str, Value]:
    """What differs from the baseline and no operator pinned."""
    ledger = moment.ledger
    return {
        name: ledger.baseline[name]
        for name, value in ledger.config.items()
        if value != ledger.baseline[name] and name not in ledger.overrides
    }


def _said(moment: Moment, escalation: Escalation) -> list[str]:
    """The id of the escalation, which was said at this tick."""
    return [event.id for event in moment.outputs if isinstance(event, CloudEvent) and event.data is escalation]


def _rest(moment: Moment, name: str) -> int:
    return moment.ledger.rests_until_us.get(name, 0)
