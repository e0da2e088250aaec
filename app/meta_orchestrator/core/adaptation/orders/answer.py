"""`control.approve` and `control.decline`: an owner's answer to a recommendation."""

from meta_orchestrator.core.adaptation.begin import begin
from meta_orchestrator.core.adaptation.limits import FOR_APPROVED, first_refusal
from meta_orchestrator.core.adaptation.publish import asked, spoken, tell
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Proposal
from meta_orchestrator.core.validation.conclude import abort, take_back
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND


def approve(moment: Moment, order: Event) -> None:
    """It goes on trial now, in place of one that is running; a freeze and the bounds are checked again."""
    proposal, owner = _proposal(moment, order), order[4]["owner"]
    if proposal is None:
        _nothing_waits(moment, order)
        return
    wish = Wish(proposal.parameter, proposal.to, Symptom("approved", proposal.reason))
    refusal = first_refusal(wish, moment.ledger, moment.policy, moment.tick_us, FOR_APPROVED)
    if refusal:
        explanation = f"{owner} approved {proposal.parameter} = {proposal.to}, but {refusal.sentence}"
        tell(moment, "refused", spoken(proposal), explanation, refused_by=refusal.by)
        return
    trial = moment.ledger.trial
    if trial:
        reason = f"{owner} approved {proposal.parameter} = {proposal.to}"
        back = take_back(moment, trial, "operator", reason)
        abort(moment, trial, "superseded", f"{reason} while {trial.proposal.parameter} was on trial", back)
    begin(moment, proposal, "operator")


def decline(moment: Moment, order: Event) -> None:
    """The proposal is gone, and its parameter is left alone for a while."""
    proposal, data = _proposal(moment, order), order[4]
    if proposal is None:
        _nothing_waits(moment, order)
        return
    rest_s = moment.policy.pace.decline_s
    del moment.ledger.waiting[proposal.parameter]
    moment.ledger.rests_until_us[proposal.parameter] = moment.tick_us + round(rest_s * SECOND)
    because = f': "{data["reason"]}"' if data.get("reason") else ""
    explanation = f"{data['owner']} declined {proposal.parameter} = {proposal.to}{because}; it rests for {rest_s:g} s"
    tell(moment, "refused", spoken(proposal), explanation, refused_by="operator_command")


def _proposal(moment: Moment, order: Event) -> Proposal | None:
    waiting = (waiting.proposal for waiting in moment.ledger.waiting.values())
    return next((proposal for proposal in waiting if proposal.id == order[4]["proposal"]), None)


def _nothing_waits(moment: Moment, order: Event) -> None:
    """It was answered, it expired, or what it would have moved has moved."""
    verb = order[3].rsplit(".", 1)[-1]
    explanation = f"{order[4]['owner']} would {verb} a proposal that does not wait (any more)"
    tell(moment, "refused", asked(moment, order[4]["proposal"], None), explanation, refused_by="evidence")
