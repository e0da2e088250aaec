"""The policy: what may be changed, how far, how fast, and what counts as better. Frozen values, read from TOML.

Nothing is put in force until the owner says `enforce`.
"""

from meta_orchestrator.policy.judgement import ANTIPATTERNS, Adaptation, Analysis, Escalation, Targets, Weights
from meta_orchestrator.policy.pace import Limits, Pace, Reset, Samples, Time, Trials
from meta_orchestrator.policy.parameters import BUILT_IN, Metric, Parameter, Symptom
from meta_orchestrator.policy.policy import Policy, load_policy
from meta_orchestrator.policy.section import parse

__all__ = [
    "ANTIPATTERNS",
    "BUILT_IN",
    "Adaptation",
    "Analysis",
    "Escalation",
    "Limits",
    "Metric",
    "Pace",
    "Parameter",
    "Policy",
    "Reset",
    "Samples",
    "Symptom",
    "Targets",
    "Time",
    "Trials",
    "Weights",
    "load_policy",
    "parse",
]
