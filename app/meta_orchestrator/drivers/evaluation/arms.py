"""What is compared with the team that nobody tunes: the policy, the same with rules to choose, and ablations of it.

An ablation is the same code under a policy that takes one part out of effect, so it says what that part is worth.
"""

from collections.abc import Callable

from meta_orchestrator.drivers.evaluation.bandit import bandit_run
from meta_orchestrator.drivers.evaluation.runs import Run, controlled
from meta_orchestrator.policy import Policy

STATIC, BEST = "static", "best fixed"
ADAPTIVE, RULES, BANDIT = "adaptive", "rules", "River's bandit"
NO_MODEL, NO_TRIALS, NO_LIMITERS = "no model", "no trials", "no limiters"
RUNNERS: dict[str, Callable[[str, int, int, Policy, str], Run]] = {BANDIT: bandit_run}
"""Arms that are no `controlled` run."""


def runner(arm: str) -> Callable[[str, int, int, Policy, str], Run]:
    return RUNNERS.get(arm, controlled)


def arms(policy: Policy, ablations: bool = False, rules: bool = True) -> dict[str, Policy]:
    """Name → the policy of a controller; the first is what it is all about."""
    adaptive = in_force(policy)
    made = {ADAPTIVE: adaptive}
    if rules or ablations:
        made[RULES] = _with(adaptive, "adaptation", chooser="rules")
    if ablations:
        made |= {
            NO_MODEL: _without_model(made[RULES]),
            NO_TRIALS: _without_trials(adaptive),
            NO_LIMITERS: _without_limiters(adaptive),
            BANDIT: adaptive,
        }
    return made


def in_force(policy: Policy) -> Policy:
    """The policy as it is evaluated: one that only recommends is taken as if its owner had said `enforce`, since it
    would change nothing."""
    if any(parameter.mode == "enforce" for parameter in policy.parameters.values()):
        return policy
    enforced = {name: one.model_copy(update={"mode": "enforce"}) for name, one in policy.parameters.items()}
    return policy.model_copy(update={"parameters": enforced})


def _without_model(rules: Policy) -> Policy:
    """The rules choose, and a trial is judged by a bare before and after: the model never has seen enough of it."""
    return _with(rules, "adaptation", least_looks=10**6)


def _without_trials(policy: Policy) -> Policy:
    """Every change stays: it is reviewed at once, with nothing asked of it and nobody on guard."""
    unguarded = {name: one.model_copy(update={"guards": ()}) for name, one in policy.parameters.items()}
    tick_s = policy.time.tick_s
    at_once = _with(policy, "trial", settle_s=0.0, review_s=tick_s, late_s=tick_s, keep_at=0.0, reject_at=0.0)
    return at_once.model_copy(update={"parameters": unguarded})


def _without_limiters(policy: Policy) -> Policy:
    """As often as it likes, whatever it likes, however small: only trials are left."""
    return _with(
        policy, "pace", warm_up_s=0.0, changes_per_hour=10**6, cooldown_s=0.0, dead_band=0.0, budget_per_day=10**6
    )


def _with(policy: Policy, section: str, **values: object) -> Policy:
    return policy.model_copy(update={section: getattr(policy, section).model_copy(update=values)})
