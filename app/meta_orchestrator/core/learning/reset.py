"""Back to the golden baseline, as an escalation asks; from there the rules begin anew, one rested step at a time."""

from meta_orchestrator.core.adaptation.publish import asked, moved, publish, tell
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.conclude import abort
from meta_orchestrator.messages.cloudevent import CloudEvent, digest
from meta_orchestrator.messages.fields import SECOND, Value, format_time_us
from meta_orchestrator.messages.outputs import Escalation


def reset(moment: Moment) -> None:
    """Once for each escalation that is raised at this tick with the action `reset_to_baseline`."""
    for insight in moment.findings.insights:
        if type(insight) is Escalation and insight.action == "reset_to_baseline":
            _reset(moment, insight)


def _reset(moment: Moment, escalation: Escalation) -> None:
    moves, reason = _moves(moment), f"{escalation.condition} asks for the baseline"
    if moment.ledger.is_frozen(moment.tick_us):
        _refuse(moment, reason)
    elif moves:
        trial = moment.ledger.trial
        if trial:
            abort(moment, trial, "superseded", f"{reason} while {trial.proposal.parameter} was on trial")
        change = publish(moment, "reset", "escalation", moves, reason, trigger=_said(moment, escalation))
        names = ", ".join(f"{name} = {value}" for name, value in sorted(moves.items()))
        tell(moment, "changed", moved(change), f"{reason}: {names}", change=change.change, version=change.version)
        rest_us = moment.tick_us + round(moment.policy.pace.cooldown_s * SECOND)
        moment.ledger.rests_until_us |= {name: max(rest_us, _rest(moment, name)) for name in moves}


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
