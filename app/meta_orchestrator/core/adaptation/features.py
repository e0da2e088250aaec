"""What a configuration is made of, for the response model: steps away from the baseline, their squares, key
interactions, and how much of each remedy is in it.

A feature vector is a value of phi(configuration, symptoms); only differences of two are ever used, so that a change is
described by what it moves. Slopes are per step of the policy, so priors mean the same for every parameter and for
those that users declare.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.adaptation.frequency import is_frequency, voting
from meta_orchestrator.core.adaptation.remedies import SYMPTOMS, remedies_of
from meta_orchestrator.messages.fields import Value
from meta_orchestrator.policy import BUILT_IN, Parameter, Policy

Vector = NDArray[np.float64]
MOST_PARAMETERS = 16
"""More than these (by name, after the built-in ones) are left to the rules: bounds the model's state."""
LADDER = 4
"""`consensus.frequency` from every change to critical changes only, in steps."""
PAIRS = (
    ("workflow.wip_limit", "consensus.frequency"),
    ("workflow.wip_limit", "workflow.review_depth"),
    ("workflow.review_depth", "quality.min_pass_rate"),
)
"""Parameters that draw on the same attention, or find the same defects: what one gains depends on the other."""
CONTEXT = ("level", "load", "mix")
"""What is not configuration: how things are, how much work arrives, how large it is."""

LOAD_GAIN = 0.2
"""Score for each e-fold of work that arrives: half of velocity's usual weight, give or take all of it."""
MIX_GAIN = 0.4
"""Score for each e-fold of points a task: velocity follows it one to one."""


@dataclass(frozen=True)
class Priors:
    """Mean and standard deviation of each coefficient, shape (d,), in shares of the objective."""

    mean: Vector
    spread: Vector


class Space:
    """The coefficients of one policy's model: their names, priors and the features of a configuration."""

    def __init__(self, policy: Policy) -> None:
        known = policy.parameters
        first = sorted(known, key=lambda name: (name not in BUILT_IN, name))[:MOST_PARAMETERS]
        self.parameters = {name: known[name] for name in first}
        self.remedies = {name: strengths for name, strengths in remedies_of(policy).items() if name in first}
        self.curved = [name for name, it in self.parameters.items() if it.type in ("int", "float")]
        self.pairs = [pair for pair in PAIRS if pair[0] in self.parameters and pair[1] in self.parameters]
        self.names = [
            *CONTEXT,
            *self.parameters,
            *(f"{name}^2" for name in self.curved),
            *(f"{one}*{other}" for one, other in self.pairs),
            *(f"{symptom}?" for symptom in SYMPTOMS),
        ]

    def priors(self, policy: Policy) -> Priors:
        """What is believed before anything was seen.

        Nothing is known of a parameter's own slope; each has its best value somewhere inside (the squares); and a
        remedy helps where its symptom is seen.
        """
        given = policy.adaptation
        blocks = [
            (1, 0.0, given.level_sd),
            (1, LOAD_GAIN, LOAD_GAIN),
            (1, MIX_GAIN, MIX_GAIN / 4),
            (len(self.parameters), 0.0, given.step_sd),
            (len(self.curved), -given.step_sd / 2, given.step_sd / 2),
            (len(self.pairs), 0.0, given.step_sd / 2),
            (len(SYMPTOMS), given.remedy_gain, given.remedy_sd),
        ]
        mean = np.concatenate([np.full(size, value) for size, value, _ in blocks])
        return Priors(mean, np.concatenate([np.full(size, spread) for size, _, spread in blocks]))

    def phi(self, config: Mapping[str, Value], baseline: Mapping[str, Value], symptoms: Mapping[str, float]) -> Vector:
        """The features of a configuration, shape (d,); the context's are 0."""
        at = {name: self._steps(name, config, baseline) for name in self.parameters}
        remedied = dict.fromkeys(SYMPTOMS, 0.0)
        for name, steps in at.items():
            for symptom, strength in self.remedies[name].items():
                remedied[symptom] += symptoms.get(symptom, 0.0) * strength * steps
        return np.array(
            [
                *(0.0 for _ in CONTEXT),
                *at.values(),
                *(at[name] ** 2 / _range(self.parameters[name]) for name in self.curved),
                *(at[one] * at[other] / LADDER for one, other in self.pairs),
                *remedied.values(),
            ]
        )

    def _steps(self, name: str, config: Mapping[str, Value], baseline: Mapping[str, Value]) -> float:
        """How many steps a value is above the baseline; 0 where one of them is not known, or not of its kind."""
        if name not in config:
            return 0.0
        parameter, value = self.parameters[name], config[name]
        at, before = place(parameter, value), place(parameter, baseline.get(name, value))
        return 0.0 if at is None or before is None else at - before


def place(parameter: Parameter, value: Value) -> float | None:
    """Where a value stands, counted in steps: more is more of a number, a later choice, more voting.

    None for what is no such value: an orchestrator may name anything as its own.
    """
    if parameter.type == "frequency":
        return LADDER * voting(value) if isinstance(value, str) and is_frequency(value) else None
    if parameter.type == "choice":
        choices = parameter.choices or ()
        return float(choices.index(str(value))) if value in choices else None
    return value / (parameter.step or 1.0) if isinstance(value, int | float) else None


def _range(parameter: Parameter) -> float:
    """The length of its range in steps, 1 at the least."""
    return max(((parameter.high or 0.0) - (parameter.low or 0.0)) / (parameter.step or 1.0), 1.0)
