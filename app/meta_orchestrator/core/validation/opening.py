"""A trial begins: how it is designed, when it is reviewed, and what is remembered of it until it ends."""

from dataclasses import dataclass

from meta_orchestrator.core.adaptation.occupancy import LIMIT
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Proposal, Trial
from meta_orchestrator.core.validation import switchback
from meta_orchestrator.core.validation.metrics import LATE, is_prompt
from meta_orchestrator.messages import outputs
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import ConfigChange


@dataclass(frozen=True)
class Design:
    """A step, or to and fro."""

    to_and_fro: bool
    settle_us: int
    lag_us: int
    review_us: int


def designed(moment: Moment, proposal: Proposal) -> Design:
    """Chosen before the change goes out: its time of review is published with it."""
    times, to_and_fro = moment.policy.trial, switchback.is_called_for(moment, proposal)
    if to_and_fro:
        settle_s, lag_s, length_s = times.settle_s, times.settle_s, switchback.length_us(moment) / SECOND
    else:
        settle_s, lag_s, length_s = _step(moment, proposal)
    settle_us, lag_us, length_us = (round(seconds * SECOND) for seconds in (settle_s, lag_s, length_s))
    return Design(to_and_fro, settle_us, lag_us, moment.tick_us + length_us)


def _step(moment: Moment, proposal: Proposal) -> tuple[float, float, float]:
    """How long it settles, how much longer what gets done lags, and how long it lasts: seconds.

    With another limit of work in progress agents are soon busier, or less busy; what is finished at first was begun
    before it.
    """
    times = moment.policy.trial
    length_s = times.late_s if proposal.metric in LATE else times.review_s
    lead_s = _lead_time_s(moment) if proposal.parameter == LIMIT else 0.0
    lag_s = max(times.settle_s, lead_s / 2)
    if is_prompt(proposal.metric, proposal.evidence):
        return times.settle_s, lag_s, length_s
    return lag_s, lag_s, max(length_s, lag_s + lead_s)


def _lead_time_s(moment: Moment) -> float:
    """How long work takes here, as far as a trial waits for it."""
    known_s = moment.response.batches.lead_time_s(moment.books) if moment.response else 0.0
    return min(known_s, moment.policy.trial.longest_lead_s)


def open_trial(
    moment: Moment, proposal: Proposal, change: ConfigChange, since_us: int, design: Design
) -> outputs.Trial:
    """From here on the change is on trial; returns what its decision says of it."""
    periods = switchback.timetable(moment, change.change) if design.to_and_fro else []
    now_us = moment.tick_us if moment.ledger.assumed else None
    moment.ledger.trial = Trial(
        proposal=proposal,
        change=change.change,
        version=change.version,
        started_us=moment.tick_us,
        review_us=design.review_us,
        acknowledge_by_us=moment.tick_us + round(moment.policy.trial.acknowledge_s * SECOND),
        settle_us=design.settle_us,
        lag_us=design.lag_us,
        since_us=since_us,
        published=change.model_dump(mode="json"),
        applied_us=now_us,
        answered_us=now_us,
        said_us=moment.tick_us,
        periods=periods,
        changes=[change.change],
    )
    return outputs.Trial(
        id=proposal.id,
        design="switchback" if periods else "step",
        periods=switchback.published(proposal, periods) if periods else None,
        review_at=format_time_us(design.review_us),
    )
