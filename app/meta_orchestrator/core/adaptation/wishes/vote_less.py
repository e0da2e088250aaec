"""Over-deliberation on minor things: most votes are about something minor that passes, and it takes long."""

from math import expm1

from meta_orchestrator.core.adaptation.trigger import triggers
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.adaptation.wishes.look import look, look_at, next_value
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.evidence import estimate
from meta_orchestrator.core.validation.metrics import LATENCY
from meta_orchestrator.messages.wording import number_text

PARAMETER = "consensus.frequency"
MOST = 0.5
"""More than half of all votes changed nothing that mattered: minor, and accepted."""


def vote_less(moment: Moment) -> Wish | None:
    """One step less voting; it should free time, so velocity is what it is judged by."""
    needless = look(moment, "rounds_minor_accepted", "rounds_closed", MOST)
    latency_ms, limit_ms = _latency_ms(moment), moment.policy.targets.consensus_latency_p95_ms
    rounds = moment.findings.antipatterns.get("excessive_rounds")
    slow = latency_ms is not None and latency_ms > limit_ms
    if not needless.is_wrong or not (slow or rounds):
        return None
    took = f"consensus takes {number_text(latency_ms)} ms where {number_text(limit_ms)} ms are wanted"
    trouble = took if slow else "rounds repeat"
    return Wish(
        parameter=PARAMETER,
        to=next_value(moment, PARAMETER, -1),
        reason=f"{needless.value:.0%} of votes are on minor changes that pass, and {trouble}",
        metric="development_velocity",
        gap=max(latency_ms / limit_ms - 1 if slow and latency_ms else 0.0, rounds.severity if rounds else 0.0),
        certainty=needless.certainty,
        samples=needless.samples,
        needed=moment.policy.analysis.min_events,
        expected={"development_velocity": 0.1, "consensus_latency_ms": -0.1},
        evidence={
            "minor_accepted_share": needless.value,
            "rounds": needless.samples,
            "latency_ms": latency_ms,
            "latency_target_ms": limit_ms,
            "looked_back_s": needless.seconds,
        },
        trigger=triggers(moment, rounds),
    )


def _latency_ms(moment: Moment) -> float | None:
    """The window's p95; where there are too few values for one, the typical latency of a longer past, which is less."""
    p95 = moment.measures.consensus_latency_p95_ms
    if p95 is not None:
        return p95
    found = look_at(moment, lambda rows: estimate(rows, LATENCY), 0.0).found
    return expm1(found.value) if found else None
