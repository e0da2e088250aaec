"""Over-deliberation: votes on trifles that take long, or votes that come to no decision."""

from math import expm1

from meta_orchestrator.core.adaptation.symptoms.look import look, look_at
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom, seen
from meta_orchestrator.core.adaptation.trigger import triggers
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.evidence import estimate
from meta_orchestrator.core.validation.metrics import LATENCY
from meta_orchestrator.messages.wording import number_text

MANY = 1 / 3
"""More than a third of all votes are about something of little weight, and it passes, as it would have without."""
REPEATED = 0.2
"""A fifth of the rounds are second attempts or later."""


def slow_votes(moment: Moment) -> Symptom | None:
    """Many votes are about something of little weight that passes, and it takes long; mending it should free time."""
    needless = look(moment, "rounds_needless", "rounds_closed", MANY)
    latency_ms, limit_ms = _latency_ms(moment), moment.policy.targets.consensus_latency_p95_ms
    rounds = moment.findings.antipatterns.get("excessive_rounds")
    slow = latency_ms is not None and latency_ms > limit_ms
    if not needless.is_wrong or not (slow or rounds):
        return None
    trifles = f"{needless.value:.0%} of votes are on minor or normal changes that pass"
    took = f"consensus takes {number_text(latency_ms)} ms where {number_text(limit_ms)} ms are wanted"
    return seen(
        "slow_votes",
        moment,
        needless,
        "rounds",
        "needless_share",
        f"{trifles}, and {took if slow else 'rounds repeat'}",
        mends="development_velocity",
        gap=max(latency_ms / limit_ms - 1 if slow and latency_ms else 0.0, rounds.severity if rounds else 0.0),
        expected={"development_velocity": 0.1, "consensus_latency_ms": -0.1},
        evidence={"latency_ms": latency_ms, "latency_target_ms": limit_ms},
        trigger=triggers(moment, rounds),
    )


def undecided(moment: Moment) -> Symptom | None:
    """Votes are repeated and still nobody agrees: another round costs time and brings nothing."""
    success = look(moment, "rounds_decided", "rounds_closed", moment.policy.targets.consensus_success_rate, "below")
    repeated = look(moment, "rounds_repeated", "rounds_closed", REPEATED)
    rounds = moment.findings.antipatterns.get("excessive_rounds")
    if not success.is_wrong or not (repeated.is_wrong or rounds):
        return None
    return seen(
        "undecided",
        moment,
        success,
        "rounds",
        "consensus_success_rate",
        f"{repeated.value:.0%} of votes are repeated, and only {success.value:.0%} come to a decision",
        expected={"consensus_success_rate": 0.1, "coordination_failures": -0.1},
        evidence={"repeated_share": repeated.value},
        trigger=triggers(moment, rounds),
    )


def _latency_ms(moment: Moment) -> float | None:
    """The window's p95; where there are too few values for one, the typical latency of a longer past, which is less."""
    p95 = moment.measures.consensus_latency_p95_ms
    if p95 is not None:
        return p95
    found = look_at(moment, lambda rows: estimate(rows, LATENCY), 0.0).found
    return expm1(found.value) if found else None
