"""A trial to and fro: both values in turn, in pairs of periods, and in each pair the order is drawn.

Where agents share work a change touches everybody, so nobody can be left out as a control, and a small effect drowns in
the drift of the load. Neighbouring periods have the same load but for chance, and the draw takes care of the rest
(Bojinov, Simchi-Levi, Zhao 2023, "Design and analysis of switchback experiments").
"""

from meta_orchestrator.core.adaptation.publish import publish
from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Period, Proposal, Trial
from meta_orchestrator.messages.cloudevent import digest
from meta_orchestrator.messages.fields import HOUR_US, SECOND, Value, format_time_us
from meta_orchestrator.messages.outputs import ConfigChange


def is_called_for(moment: Moment, proposal: Proposal) -> bool:
    """Little is to be expected, agents share work, and the day's flips are not used up."""
    times, flips = moment.policy.trial, 2 * moment.policy.trial.switchback_pairs
    if _promised(proposal) >= times.switchback_below or len(moment.ledger.flips_us) + flips > times.flips_per_day:
        return False
    recent = moment.history.between(moment.tick_us - HOUR_US, moment.tick_us)
    return bool(recent[:, INDEX["handoffs_ended"]].sum() > 0)


def length_us(moment: Moment) -> int:
    """From the first period to the review: what was begun in the last one is given the time of a burn-in to end."""
    times = moment.policy.trial
    return 2 * times.switchback_pairs * _period_us(moment) + _burn_in_us(moment)


def timetable(moment: Moment, change: str) -> list[Period]:
    """Drawn from the id of the change. The first period tries the new value, since the change goes out with it."""
    length, periods = _period_us(moment), []
    for pair in range(moment.policy.trial.switchback_pairs):
        first = pair == 0 or int(digest("order", change, pair), 16) % 2 == 0
        for place, tried in ((2 * pair, first), (2 * pair + 1, not first)):
            start_us = moment.tick_us + place * length
            row = [0.0] * len(INDEX)
            periods.append(Period(start_us, start_us + length, tried, row=row))
    return periods


def published(proposal: Proposal, periods: list[Period]) -> list[dict[str, object]]:
    """The timetable as the decision tells it: [{start, end, value}]."""
    return [
        {
            "start": format_time_us(period.start_us),
            "end": format_time_us(period.end_us),
            "value": _value(proposal, period),
        }
        for period in periods
    ]


def flip(moment: Moment, trial: Trial) -> None:
    """Put the value of the present period in force, if it is not; what a freeze holds up is not measured."""
    while trial.place + 1 < len(trial.periods) and trial.periods[trial.place + 1].start_us <= moment.tick_us:
        trial.place += 1
    value = _value(trial.proposal, trial.periods[trial.place])
    parameter, ledger = trial.proposal.parameter, moment.ledger
    if ledger.is_frozen(moment.tick_us) or trial.answered_us is None or ledger.config[parameter] == value:
        return
    number = f"{trial.place + 1} of {len(trial.periods)}"
    reason = f"period {number} of the trial of {parameter} = {trial.proposal.to}: {value} is in force"
    more = {name: trial.published[name] for name in ("review_at", "rollback_if") if trial.published.get(name)}
    change = publish(moment, "trial", "rule", {parameter: value}, reason, trial=trial.proposal.id, **more)
    _await(moment, trial, change)
    ledger.flips_us.append(moment.tick_us)


def begin_period(moment: Moment, trial: Trial) -> None:
    """Once the value of the present period is acknowledged, what begins after the burn-in is measured."""
    period, answered_us = trial.periods[trial.place], trial.answered_us
    if period.from_us is not None or answered_us is None or moment.tick_us > period.end_us:
        return
    if moment.ledger.config[trial.proposal.parameter] == _value(trial.proposal, period):
        period.from_us = max(period.start_us + _burn_in_us(moment), answered_us)


def _await(moment: Moment, trial: Trial, change: ConfigChange) -> None:
    """A flip is acknowledged like any change."""
    trial.published, trial.said_us, trial.repeated = change.model_dump(mode="json"), moment.tick_us, False
    trial.acknowledge_by_us = moment.tick_us + round(moment.policy.trial.acknowledge_s * SECOND)
    trial.answered_us = moment.tick_us if moment.ledger.assumed else None
    if moment.ledger.config[trial.proposal.parameter] == trial.proposal.to:
        trial.changes.append(change.change)


def _promised(proposal: Proposal) -> float:
    """How much it may well bring: what the model expects and its standard deviation on top.

    Where there is no model, what is expected of the metric that should move most.
    """
    gain, sd = proposal.evidence.get("expected_gain"), proposal.evidence.get("expected_gain_sd")
    if isinstance(gain, int | float) and isinstance(sd, int | float):
        return abs(gain) + sd
    return max((abs(change) for change in proposal.expected.values()), default=1.0)


def _value(proposal: Proposal, period: Period) -> Value:
    return proposal.to if period.tried else proposal.from_


def _period_us(moment: Moment) -> int:
    """Whole ticks."""
    ticks = max(round(moment.policy.trial.period_s / moment.policy.time.tick_s), 1)
    return ticks * moment.policy.time.tick_us


def _burn_in_us(moment: Moment) -> int:
    return round(moment.policy.trial.burn_in * _period_us(moment))
