"""Ends a trial: its value is put back if it has to be, and the decision about it is said."""

from dataclasses import dataclass
from typing import Any, Literal

from meta_orchestrator.core.adaptation.publish import publish, spoken, tell
from meta_orchestrator.core.adaptation.trigger import triggers
from meta_orchestrator.core.ledger import By
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Trial
from meta_orchestrator.messages.fields import SECOND, Value
from meta_orchestrator.messages.outputs import ConfigChange

Ending = Literal["kept", "rolled_back", "aborted"]
Why = Literal["unacknowledged", "rejected", "overridden", "superseded"]


@dataclass(frozen=True)
class Verdict:
    """How a trial ended, for the room that learns from it."""

    parameter: str
    ending: Ending
    why: Why | None = None
    trial: Trial | None = None
    guarded: bool = False
    """A guard metric ended it, or found out later."""


def take_back(moment: Moment, trial: Trial, by: By, reason: str) -> ConfigChange | None:
    """The next version: the value from before the trial again; None if a switchback has it in force just now."""
    moves, measured = {trial.proposal.parameter: trial.proposal.from_}, by in ("guard", "review")
    if moment.ledger.config[trial.proposal.parameter] == trial.proposal.from_:
        return None
    trigger = triggers(moment) if measured else []
    return publish(moment, "rollback", by, moves, reason, trigger=trigger, trial=trial.proposal.id)


def conclude(moment: Moment, trial: Trial, ending: Ending, explanation: str, **more: Any) -> Verdict:
    """Say the decision about a trial and close it. Its parameter rests in any case."""
    ledger, parameter = moment.ledger, trial.proposal.parameter
    tell(moment, ending, spoken(trial.proposal), explanation, **({"expected": trial.proposal.expected} | more))
    ledger.trial = None
    rest_us = moment.tick_us + round(moment.policy.pace.cooldown_s * SECOND)
    ledger.rests_until_us[parameter] = max(rest_us, ledger.rests_until_us.get(parameter, 0))
    return Verdict(parameter, ending, more.get("why"), trial)


def supersede(moment: Moment, moves: dict[str, Value], reason: str) -> None:
    """Before other values move: a trial under which the configuration changes is worthless; its value goes back too."""
    trial = moment.ledger.trial
    if trial:
        if moment.ledger.config[trial.proposal.parameter] != trial.proposal.from_:
            moves.setdefault(trial.proposal.parameter, trial.proposal.from_)
        abort(moment, trial, "superseded", f"{reason}, while {trial.proposal.parameter} was on trial")


def abort(moment: Moment, trial: Trial, why: Why, explanation: str, back: ConfigChange | None = None) -> Verdict:
    """A trial that ended before it could be judged; `back` is the version that took it back, if one did."""
    return conclude(moment, trial, "aborted", explanation, why=why, **named(back))


def named(change: ConfigChange | None) -> dict[str, Any]:
    """The version of a decision, if it brought one."""
    return {"change": change.change, "version": change.version} if change else {}
