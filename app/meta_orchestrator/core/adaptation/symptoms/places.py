"""Agents that hold too much at once, or too little; and work that waits because all places are taken."""

from dataclasses import replace

from meta_orchestrator.core.adaptation.occupancy import BUSY_ENOUGH, LIMIT
from meta_orchestrator.core.adaptation.symptoms.look import Look, look, look_at
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom, seen
from meta_orchestrator.core.adaptation.trigger import triggers
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.evidence import Estimate, Rows, estimate
from meta_orchestrator.core.validation.metrics import PLACES
from meta_orchestrator.messages.fields import HOUR_US
from meta_orchestrator.messages.outputs import Antipattern, Drift
from meta_orchestrator.messages.wording import number_text

METRIC = "agent_utilization"
HALF = 0.5
"""Where fewer places are taken, of the fullest type of agents, more of them are of no use to anybody."""
FEW = 3
"""Tasks at once, one to work on while others wait for somebody else: who may hold no more has not begun too much. The
fewer places there are the fuller they look, and the larger a share of them is one step (from 3 to 2 did harm in half of
all cases, measured)."""
LOSS = 0.06
"""Share of their work that those who have begun too much may lose by a step down, as they are idle more often. Where it
was more the step did harm in four cases of four (3 % of the utility on average), where it was less in two of nine (by
.4 %; the others gained 2 %; measured)."""
SLOWER = 0.15
"""Less than usual by this share: an hour's velocity varies by about as much."""
OVERLOAD = ("rework_percentage", "quality_regression_rate", "handoff_failure_rate", "coordination_failures")
"""What goes up where agents do too much at once."""


def overload(moment: Moment) -> Symptom | None:
    """Too much begun at once: agents are busy and something shows that it is too much, or no place is free."""
    limit = moment.ledger.config.get(LIMIT)
    if isinstance(limit, int | float) and limit <= FEW:
        return None
    return _clearer(_strained(moment), _full(moment, "overload"))


def starvation(moment: Moment) -> Symptom | None:
    """Too little held at once: agents are idle while work waits at a bottleneck, or all places are taken."""
    return _clearer(_idle(moment), _full(moment, "starvation"))


def _clearer(*signs: Symptom | None) -> Symptom | None:
    """Of two signs of the same trouble the one that speaks louder."""
    return max((sign for sign in signs if sign), key=lambda sign: sign.strength, default=None)


def _strained(moment: Moment) -> Symptom | None:
    """Busy alone is no fault: only where something else shows that it is too much."""
    busy = look_at(moment, _utilization, moment.policy.targets.utilization_high)
    drift = _risen(moment)
    failing = look(moment, "handoffs_failed", "handoffs_ended", moment.policy.targets.handoff_failure_rate)
    if not busy.is_wrong or (drift is None and not failing.is_wrong):
        return None
    metric = drift.metric if drift else "handoff_failure_rate"
    trouble = f"{metric} has risen to {number_text(drift.after)}" if drift else f"{failing.value:.0%} of handoffs fail"
    reason = f"agents are busy for {busy.value:.0%} of their time, and {trouble}"
    more = {"mends": drift.metric if drift else "development_velocity", "gap": max(busy.gap, failing.gap)}
    return _of(moment, "overload", busy, reason, expected={metric: -0.1}, trigger=triggers(moment, drift), **more)


def _idle(moment: Moment) -> Symptom | None:
    """Idle alone is no fault: only where work waits at a bottleneck, and the limit may be what keeps it waiting."""
    if moment.response and moment.response.occupancy.full < HALF:
        return None
    idle = look_at(moment, _utilization, moment.policy.targets.utilization_low, "below")
    bottleneck = _first_antipattern(moment, "bottleneck", "stalled")
    if not idle.is_wrong or bottleneck is None:
        return None
    reason = f"agents are busy for only {idle.value:.0%} of their time while work waits: {bottleneck.kind} is seen"
    expected = {METRIC: 0.1, "development_velocity": 0.1}
    return _of(moment, "starvation", idle, reason, expected=expected, trigger=triggers(moment, bottleneck))


def crowding(moment: Moment) -> Symptom | None:
    """Places that are all taken, however busy those are who hold the tasks: what takes time must be saved."""
    return _full(moment, "crowding")


def _full(moment: Moment, name: str) -> Symptom | None:
    """All places of some agents have been taken for about an hour, so work waits; for hours, if no less than usual
    gets done meanwhile: then it is first of all a busy time.

    Those who are busy then have begun too much (overload); those who are not wait for somebody else (starvation): with
    more places they are soon busier, and more gets done a lead time later.
    """
    if moment.response is None:
        return None
    now, target = moment.response.occupancy, moment.policy.targets.places_taken
    if now.full <= target:
        return None
    if now.full_for_long <= target and not _is_slow(moment, moment.response.batches.usual_velocity):
        return None
    if not all(_fits(moment, name, busy) for busy in (now.busy, now.busy_for_long)):
        return None
    full = f"{now.full:.0%} of the places for tasks are taken, so that work waits for agents"
    return Symptom(
        name=name,
        reason=f"{full} who are busy for {now.busy:.0%} of their time",
        metric=METRIC if name == "starvation" else "development_velocity",
        gap=_gap(now.full, target),
        certainty=1.0,
        samples=len(moment.history.ticks),
        needed=_needed(moment),
        expected=({METRIC: 0.1} if name == "starvation" else {}) | {"development_velocity": 0.1},
        evidence={PLACES: now.full, "busy": now.busy, "target": target},
        trigger=triggers(moment, moment.findings.drifts.get("development_velocity")),
    )


def _fits(moment: Moment, name: str, busy: float) -> bool:
    """Whether those who hold the tasks have begun too much, or wait for others; to save time helps in any case.

    One step must not lead straight into the opposite trouble: a place less may cost hardly any work, and with one more
    agents may be as busy as the middle between the two troubles at the most.
    """
    limit, high = moment.ledger.config.get(LIMIT, 0), moment.policy.targets.utilization_high
    if name == "crowding" or not isinstance(limit, int | float) or limit < 1:
        return name == "crowding"
    if name == "overload":
        return busy >= high and _busy_with(limit - 1, limit, busy) >= (1 - LOSS) * busy
    return busy < BUSY_ENOUGH and (limit < FEW or _busy_with(limit + 1, limit, busy) <= (BUSY_ENOUGH + high) / 2)


def _busy_with(places: float, now: float, busy: float) -> float:
    """How busy agents would be with other places than now: they are idle while each of their tasks waits for somebody
    else, and each waits by itself."""
    return 1 - float(max(1 - busy, 0.0) ** (places / now))


def _gap(full: float, target: float) -> float:
    """How far from the target to all; those who hold more than they may are beyond any target."""
    return 1.0 if full >= 1 else (full - target) / (1 - target)


def _is_slow(moment: Moment, usual_velocity: float) -> bool:
    """Whether clearly less than usual (points an hour) got done in the last hour."""
    rows = moment.history.between(moment.tick_us - HOUR_US, moment.tick_us)
    found = estimate(rows, "development_velocity")
    return found is not None and found.value * 3600 < (1 - SLOWER) * usual_velocity


def _of(moment: Moment, name: str, found: Look, reason: str, **more: object) -> Symptom:
    return seen(name, moment, found, "ticks", METRIC, reason, needed=_needed(moment), **more)


def _utilization(rows: Rows) -> Estimate | None:
    """A look is a tick here: capacity is measured, not counted."""
    found = estimate(rows, METRIC)
    return found and replace(found, samples=float(len(rows)))


def _needed(moment: Moment) -> int:
    """The ticks of a window, if that is less than what is asked of events."""
    time = moment.policy.time
    return min(moment.policy.samples.rate, round(time.window_s / time.tick_s))


def _risen(moment: Moment) -> Drift | None:
    drifts = (moment.findings.drifts.get(metric) for metric in OVERLOAD)
    return next((drift for drift in drifts if drift and drift.direction == "up"), None)


def _first_antipattern(moment: Moment, *kinds: str) -> Antipattern | None:
    """Findings are named by their kind, with their subject after a colon where there are several."""
    found = sorted(moment.findings.antipatterns.items())
    return next((it for name, it in found if name.split(":")[0] in kinds), None)
