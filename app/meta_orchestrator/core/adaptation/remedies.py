"""Which parameter helps against which trouble, and how much of the help is expected of it: the causal directions.

Positive: more of it helps. 1 is the main remedy of a symptom, less stands for a weaker or a less certain one. These
are priors: the response model learns from each trial how much a project's remedies are worth.
"""

from collections.abc import Mapping

from meta_orchestrator.core.adaptation.parameters import Direction
from meta_orchestrator.policy import Parameter, Policy, Symptom

SYMPTOMS: tuple[str, ...] = Symptom.__args__  # type: ignore[attr-defined]

REMEDIES: dict[str, dict[str, float]] = {
    "consensus.frequency": {
        "slow_votes": -1,
        "crowding": -1,
        "starvation": -0.5,
        "regressions": 0.3,
        "undecided": -0.4,
        "no_agreement": -0.6,
    },
    "consensus.threshold.minor": {"slow_votes": -0.4, "undecided": -0.6, "no_agreement": -0.4, "regressions": 0.2},
    "consensus.threshold.normal": {"slow_votes": -0.3, "undecided": -0.7, "no_agreement": -0.4, "regressions": 0.2},
    "consensus.threshold.major": {"undecided": -0.3, "regressions": 0.2},
    "consensus.threshold.critical": {"undecided": -0.2, "regressions": 0.1},
    "consensus.max_rounds": {"slow_votes": -0.3, "no_agreement": 1},
    "workflow.wip_limit": {"overload": -1, "starvation": 1},
    "workflow.handoff_timeout_s": {"timeouts": 1, "stuck": 0.3},
    "workflow.max_rework": {"rework": 1, "stuck": 0.4},
    "workflow.max_handoffs": {"stuck": 1},
    "workflow.review_depth": {"regressions": 1, "slow_and_clean": -1, "crowding": -0.4},
    "quality.min_pass_rate": {"regressions": 0.5, "rework": -0.9, "slow_and_clean": -0.4},
}
"""Parameter → {symptom: how much one step up helps}.

Rounds are no remedy where votes come to no decision: with fewer of them more are decided only because the hard ones go
to people (measured: at one round, several times the calls).
"""


def remedies_of(policy: Policy) -> dict[str, Mapping[str, float]]:
    """Parameter → {symptom: how much one step up helps}: the policy's own word, else what is built in."""
    return {name: _own(it) or REMEDIES.get(name, {}) for name, it in policy.parameters.items()}


def _own(parameter: Parameter) -> Mapping[str, float]:
    return {str(symptom): strength for symptom, strength in parameter.helps.items()}


def against(policy: Policy, symptom: str) -> list[tuple[str, Direction, float]]:
    """(parameter, direction, strength) of what helps, the main remedy first."""
    helps = [(name, strengths.get(symptom, 0.0)) for name, strengths in remedies_of(policy).items()]
    known = sorted((-abs(strength), name, strength) for name, strength in helps if strength)
    return [(name, +1 if strength > 0 else -1, abs(strength)) for _, name, strength in known]
