"""Which parameter helps against which trouble, and how much of the help is expected of it: the causal directions.

Positive: more of it helps. 1 is the main remedy of a symptom, less stands for a weaker or a less certain one. These
are priors: the response model learns from each trial how much a project's remedies are worth.
"""

SYMPTOMS = (
    "regressions",
    "timeouts",
    "slow_votes",
    "undecided",
    "overload",
    "starvation",
    "crowding",
    "rework",
    "stuck",
    "slow_and_clean",
)
"""What may be wrong; `symptoms/` says how each is seen."""

REMEDIES: dict[str, dict[str, float]] = {
    "consensus.frequency": {"slow_votes": -1, "crowding": -0.7, "regressions": 0.3, "undecided": -0.4},
    "consensus.threshold.minor": {"slow_votes": -0.4, "undecided": -0.6, "regressions": 0.2},
    "consensus.threshold.normal": {"slow_votes": -0.3, "undecided": -0.6, "regressions": 0.2},
    "consensus.threshold.major": {"undecided": -0.3, "regressions": 0.2},
    "consensus.threshold.critical": {"undecided": -0.2, "regressions": 0.1},
    "consensus.max_rounds": {"slow_votes": -0.5, "undecided": -1},
    "workflow.wip_limit": {"overload": -1, "crowding": -0.3, "starvation": 1},
    "workflow.handoff_timeout_s": {"timeouts": 1, "stuck": 0.3},
    "workflow.max_rework": {"rework": 1, "stuck": 0.4},
    "workflow.max_handoffs": {"stuck": 1},
    "workflow.review_depth": {"regressions": 1, "slow_and_clean": -1, "crowding": -0.2},
    "quality.min_pass_rate": {"regressions": 0.5, "rework": -0.5, "slow_and_clean": -0.4},
}
"""Parameter → {symptom: how much one step up helps}."""
