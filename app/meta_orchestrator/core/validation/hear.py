"""What the orchestrator and the agents answered: registrations, acknowledgements, rejections, ratings."""

from collections.abc import Callable
from typing import Any

from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.conclude import abort
from meta_orchestrator.core.validation.silence import heard
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND


def hear(moment: Moment) -> None:
    """Take in the answers of the panes that close at this tick, in their order."""
    ledger = moment.ledger
    ledger.prune(moment.tick_us)
    if ledger.born_us is None and moment.events:
        ledger.born_us = moment.events[0][0] // moment.policy.time.pane_us * moment.policy.time.pane_us
    if ledger.assumed:
        _assume(moment)
    for event in [event for event in moment.events if event[7] is not None or event[3] in ANSWERS]:
        answer = ANSWERS.get(event[3])
        if answer:
            answer(moment, event)
        if event[7] is not None:
            _implied(moment, event, event[7])


def _assume(moment: Moment) -> None:
    """Without an orchestrator the policy's defaults are what is in force."""
    defaults = {name: it.default for name, it in moment.policy.parameters.items() if it.default is not None}
    if not moment.ledger.config:
        moment.ledger.config, moment.ledger.baseline = dict(defaults), dict(defaults)


def _registered(moment: Moment, event: Event) -> None:
    """The first registration is the golden baseline; later ones add and remove parameters and move no value."""
    ledger, supports = moment.ledger, event[4]["supports"]
    if ledger.assumed:
        return
    ledger.orchestrator = event[1]
    ledger.baseline = supports | ledger.baseline
    ledger.config = {name: ledger.config.get(name, value) for name, value in sorted(supports.items())}
    _forget_unsupported(moment, ledger)
    heard(moment)


def _forget_unsupported(moment: Moment, ledger: Ledger) -> None:
    ledger.overrides = {name: it for name, it in ledger.overrides.items() if name in ledger.config}
    ledger.waiting = {name: it for name, it in ledger.waiting.items() if name in ledger.config}
    trial = ledger.trial
    if trial and trial.proposal.parameter not in ledger.config:
        abort(moment, trial, "superseded", f"the orchestrator no longer supports {trial.proposal.parameter}")


def _applied(moment: Moment, event: Event) -> None:
    data: dict[str, Any] = event[4]
    trial = moment.ledger.trial
    if trial and (data["change"], data["version"]) == trial.latest:
        _acknowledge(moment, event)
    elif moment.ledger.orchestrator == event[1]:
        heard(moment)


def _rejected(moment: Moment, event: Event) -> None:
    data: dict[str, Any] = event[4]
    trial = moment.ledger.trial
    if trial and (data["change"], data["version"]) == trial.latest:
        trial.rejected = data["reason"]
        heard(moment)


def _rated(moment: Moment, event: Event) -> None:
    data: dict[str, Any] = event[4]
    trial = moment.ledger.trial
    if trial and data["change"] in trial.changes:
        trial.ratings[data["agent"]] = data["rating"]


def _implied(moment: Moment, event: Event, version: int) -> None:
    """The registered orchestrator names the version that it works with."""
    ledger = moment.ledger
    if event[1] != ledger.orchestrator:
        return
    if ledger.trial and version >= ledger.trial.latest[1]:
        _acknowledge(moment, event)
    elif version >= ledger.version:
        heard(moment)


def _acknowledge(moment: Moment, event: Event) -> None:
    """The first acknowledgement counts, but never from before the change went out.

    One that comes later than the deadlines allow, since a freeze held them up, puts the review off by as much.
    """
    trial = moment.ledger.trial
    if trial and trial.answered_us is None:
        trial.answered_us = max(event[0], trial.said_us)
        latest_us = trial.said_us + 2 * round(moment.policy.trial.acknowledge_s * SECOND)
        if trial.applied_us is None:
            trial.applied_us = trial.answered_us
            trial.review_us += max(trial.applied_us - latest_us, 0)
    heard(moment)


ANSWERS: dict[str, Callable[[Moment, Event], None]] = {
    "orchestrator.registered": _registered,
    "config.applied": _applied,
    "config.rejected": _rejected,
    "agent.feedback": _rated,
}
