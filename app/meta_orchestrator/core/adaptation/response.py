"""What the project has learnt about its own settings, and what validation asks of it.

`posterior_gain(moment, trial) -> Gain` is the load-adjusted gain of the trial's value over the one before it, with
everything in it that was seen up to the last tick: `Gain.mean` in shares of the objective (about -1..1), `Gain.sd` its
standard deviation (widened by `adaptation.doubt`), `Gain.p_positive` the probability that it is a gain at all. None
where there is no model, or it has not seen enough of the trial (`adaptation.least_looks`) to have a word in it.
`measured_gain` leaves out what was believed before the trial: the data alone.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from meta_orchestrator.core.adaptation.batches import Batches
from meta_orchestrator.core.adaptation.belief import Gain
from meta_orchestrator.core.adaptation.calls import Calls
from meta_orchestrator.core.adaptation.features import Vector
from meta_orchestrator.core.adaptation.model import ResponseModel
from meta_orchestrator.core.adaptation.occupancy import Occupancy
from meta_orchestrator.core.adaptation.remedies import SYMPTOMS
from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Trial
from meta_orchestrator.messages.fields import SECOND, Value
from meta_orchestrator.messages.outputs import Drift
from meta_orchestrator.policy import Policy


@dataclass
class Response:
    """The model, the batches that it learns from, and what else is watched for it: state that may be lost."""

    model: ResponseModel
    batches: Batches = field(default_factory=Batches)
    occupancy: Occupancy = field(default_factory=Occupancy)
    calls: Calls = field(default_factory=Calls)

    def dump(self) -> dict[str, Any]:
        watched = {name: asdict(getattr(self, name)) for name in _WATCHED}
        return {"model": self.model.dump()} | watched

    @classmethod
    def load(cls, policy: Policy, dumped: dict[str, Any] | None) -> Self:
        """What was stored; an empty one, to be taught from the ledger's lessons, where other settings made it."""
        stored = dumped or {}
        model = ResponseModel.load_from(policy, stored.get("model"))
        return cls(model, **({} if model.rebuilt else {name: it(**stored[name]) for name, it in _WATCHED.items()}))


_WATCHED: dict[str, Callable[..., Any]] = {"batches": Batches, "occupancy": Occupancy, "calls": Calls}


def watch(moment: Moment) -> None:
    """Learn from what has happened since the last tick: at most one batch a tick."""
    response = moment.response
    if response is None or not moment.ledger.config or moment.history.ticks[-1:] != [moment.tick_us]:
        return
    if response.model.rebuilt:
        _relearn(moment, response.model)
    response.occupancy.watch(moment)
    response.calls.count(moment)
    _follow(moment, response)
    if any(isinstance(insight, Drift) and insight.agent is None for insight in moment.findings.insights):
        response.model.disturb()
        response.batches.restart(moment.tick_us)
    batch = response.batches.close(moment)
    if batch:
        response.model.learn(batch)


def posterior_gain(moment: Moment, trial: Trial) -> Gain | None:
    """What the value on trial is worth compared with the one before it, load taken out; see above."""
    response = moment.response
    if response is None or response.model.trial != trial.proposal.id:
        return None
    model, belief, looks = response.model, response.model.belief, response.model.trial_looks
    begun_us = response.batches.from_us
    if begun_us is not None and moment.tick_us - begun_us >= round(moment.policy.adaptation.batch_s * SECOND):
        unfinished = response.batches.so_far(moment, moment.tick_us)
        if unfinished:
            belief, looks = model.with_look(unfinished), looks + 1
    lags = trial.lag_us > trial.settle_us  # it ends before the model may look: what is believed of it stands
    if looks < moment.policy.adaptation.least_looks and not lags:
        return None
    return model.doubted(belief.predict(_move(model, moment.ledger, trial)))


def measured_gain(moment: Moment, trial: Trial) -> Gain | None:
    """What was measured alone: the posterior with the belief at the trial's start divided out of it.

    None where the trial has told nothing yet.
    """
    after, before = posterior_gain(moment, trial), believed(trial)
    if after is None or before is None or not 0 < after.sd < before.sd:
        return None
    precision = after.sd**-2 - before.sd**-2
    return Gain((after.mean / after.sd**2 - before.mean / before.sd**2) / precision, precision**-0.5)


def believed(trial: Trial) -> Gain | None:
    """What was expected of the trial when it began, as its evidence says."""
    mean, sd = trial.proposal.evidence.get("expected_gain"), trial.proposal.evidence.get("expected_gain_sd")
    return Gain(mean, sd) if isinstance(mean, int | float) and isinstance(sd, int | float) else None


def in_force(ledger: Ledger) -> dict[str, Value]:
    """What the team works under: a change that nobody has acknowledged is not in force yet."""
    trial = ledger.trial
    if trial and trial.applied_us is None and trial.proposal.parameter in ledger.config:
        return ledger.config | {trial.proposal.parameter: trial.proposal.from_}
    return ledger.config


def _follow(moment: Moment, response: Response) -> None:
    """The configuration moved: so does the level, and the next batch begins when that has settled."""
    ledger, model = moment.ledger, response.model
    model.baseline = {name: ledger.baseline[name] for name in ledger.config}
    config = in_force(ledger)
    if config == model.config:
        return
    least_us = round(moment.policy.adaptation.batch_s * SECOND)
    batch = response.batches.cut(moment, ledger.past[-1].time_us, least_us) if ledger.past else None
    if batch and model.config:
        model.learn(batch)
    if ledger.trial and ledger.trial.proposal.id != model.trial:
        model.begin(ledger.trial.proposal.id, symptoms_of(ledger.trial))
    model.move(config)
    lag_us = ledger.trial.lag_us if ledger.trial else round(moment.policy.trial.settle_s * SECOND)
    response.batches.restart(moment.tick_us + lag_us)


def _move(model: ResponseModel, ledger: Ledger, trial: Trial) -> Vector:
    """The features that the trial moves."""
    proposal = trial.proposal
    symptoms = symptoms_of(trial)
    after, before = ({**ledger.config, proposal.parameter: value} for value in (proposal.to, proposal.from_))
    return model.features(after, symptoms) - model.features(before, symptoms)


def symptoms_of(trial: Trial) -> dict[str, float]:
    """How strong each symptom was when the trial was proposed, as its evidence says."""
    evidence = trial.proposal.evidence
    found = {name: evidence.get(f"symptom_{name}") for name in SYMPTOMS}
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}


def teach(moment: Moment, trial: Trial, gain: Gain) -> None:
    """A gain or loss that the objective does not show."""
    if moment.response:
        moment.response.model.teach(_move(moment.response.model, moment.ledger, trial), gain)


def _relearn(moment: Moment, model: ResponseModel) -> None:
    """The model was lost: the lessons of the ledger are what is left of it."""
    ledger, model.rebuilt = moment.ledger, False
    model.baseline = {name: ledger.baseline[name] for name in ledger.config}
    for lesson in ledger.learnt:
        if lesson.parameter in ledger.config and lesson.parameter in moment.policy.parameters:
            configs = ({**ledger.config, lesson.parameter: value} for value in (lesson.from_, lesson.to))
            before, after = (model.features(config, lesson.symptoms) for config in configs)
            model.teach(after - before, Gain(lesson.gain, lesson.sd))
