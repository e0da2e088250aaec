"""Which change of the configuration, ours or people's, precedes something, and what speaks for it and against it."""

from dataclasses import dataclass
from math import exp

from meta_orchestrator.core.ledger import Ledger, Past
from meta_orchestrator.messages.fields import DAY_US, SECOND
from meta_orchestrator.messages.outputs import Evidence

_CONSENSUS = ("consensus_latency_ms", "consensus_latency_p95_ms", "consensus_success_rate", "dissent_rate")
_FLOW = ("development_velocity", "agent_utilization", "utilization", "task_latency_ms", "task_latency_p95_ms")
_QUALITY = ("quality_regression_rate", "rework_percentage")
_HANDOFFS = ("handoff_failure_rate", "handoff_failure_causes")

ACTS_ON: dict[str, tuple[str, ...]] = {
    "consensus.frequency": (*_CONSENSUS, *_FLOW, *_QUALITY, "coordination_failures", "excessive_rounds"),
    "consensus.threshold": (*_CONSENSUS, *_FLOW, *_QUALITY, "coordination_failures", "excessive_rounds"),
    "consensus.max_rounds": (*_CONSENSUS, *_FLOW, "coordination_failures", "excessive_rounds"),
    "workflow.wip_limit": (
        *_FLOW,
        *_HANDOFFS,
        *_QUALITY,
        "coordination_failures",
        "thrashing",
        "bottleneck",
        "stalled",
    ),
    "workflow.handoff_timeout_s": (*_FLOW, *_HANDOFFS, "coordination_failures", "stalled"),
    "workflow.max_rework": (*_FLOW, *_QUALITY, "coordination_failures", "excessive_rework"),
    "workflow.max_handoffs": (*_FLOW, *_HANDOFFS, "coordination_failures", "handoff_cycle", "ping_pong"),
    "workflow.review_depth": (*_FLOW, *_QUALITY, "bottleneck"),
    "quality.min_pass_rate": (*_FLOW, *_QUALITY, "excessive_rework"),
}
"""Parameter (or its family) → metrics and antipatterns that it can move, by what it does (CONTRACT §5)."""


@dataclass(frozen=True)
class Suspect:
    """A version that may have caused something.

    lead_s: from the change to the beginning of what it may have caused; negative if that began earlier.
    acts: whether its parameter can move this metric; None for parameters of the user's own.
    chance: that at this pace of changes one would stand so close before, if they had nothing to do with each other.
    """

    past: Past
    lead_s: float
    acts: bool | None
    chance: float

    @property
    def verdict(self) -> str:
        """`unlikely` where it began before the change or the parameter does not act on it; the clock alone decides
        between `likely` and `possible`, at 5 %.
        """
        if self.lead_s < 0 or self.acts is False:
            return "unlikely"
        return "likely" if self.chance <= 0.05 else "possible"


def suspect(ledger: Ledger, metric: str, since_us: int, slack_us: int, tick_us: int) -> Suspect | None:
    """The change that speaks most for itself, of those up to a day before it began and those since.

    slack_us: how uncertain the beginning is.
    """
    around = [past for past in ledger.past if past.moves and since_us - DAY_US <= past.time_us <= tick_us]
    suspects = [_suspect(past, ledger, metric, since_us, slack_us) for past in around]
    return min(suspects, key=_order, default=None)


def acts_on(parameter: str, metric: str) -> bool | None:
    """Whether a parameter can move a metric; None if nobody knows."""
    for name in (parameter, parameter.rpartition(".")[0]):
        if name in ACTS_ON:
            return metric in ACTS_ON[name]
    return None


def told(found: Suspect) -> str:
    """A sentence about it, in the words of the evidence."""
    past = found.past
    parameter, (before, after) = next(iter(past.moves.items()))
    who = {"operator": "by an operator", "rule": "by a rule of ours"}.get(past.by, f"by {past.by}")
    what = f"Version {past.version} ({parameter} {before} → {after}, {past.kind} {who})"
    minutes = f"{abs(found.lead_s) / 60:.0f} min"
    when = f"came {minutes} before it began" if found.lead_s >= 0 else f"came {minutes} after it had begun"
    against = " and does not act on this metric" if found.acts is False else ""
    return f"{what} {when}{against}: {found.verdict} as its cause."


def evidence(found: Suspect) -> Evidence:
    """For and against, flat."""
    past = found.past
    parameter, (before, after) = next(iter(past.moves.items()))
    acts = {True: "yes", False: "no", None: "unknown"}[found.acts]
    return {
        "change": past.change,
        "change_version": past.version,
        "change_by": past.by,
        "change_parameter": parameter,
        "change_from": before,
        "change_to": after,
        "change_lead_s": round(found.lead_s, 3),
        "change_acts_on_metric": acts,
        "change_chance": found.chance,
        "change_verdict": found.verdict,
    }


def _suspect(past: Past, ledger: Ledger, metric: str, since_us: int, slack_us: int) -> Suspect:
    lead_us = since_us - past.time_us
    if -slack_us <= lead_us < 0:
        lead_us = 0  # the beginning is not known that well
    acts = [acts_on(parameter, metric) for parameter in past.moves]
    recent = [it.time_us for it in ledger.past if since_us - DAY_US <= it.time_us <= since_us + slack_us]
    chance = 1 - exp(-max(len(recent), 1) * (max(lead_us, 0) + slack_us) / DAY_US)
    return Suspect(past, lead_us / SECOND, True if True in acts else None if None in acts else False, chance)


def _order(found: Suspect) -> tuple[int, float, int]:
    place = ("likely", "possible", "unlikely").index(found.verdict)
    return place, abs(found.lead_s), -found.past.version
