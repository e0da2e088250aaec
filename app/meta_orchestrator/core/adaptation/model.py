"""The response model of a project: what is believed about what each parameter does to the objective here.

One look is one batch of settled ticks under one configuration. Its score is explained by a level, by how much work
arrived and how large it was; a change of the configuration makes the level jump by the change's features times the
coefficients. So effects are learnt from what happens when a configuration changes and from nothing else: slow drifts
go into the level, and load is not mistaken for an effect.

State: about 4 kB, single precision, so that what is stored is exactly what is used.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any

import numpy as np

from meta_orchestrator.core.adaptation.belief import Belief, Gain
from meta_orchestrator.core.adaptation.features import CONTEXT, Space, Vector
from meta_orchestrator.messages.cloudevent import digest
from meta_orchestrator.messages.fields import HOUR_US, Value, six_digits
from meta_orchestrator.policy import Policy

STATE = 1
"""Raised whenever what `dump` writes changes its meaning."""
LEVEL = CONTEXT.index("level")
FAR = 3.0
"""Looks further off than this many standard deviations count as this far: one strange batch moves little."""
LEAST_VARIANCE = 1e-5


@dataclass(frozen=True)
class Batch:
    """One look. `load` and `mix` are logarithms relative to what is usual; its length says how sure it is."""

    time_us: int
    score: float
    load: float
    mix: float
    seconds: float


class ResponseModel:
    """`config` is the configuration that the level belongs to, `symptoms` those of the moment of the last trial."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy.adaptation
        self.space = Space(policy)
        self.fingerprint = fingerprint(policy)
        self.rebuilt = False
        """Thrown away on loading, since settings had changed: to be taught from the ledger's lessons."""
        self.belief = Belief(self.space.priors(policy))
        self.noise = self.policy.noise_sd**2
        """Variance of the score of `batch_s` seconds, learnt from how far looks are from what was expected."""
        self.looks = 0
        self.time_us: int | None = None
        self.config: dict[str, Value] = {}
        self.baseline: dict[str, Value] = {}
        self.symptoms: dict[str, float] = {}
        self.trial: str | None = None
        """The proposal whose `symptoms` these are."""
        self.trial_looks = 0
        """Looks since it began."""
        self._packed: str | None = None
        """The numbers as they are stored: asked for at every tick, and new once a batch."""
        self._round()  # as it will be loaded, from the start

    def move(self, config: Mapping[str, Value]) -> None:
        """Another configuration is in force: the level jumps by what that does."""
        if self.config:
            self.belief.jump(LEVEL, self.features(config) - self.features(self.config))
            self._round()
        self.config = dict(config)

    def features(self, config: Mapping[str, Value], symptoms: Mapping[str, float] | None = None) -> Vector:
        """Under the symptoms of the last trial, unless others are meant."""
        return self.space.phi(config, self.baseline, self.symptoms if symptoms is None else symptoms)

    def begin(self, trial: str, symptoms: Mapping[str, float]) -> None:
        """Another trial: what is learnt of it is learnt under these symptoms."""
        self.trial, self.symptoms, self.trial_looks = trial, dict(symptoms), 0

    def learn(self, batch: Batch) -> None:
        """Take in one look."""
        self._fade_until(batch.time_us)
        if self.looks == 0:
            self.belief.mean[LEVEL] += batch.score - self.belief.predict(self._context(batch)).mean
        ratio = self._take(self.belief, batch)
        self.looks, self.trial_looks = self.looks + 1, self.trial_looks + 1
        if self.looks > 1:
            self._learn_noise(ratio)
        self._round()

    def with_look(self, batch: Batch) -> Belief:
        """What would be believed after one more look."""
        belief = self.belief.copy()
        self._take(belief, batch)
        return belief

    def _take(self, belief: Belief, batch: Batch) -> float:
        """Update a belief by one look; returns how surprising that was (1 is as expected)."""
        phi = self._context(batch)
        expected, variance = belief.predict(phi), self._variance(batch.seconds)
        total = expected.sd**2 + variance
        surprise = batch.score - expected.mean
        surprise = min(max(surprise, -FAR * sqrt(total)), FAR * sqrt(total))
        belief.learn(phi, expected.mean + surprise, variance)
        return surprise**2 / total

    def teach(self, phi: Vector, gain: Gain) -> None:
        """Take in the effect of a change that was found out elsewhere: by a guard, or before the model was lost."""
        self.belief.learn(phi, gain.mean, gain.sd**2)
        self._round()

    def disturb(self) -> None:
        """Conditions have changed by themselves: the level may be anywhere."""
        self.belief.widen(LEVEL, self.policy.disturbed_sd**2)
        self._round()

    def gain(self, phi: Vector) -> Gain:
        """What a move of the features is believed to bring."""
        return self.doubted(self.belief.predict(phi))

    def doubted(self, found: Gain) -> Gain:
        """The model is wrong somewhere."""
        return Gain(found.mean, self.policy.doubt * found.sd)

    def _context(self, batch: Batch) -> Vector:
        """The features of a look: the level has the configuration in it."""
        phi = np.zeros(len(self.space.names))
        phi[: len(CONTEXT)] = 1.0, batch.load, batch.mix
        return phi

    def _variance(self, seconds: float) -> float:
        return max(self.noise * self.policy.batch_s / max(seconds, 1.0), LEAST_VARIANCE)

    def _learn_noise(self, ratio: float) -> None:
        """Variance learning with discount (West and Harrison, ch. 10.8): recent looks say how noisy looks are."""
        weight = max(1 / (self.looks + self.policy.noise_looks), 1 / (2 * self.policy.noise_looks))
        self.noise = six_digits(max(self.noise * (1 + weight * (ratio - 1)), LEAST_VARIANCE))

    def _fade_until(self, time_us: int) -> None:
        """What is known fades with time; the level wanders faster than effects do."""
        hours = 0.0 if self.time_us is None else max(time_us - self.time_us, 0) / HOUR_US
        self.time_us = time_us
        keep = np.full(len(self.space.names), exp(-hours * 3600 / self.policy.memory_s))
        keep[LEVEL] = 1.0
        self.belief.fade(keep)
        self.belief.widen(LEVEL, self.policy.level_drift_sd**2 * hours)

    def _round(self) -> None:
        """To single precision and exact symmetry, as it is stored: by one bit a restored model decides otherwise."""
        self._packed = None
        self.belief.mean = self.belief.mean.astype(np.float32).astype(np.float64)
        self.belief.cov = _symmetric(self.belief.cov.astype(np.float32).astype(np.float64))

    def dump(self) -> dict[str, Any]:
        """JSON values only."""
        if self._packed is None:
            upper = self.belief.cov[np.triu_indices(len(self.belief.mean))]
            self._packed = b64encode(np.concatenate([self.belief.mean, upper]).astype("<f4").tobytes()).decode()
        plain = {name: getattr(self, name) for name in _PLAIN}
        return plain | {"fingerprint": self.fingerprint, "numbers": self._packed}

    @classmethod
    def load_from(cls, policy: Policy, dumped: Mapping[str, Any] | None) -> "ResponseModel":
        """The same model again; an empty one with `rebuilt` set where other settings made it, or it was lost."""
        model = cls(policy)
        if dumped is None or dumped.get("fingerprint") != model.fingerprint:
            model.rebuilt = True
            return model
        for name in _PLAIN:
            setattr(model, name, dumped[name])
        numbers = np.frombuffer(b64decode(dumped["numbers"]), "<f4").astype(np.float64)
        size = len(model.belief.mean)
        upper = np.zeros((size, size))
        upper[np.triu_indices(size)] = numbers[size:]
        model.belief.mean, model.belief.cov = numbers[:size].copy(), _symmetric(upper)
        return model


def _symmetric(matrix: Vector) -> Vector:
    """What stands above the diagonal stands below it, too."""
    return np.triu(matrix) + np.triu(matrix, 1).T


_PLAIN = ("noise", "looks", "time_us", "config", "baseline", "symptoms", "trial", "trial_looks")


def fingerprint(policy: Policy) -> str:
    """Of all that gives the coefficients their meaning."""
    settings = policy.model_dump(mode="json", include={"adaptation", "parameters", "profiles", "project"})
    return digest("response", STATE, Space(policy).names, settings)


def log_ratio(value: float, usual: float) -> float:
    """ln(value / usual), within a factor of e^2; 0 where one of them is nothing."""
    return min(max(log(value / usual), -2.0), 2.0) if value > 0 and usual > 0 else 0.0
