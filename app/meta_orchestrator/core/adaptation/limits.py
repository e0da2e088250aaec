"""What holds a wish back. The order of LIMITS is the precedence.

A limit says in a sentence why a wish may not pass, or None. Its name is the `refused_by` of the decision.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from meta_orchestrator.core.adaptation.occupancy import LIMIT
from meta_orchestrator.core.adaptation.parameters import fault, is_looser, towards
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.ledger import By, Ledger
from meta_orchestrator.core.validation.metrics import is_prompt
from meta_orchestrator.messages.fields import DAY_US, HOUR_US, SECOND, format_time_us
from meta_orchestrator.messages.outputs import RefusedBy
from meta_orchestrator.policy import Policy

Limit = Callable[[Wish, Ledger, Policy, int], str | None]


@dataclass(frozen=True)
class Refusal:
    by: RefusedBy
    sentence: str


def operator_command(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """An operator changes the configuration at this tick: the rules wait for the next one."""
    return "an operator changed the configuration just now" if _changed_by("operator", ledger, tick_us) else None


def safety_rollback(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """A guard metric ended a trial at this tick: nothing else changes with it."""
    return "a change was taken back for safety just now" if _changed_by("guard", ledger, tick_us) else None


def pinned(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """An operator's override holds the parameter until it ends."""
    override = ledger.overrides.get(wish.parameter)
    if override is None:
        return None
    return f"{override.owner} pinned it to {override.value} until {format_time_us(override.until_us)}"


def frozen(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """A freeze, an operator's or an escalation's, or an orchestrator that does not answer."""
    if ledger.is_frozen(tick_us):
        return f"changes are frozen until {format_time_us(ledger.frozen_until_us())}"
    if ledger.silent_since_us is None:
        return None
    return f"the orchestrator has acknowledged none of the last {ledger.unacknowledged} changes and must be heard first"


def unsupported(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """The orchestrator did not name the parameter, or the policy does not describe it."""
    if wish.parameter not in ledger.config:
        return "no orchestrator has said that it supports it"
    return None if wish.parameter in policy.parameters else "the policy does not describe it"


def bounds(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """The value is outside the policy's bounds, or there is no further one."""
    if wish.to is None:
        return f"there is no step beyond {ledger.config[wish.parameter]}"
    return fault(policy.parameters[wish.parameter], wish.to)


def mode(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """Nothing goes out without approval: the policy says `recommend`, a safety parameter would become looser than the
    baseline, an escalation asks for approval, or the orchestrator rejected the parameter too often."""
    parameter = policy.parameters[wish.parameter]
    if parameter.mode == "recommend":
        return "the policy only recommends changes of it"
    if ledger.rejections.get(wish.parameter, 0) >= policy.trial.rejections:
        return f"the orchestrator rejected it {ledger.rejections[wish.parameter]} times, so it is only recommended"
    if ledger.approvals:
        return f"the escalation {ledger.approvals[0]} asks for approval of every change"
    if parameter.safety and wish.to is not None and is_looser(parameter, wish.to, ledger.baseline[wish.parameter]):
        return f"it is a safety parameter and {wish.to} is looser than its baseline {ledger.baseline[wish.parameter]}"
    return None


def warming_up(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """The project has not been watched for long enough."""
    watched_s = (tick_us - (tick_us if ledger.born_us is None else ledger.born_us)) / SECOND
    if watched_s >= policy.pace.warm_up_s:
        return None
    return f"the project has been watched for {watched_s:g} s of the {policy.pace.warm_up_s:g} s of warm-up"


def evidence(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """Something looks wrong, but there are too few values, chance would do as an explanation, it is too new for a trial
    to be compared with, or what was learnt speaks against the remedy."""
    if wish.why.samples < wish.why.needed:
        return f"it rests on {wish.why.samples} values, and {wish.why.needed} are needed"
    if wish.why.certainty < policy.trial.guard_at:
        return f"chance would explain it: {wish.why.certainty:.1%} sure, and {policy.trial.guard_at:.1%} are needed"
    least_s = policy.trial.least_baseline_s
    if wish.baseline_s is not None and wish.baseline_s < least_s:
        return f"a trial could be compared with {wish.baseline_s:g} s of it only, and {least_s:g} s are needed"
    return _unpromising(wish, policy)


def in_flight(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """Another trial is running: two at once could not be told apart."""
    if ledger.trial is None:
        return None
    proposal = ledger.trial.proposal
    return f"{proposal.parameter} = {proposal.to} is on trial until {format_time_us(ledger.trial.review_us)}"


def rate_limit(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """Enough changes in the last hour; after a reset to the baseline fewer are allowed for a while."""
    recent, most = sum(time > tick_us - HOUR_US for time in ledger.changes_us), policy.pace.changes_per_hour
    ramped = _ramped(most, ledger, policy, tick_us)
    if recent < ramped:
        return None
    so_soon = " so soon after the reset" if ramped < most else ""
    return f"{recent} changes went out in the last hour, and {ramped} are allowed{so_soon}"


def cooldown(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """The parameter rests after a trial, or after an owner declined; the reverse of what was kept rests longer."""
    rest_us = ledger.rests_until_us.get(wish.parameter, 0)
    if rest_us > tick_us:
        return f"it rests until {format_time_us(rest_us)}"
    reverse_us = ledger.rests_until_us.get(_direction(wish, ledger, policy), 0)
    return f"it would reverse what was kept until {format_time_us(reverse_us)}" if reverse_us > tick_us else None


def deadband(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """What is wrong is too close to its target to be worth a change."""
    if wish.why.gap >= policy.pace.dead_band:
        return None
    return f"it is only {wish.why.gap:.1%} from its target, and {policy.pace.dead_band:.0%} are left alone"


def budget(wish: Wish, ledger: Ledger, policy: Policy, tick_us: int) -> str | None:
    """Enough changes in the last day."""
    recent, most = sum(time > tick_us - DAY_US for time in ledger.changes_us), policy.pace.budget_per_day
    return f"{recent} changes went out in the last day, and {most} are allowed" if recent >= most else None


LIMITS: tuple[Limit, ...] = (
    operator_command,
    safety_rollback,
    pinned,
    frozen,
    unsupported,
    bounds,
    mode,
    warming_up,
    evidence,
    in_flight,
    rate_limit,
    cooldown,
    deadband,
    budget,
)
"""The precedence of CONTRACT §5: the first that speaks wins."""

AFTER_MODE = LIMITS[LIMITS.index(mode) + 1 :]
"""What a recommendation must pass as well."""

FOR_OPERATORS: tuple[Limit, ...] = (unsupported, bounds)
"""What even an operator's override must pass."""

FOR_APPROVED: tuple[Limit, ...] = (pinned, frozen, unsupported, bounds)
"""What is checked again when an owner approves a proposal."""


def first_refusal(
    wish: Wish, ledger: Ledger, policy: Policy, tick_us: int, limits: Sequence[Limit] = LIMITS
) -> Refusal | None:
    """The first limit that holds the wish back."""
    for limit in limits:
        sentence = limit(wish, ledger, policy, tick_us)
        if sentence is not None:
            return Refusal(cast(RefusedBy, _name(limit)), sentence)
    return None


def _ramped(most: int, ledger: Ledger, policy: Policy, tick_us: int) -> int:
    """One change an hour after a reset, growing to all that are allowed."""
    ramp_us = policy.reset.ramp_s * SECOND
    if ledger.reset_us is None or tick_us >= ledger.reset_us + ramp_us:
        return most
    return max(1, int(most * (tick_us - ledger.reset_us) / ramp_us))


def _direction(wish: Wish, ledger: Ledger, policy: Policy) -> str:
    """The parameter and which way the wish goes, as `rests_until_us` names it."""
    if wish.to is None or wish.parameter not in ledger.config:
        return wish.parameter
    return towards(wish.parameter, policy.parameters[wish.parameter], ledger.config[wish.parameter], wish.to)


def _unpromising(wish: Wish, policy: Policy) -> str | None:
    """What the response model has learnt so far speaks against it."""
    least = policy.adaptation.least_gain
    if wish.gain is None:
        return None
    if wish.gain.p_positive < _worth_trying(wish, policy):
        return f"it would help with a probability of {wish.gain.p_positive:.0%} only, by what was learnt here"
    if wish.gain.mean <= least and not wish.is_main:
        return f"it promises {wish.gain.mean:+.1%} by what was learnt here, and {least:.1%} are worth a change"
    return None


def _worth_trying(wish: Wish, policy: Policy) -> float:
    """The probability of help from which on something is tried: the main remedy of a trouble where it would be kept if
    its trial told nothing new, and sooner if that shows whether it helps, by its aim or by the time that it takes."""
    if not wish.is_main:
        return policy.adaptation.turn_at if wish.is_back else policy.adaptation.try_at
    shows = is_prompt(wish.why.metric, wish.why.evidence) or wish.parameter == LIMIT
    return policy.trial.aim_at if shows else policy.trial.believe_at


def _changed_by(who: By, ledger: Ledger, tick_us: int) -> bool:
    return any(past.time_us == tick_us and past.by == who for past in ledger.past[-10:])


def _name(limit: Limit) -> str:
    return str(getattr(limit, "__name__"))  # noqa: B009 - a Callable has no name
