"""Sends a change out on trial, or lays it before its owner."""

from meta_orchestrator.core.adaptation.publish import publish, spoken, tell
from meta_orchestrator.core.collection.history import RATIOS
from meta_orchestrator.core.ledger import By, Waiting
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Proposal
from meta_orchestrator.core.validation.compare import before_change
from meta_orchestrator.core.validation.evidence import estimate
from meta_orchestrator.core.validation.metrics import internal, shown
from meta_orchestrator.core.validation.onset import present_since_us
from meta_orchestrator.core.validation.opening import designed, open_trial
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import Guard


def begin(moment: Moment, proposal: Proposal, by: By) -> None:
    """The change goes out, and its trial begins: exactly one parameter, a time of review, guards that take it back."""
    since_us = present_since_us(moment, proposal)
    guards = announced_guards(moment, proposal.parameter, since_us)
    design = designed(moment, proposal)
    change = publish(
        moment,
        "trial",
        by,
        {proposal.parameter: proposal.to},
        proposal.reason,
        trigger=proposal.trigger,
        expected=proposal.expected,
        review_at=format_time_us(design.review_us),
        rollback_if=guards or None,
        trial=proposal.id,
    )
    trial = open_trial(moment, proposal, change, since_us, design)
    moment.ledger.changes_us.append(moment.tick_us)
    tell(
        moment,
        "changed",
        spoken(proposal),
        f"{_move(proposal)}: {proposal.reason}; on trial until {trial.review_at}",
        change=change.change,
        version=change.version,
        evidence=proposal.evidence,
        expected=proposal.expected,
        trial=trial,
    )


def recommend(moment: Moment, proposal: Proposal, why: str) -> None:
    """Lay it before the owner: it waits for `control.approve`."""
    expires_us = moment.tick_us + round(moment.policy.pace.proposal_s * SECOND)
    moment.ledger.waiting[proposal.parameter] = Waiting(proposal, expires_us)
    tell(
        moment,
        "recommended",
        spoken(proposal),
        f"{_move(proposal)}: {proposal.reason}; it waits for approval until {format_time_us(expires_us)}, since {why}",
        evidence=proposal.evidence,
        expected=proposal.expected,
        expires_at=format_time_us(expires_us),
    )


def announced_guards(moment: Moment, parameter: str, since_us: int) -> list[Guard]:
    """The guard metrics that are known now, each with the value beyond which it is clearly worse."""
    policy = moment.policy
    before = before_change(moment, moment.ledger.version, moment.tick_us, since_us)
    guards = []
    for name in policy.parameters[parameter].guards:
        metric = internal(name)
        found = estimate(before, metric) if metric else None
        if metric and found:
            worse = found.value * (1 - (RATIOS[metric][2] or 1) * policy.trial.guard_margin)
            guards.append(Guard(metric=name, worse_than=shown(metric, worse, policy)))
    return guards


def _move(proposal: Proposal) -> str:
    return f"{proposal.parameter} {proposal.from_} → {proposal.to}"
