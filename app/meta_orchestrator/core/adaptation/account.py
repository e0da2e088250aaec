"""What was weighed when a change was chosen: the terms of the objective, the expected gain, the runner-up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from meta_orchestrator.core.adaptation.belief import Gain
from meta_orchestrator.core.adaptation.objective import terms
from meta_orchestrator.core.adaptation.recall import strengths_for
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import SECOND, six_digits
from meta_orchestrator.messages.wording import sure_text

SPOKEN = {"utilization": "use", "risk": "calls for people"}
"""Terms whose name says too little in a sentence."""


def accounted(moment: Moment, wish: Wish, options: Sequence[Wish]) -> Wish:
    """The wish with what was weighed in its reason and its evidence."""
    if wish.gain is None:
        return wish
    others = [it for it in options if it.gain and (it.parameter, it.to) != (wish.parameter, wish.to)]
    second = max(others, key=lambda it: (it.gain.mean if it.gain else 0.0, it.parameter), default=None)
    parts = _terms(moment)
    weighed = ", ".join(f"{SPOKEN.get(name, name)} {value:.2f}" for name, value in parts.items())
    reason = f"{wish.why.reason}; one step promises {gain_text(wish.gain)}"
    reason += f", {_move(second)} {gain_text(second.gain)}" if second and second.gain else ""
    reason += f"; weighed were {weighed}" if weighed else ""
    evidence: dict[str, int | float | str | None] = {
        "expected_gain": six_digits(wish.gain.mean),
        "expected_gain_sd": six_digits(wish.gain.sd),
        "p_gain": six_digits(wish.gain.p_positive),
        "runner_up": _move(second) if second else None,
        "runner_up_gain": six_digits(second.gain.mean) if second and second.gain else None,
    }
    weighed_terms = {f"term_{name}": six_digits(value) for name, value in parts.items()}
    why = replace(wish.why, reason=reason, evidence=wish.why.evidence | evidence | weighed_terms)
    return replace(wish, why=why)


def with_symptoms(moment: Moment, wish: Wish, symptoms: Mapping[str, Symptom]) -> Wish:
    """How strong each symptom was goes with it: the model learns from the trial under these."""
    found = strengths_for(moment, wish, symptoms)
    strengths = {f"symptom_{name}": six_digits(strength) for name, strength in found.items()}
    return replace(wish, why=replace(wish.why, evidence=wish.why.evidence | strengths))


def gain_text(gain: Gain) -> str:
    """In percent of the objective."""
    return f"{100 * gain.mean:+.1f} ± {100 * gain.sd:.1f} % ({sure_text(gain.p_positive)} sure to help)"


def _terms(moment: Moment) -> dict[str, float]:
    """The terms of the objective over the last look-back, as far as they are known."""
    response = moment.response
    usual = response.batches.usual_velocity / 3600 if response else 0.0
    span_us = round(moment.policy.analysis.lookback_s * SECOND)
    rows = moment.history.between(moment.tick_us - span_us, moment.tick_us)
    return terms(rows, usual) if usual else {}


def _move(wish: Wish) -> str:
    return f"{wish.parameter} → {wish.to}"
