"""`control.rollback`: the configuration of an earlier version, or the undoing of one change."""

from typing import Any

from meta_orchestrator.core.adaptation.publish import asked, moved, publish, tell
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.conclude import abort, supersede
from meta_orchestrator.messages.cloudevent import digest
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND, Value


def rollback(moment: Moment, order: Event) -> None:
    """Passes a freeze and unpins what it moves; refused if there is nothing to undo.

    What it moves is left alone for a while, as after `control.decline`: the rules would soon wish for the same again.
    """
    data, change_id = order[4], order[4].get("change")
    moves, doubt = _undo(moment, change_id) if change_id else _return(moment, data["to_version"])
    what = f"change {change_id}" if change_id else f"everything since version {data['to_version']}"
    reason = f'{data["owner"]} rolls back {what}: "{data["reason"]}"'
    if doubt:
        _end_switchback(moment, data, reason)
        proposal = asked(moment, digest("rollback", order[1], order[2]), None)
        tell(moment, "refused", proposal, f"{reason}, but {doubt}", refused_by="evidence")
        return
    supersede(moment, moves, reason)
    rest_us = moment.tick_us + round(moment.policy.pace.decline_s * SECOND)
    if data.get("to_version") == 0:
        moment.ledger.reset_us = moment.tick_us
    for name in moves:
        moment.ledger.overrides.pop(name, None)
        moment.ledger.rests_until_us[name] = rest_us
    change = publish(moment, "rollback", "operator", moves, reason)
    values = ", ".join(f"{name} = {value}" for name, value in sorted(moves.items()))
    tell(moment, "changed", moved(change), f"{reason}; {values}", change=change.change, version=change.version)


def _end_switchback(moment: Moment, data: dict[str, Any], reason: str) -> None:
    """It has the old value in force just now, so there is nothing to undo; but it must not flip again."""
    trial, ledger = moment.ledger.trial, moment.ledger
    if trial is None or ledger.config[trial.proposal.parameter] != trial.proposal.from_:
        return
    version = data.get("to_version")
    if data.get("change") in trial.changes or (version is not None and ledger.config_at(version) == ledger.config):
        abort(moment, trial, "superseded", f"{reason}, while {trial.proposal.parameter} was on trial")


def _return(moment: Moment, version: int) -> tuple[dict[str, Value], str | None]:
    """What differs from a version's configuration, or why there is nothing to do."""
    ledger = moment.ledger
    then = ledger.config_at(version)
    if then is None:
        return {}, f"version {version} is not remembered; {ledger.version} is in force"
    moves = {name: value for name, value in then.items() if value != ledger.config[name]}
    return moves, None if moves else f"its configuration is in force now, as version {ledger.version}"


def _undo(moment: Moment, change: str) -> tuple[dict[str, Value], str | None]:
    """The values from before a change, or why it cannot be undone: only what is still in force can."""
    ledger = moment.ledger
    past = next((past for past in reversed(ledger.past) if past.change == change), None)
    if past is None:
        return {}, "no such change is remembered"
    gone = [name for name, (_, to) in past.moves.items() if ledger.config.get(name) != to]
    if gone:
        return {}, f"its value of {gone[0]} is no longer in force"
    moves = {name: before for name, (before, to) in past.moves.items() if before != to}
    return moves, None if moves else "it moved nothing"
