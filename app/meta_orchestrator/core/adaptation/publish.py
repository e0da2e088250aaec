"""Says the next version, and says decisions: the only two things by which this project ever changes another one."""

from collections.abc import Mapping
from typing import Any

from meta_orchestrator.core.ledger import By, Past
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Proposal
from meta_orchestrator.messages import outputs
from meta_orchestrator.messages.cloudevent import CloudEvent, digest
from meta_orchestrator.messages.fields import Value
from meta_orchestrator.messages.outputs import ConfigChange, Decision, Kind, Shift, Verdict


def publish(moment: Moment, kind: Kind, by: By, moves: Mapping[str, Value], reason: str, **more: Any) -> ConfigChange:
    """Put values in force as the next version and say so; `more` are further fields of `config.change`.

    The driver signs it. Proposals whose `from` moves with it wait no longer.
    """
    ledger = moment.ledger
    shifts = {name: (ledger.config[name], to) for name, to in sorted(moves.items())}
    ledger.config |= moves
    ledger.version += 1
    name = digest("change", moment.project, moment.tick_us, ledger.version, ledger.config)
    ledger.remember(Past(ledger.version, name, kind, by, moment.tick_us, shifts))
    ledger.waiting = {
        parameter: waiting
        for parameter, waiting in ledger.waiting.items()
        if ledger.config.get(parameter) == waiting.proposal.from_
    }
    change = ConfigChange(
        change=name,
        version=ledger.version,
        kind=kind,
        changes=[Shift(parameter=parameter, from_=move[0], to=move[1]) for parameter, move in shifts.items()],
        config=dict(sorted(ledger.config.items())),
        reason=reason,
        **({"trigger": [], "expected": {}} | more),
    )
    moment.say(change)
    return change


def tell(moment: Moment, verdict: Verdict, proposal: outputs.Proposal, explanation: str, **more: Any) -> None:
    """Say a decision; `more` are the fields of its verdict. Its id is its place in the tick."""
    place = sum(isinstance(event, CloudEvent) and isinstance(event.data, Decision) for event in moment.outputs)
    moment.say(
        Decision(
            decision=digest("decision", moment.project, moment.tick_us, place),
            verdict=verdict,
            proposal=proposal,
            explanation=explanation,
            **({"evidence": {}} | more),
        )
    )


def name_proposal(moment: Moment, parameter: str, to: Value | None) -> str:
    """The id of a proposal, which becomes its trial's."""
    now = moment.ledger.config.get(parameter)
    return digest("proposal", moment.project, moment.tick_us, parameter, now, to)


def spoken(proposal: Proposal) -> outputs.Proposal:
    """A proposal of the ledger as decisions name it."""
    return outputs.Proposal(id=proposal.id, parameter=proposal.parameter, from_=proposal.from_, to=proposal.to)


def asked(moment: Moment, name: str, parameter: str | None, to: Value | None = None) -> outputs.Proposal:
    """What an order asks for, as the decision that answers it names it."""
    now = moment.ledger.config.get(parameter) if parameter else None
    return outputs.Proposal(id=name, parameter=parameter, from_=now, to=to)


def moved(change: ConfigChange) -> outputs.Proposal:
    """A version as a decision about it names it; with several parameters none of them stands for all."""
    if len(change.changes) != 1:
        return outputs.Proposal(id=change.change, parameter=None, from_=None, to=None)
    shift = change.changes[0]
    return outputs.Proposal(id=change.change, parameter=shift.parameter, from_=shift.from_, to=shift.to)
