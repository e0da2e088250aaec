"""Votes are repeated and still nobody agrees: another round costs time and brings nothing."""

from meta_orchestrator.core.adaptation.trigger import triggers
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.adaptation.wishes.look import look, next_value
from meta_orchestrator.core.moment import Moment

PARAMETER = "consensus.max_rounds"
REPEATED = 0.2
"""A fifth of the rounds are second attempts or later."""


def max_rounds(moment: Moment) -> Wish | None:
    """One round less."""
    success = look(moment, "rounds_decided", "rounds_closed", moment.policy.targets.consensus_success_rate, "below")
    repeated = look(moment, "rounds_repeated", "rounds_closed", REPEATED)
    rounds = moment.findings.antipatterns.get("excessive_rounds")
    if not success.is_wrong or not (repeated.is_wrong or rounds):
        return None
    return Wish(
        parameter=PARAMETER,
        to=next_value(moment, PARAMETER, -1),
        reason=f"{repeated.value:.0%} of votes are repeated, and only {success.value:.0%} come to a decision",
        metric="consensus_success_rate",
        gap=success.gap,
        certainty=success.certainty,
        samples=success.samples,
        needed=moment.policy.analysis.min_events,
        expected={"consensus_success_rate": 0.1, "coordination_failures": -0.1},
        evidence={
            "consensus_success_rate": success.value,
            "target": success.target,
            "repeated_share": repeated.value,
            "rounds": success.samples,
            "looked_back_s": success.seconds,
        },
        trigger=triggers(moment, rounds),
    )
