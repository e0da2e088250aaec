"""Agents that hold too much at once fail more; agents that stand idle while work waits may hold more."""

from dataclasses import replace

from meta_orchestrator.core.adaptation.trigger import triggers
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.adaptation.wishes.look import Look, look, look_at, next_value
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.evidence import Estimate, Rows, estimate
from meta_orchestrator.messages.outputs import Antipattern, Drift
from meta_orchestrator.messages.wording import number_text

PARAMETER = "workflow.wip_limit"
WAITING = 0.1
"""Blocked for each started in the window: beyond this, work waits."""
OVERLOAD = ("rework_percentage", "quality_regression_rate", "handoff_failure_rate", "coordination_failures")
"""What goes up where agents do too much at once."""


def wip_limit(moment: Moment) -> Wish | None:
    """One task less an agent, or one more."""
    targets = moment.policy.targets
    busy = look_at(moment, _utilization, targets.utilization_high)
    if busy.is_wrong:
        return _less(moment, busy)
    idle = look_at(moment, _utilization, targets.utilization_low, "below")
    return _more(moment, idle) if idle.is_wrong else None


def _less(moment: Moment, busy: Look) -> Wish | None:
    """Busy alone is no fault: only where something else shows that it is too much."""
    drift = _risen(moment)
    failing = look(moment, "handoffs_failed", "handoffs_ended", moment.policy.targets.handoff_failure_rate)
    if drift is None and not failing.is_wrong:
        return None
    metric = drift.metric if drift else "handoff_failure_rate"
    trouble = f"{metric} has risen to {number_text(drift.after)}" if drift else f"{failing.value:.0%} of handoffs fail"
    return Wish(
        parameter=PARAMETER,
        to=next_value(moment, PARAMETER, -1),
        reason=f"agents are busy for {busy.value:.0%} of their time, and {trouble}",
        metric=metric,
        gap=max(busy.gap, failing.gap),
        certainty=busy.certainty,
        samples=busy.samples,
        needed=_needed(moment),
        expected={metric: -0.1},
        evidence=_evidence(busy),
        trigger=triggers(moment, drift),
    )


def _more(moment: Moment, idle: Look) -> Wish | None:
    """Idle alone is no fault: only where work waits."""
    blocked, started = (moment.measures.counts.get(f"agent.task.{it}", 0) for it in ("blocked", "started"))
    bottleneck = _first_antipattern(moment, "bottleneck", "stalled")
    if bottleneck is None and blocked <= WAITING * started:
        return None
    trouble = f"{bottleneck.kind} is seen" if bottleneck else f"{blocked} tasks were blocked and {started} started"
    return Wish(
        parameter=PARAMETER,
        to=next_value(moment, PARAMETER, +1),
        reason=f"agents are busy for only {idle.value:.0%} of their time while work waits: {trouble}",
        metric="agent_utilization",
        gap=idle.gap,
        certainty=idle.certainty,
        samples=idle.samples,
        needed=_needed(moment),
        expected={"agent_utilization": 0.1, "development_velocity": 0.1},
        evidence=_evidence(idle) | {"tasks_blocked": blocked, "tasks_started": started},
        trigger=triggers(moment, bottleneck),
    )


def _utilization(rows: Rows) -> Estimate | None:
    """A look is a tick here: capacity is measured, not counted."""
    found = estimate(rows, "agent_utilization")
    return found and replace(found, samples=float(len(rows)))


def _needed(moment: Moment) -> int:
    """The ticks of a window, if that is less than what is asked of events."""
    time = moment.policy.time
    return min(moment.policy.analysis.min_events, round(time.window_s / time.tick_s))


def _risen(moment: Moment) -> Drift | None:
    drifts = (moment.findings.drifts.get(metric) for metric in OVERLOAD)
    return next((drift for drift in drifts if drift and drift.direction == "up"), None)


def _first_antipattern(moment: Moment, *kinds: str) -> Antipattern | None:
    """Findings are named by their kind, with their subject after a colon where there are several."""
    found = sorted(moment.findings.antipatterns.items())
    return next((it for name, it in found if name.split(":")[0] in kinds), None)


def _evidence(found: Look) -> dict[str, int | float | str | None]:
    return {
        "agent_utilization": found.value,
        "target": found.target,
        "ticks": found.samples,
        "looked_back_s": found.seconds,
    }
