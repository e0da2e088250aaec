"""What is compared with the team that nobody tunes: the policy with its model, the same with rules alone."""

from meta_orchestrator.policy import Policy

STATIC, BEST = "static", "best fixed"
ADAPTIVE, RULES = "adaptive", "rules"


def arms(policy: Policy, ablations: bool = False) -> dict[str, Policy]:
    """Name → the policy of a controller; the first is what it is all about."""
    adaptive = in_force(policy)
    return {ADAPTIVE: adaptive, RULES: _with(adaptive, "adaptation", chooser="rules")}


def in_force(policy: Policy) -> Policy:
    """The policy as it is evaluated: one that only recommends is taken as if its owner had said `enforce`, since it
    would change nothing."""
    if any(parameter.mode == "enforce" for parameter in policy.parameters.values()):
        return policy
    enforced = {name: one.model_copy(update={"mode": "enforce"}) for name, one in policy.parameters.items()}
    return policy.model_copy(update={"parameters": enforced})


def _with(policy: Policy, section: str, **values: object) -> Policy:
    return policy.model_copy(update={section: getattr(policy, section).model_copy(update=values)})
