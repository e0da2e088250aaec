"""`control.override`: a value in force at once, and pinned."""

from meta_orchestrator.core.adaptation.limits import FOR_OPERATORS, Refusal, first_refusal
from meta_orchestrator.core.adaptation.parameters import normal
from meta_orchestrator.core.adaptation.publish import asked, publish, tell
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.ledger import Override
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.conclude import abort, take_back
from meta_orchestrator.messages.cloudevent import digest
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import Value, parse_time_us


def override(moment: Moment, order: Event) -> None:
    """Passes a freeze; only an unknown parameter, a value out of bounds or a time that has passed holds it back."""
    ledger, data = moment.ledger, order[4]
    parameter, owner, until_us = data["parameter"], data["owner"], parse_time_us(data["until"])
    known = moment.policy.parameters.get(parameter)
    value: Value = normal(known, data["value"]) if known else data["value"]
    proposal = asked(moment, digest("override", order[1], order[2]), parameter, value)
    wish = Wish(parameter, value, Symptom("overridden", data["reason"]))
    refusal = first_refusal(wish, ledger, moment.policy, moment.tick_us, FOR_OPERATORS)
    if refusal is None and until_us <= moment.tick_us:
        refusal = Refusal("evidence", f"its end, {data['until']}, has passed")
    if refusal:
        explanation = f"{owner} wanted {parameter} = {value}, but {refusal.sentence}"
        tell(moment, "refused", proposal, explanation, refused_by=refusal.by)
        return
    before = _before(moment, parameter)
    _end_trial(moment, parameter, f"{owner} overrides {parameter}")
    ledger.overrides[parameter] = Override(value, before, until_us, owner)
    reason = f'{owner} overrides it until {data["until"]}: "{data["reason"]}"'
    change = publish(moment, "override", "operator", {parameter: value}, reason)
    explanation = f"{parameter} = {value}: {reason}; then {before} comes back"
    tell(moment, "changed", proposal, explanation, change=change.change, version=change.version)


def _before(moment: Moment, parameter: str) -> Value:
    """The value from before the first override; a value on trial was never settled, so it is the one from before it."""
    ledger = moment.ledger
    if parameter in ledger.overrides:
        return ledger.overrides[parameter].before
    if ledger.trial and ledger.trial.proposal.parameter == parameter:
        return ledger.trial.proposal.from_
    return ledger.config[parameter]


def _end_trial(moment: Moment, parameter: str, reason: str) -> None:
    """A trial of the same parameter ends by the override itself, another one is taken back first."""
    trial = moment.ledger.trial
    if trial is None:
        return
    same = trial.proposal.parameter == parameter
    back = None if same else take_back(moment, trial, "operator", reason)
    abort(moment, trial, "overridden", f"{reason} while {trial.proposal.parameter} was on trial", back)
