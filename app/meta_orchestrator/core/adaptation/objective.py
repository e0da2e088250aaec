"""What better means, all in all: a weighted score in which what is unknown drops out and the other weights grow."""

from collections.abc import Callable

import numpy as np

from meta_orchestrator.core.collection.history import INDEX, ratio_parts
from meta_orchestrator.core.validation.evidence import Estimate, Rows, difference, of_influence
from meta_orchestrator.policy import Weights

Parts = tuple[Rows, Rows]


def _velocity(rows: Rows) -> Parts:
    return ratio_parts(rows, "development_velocity")


def _quality(rows: Rows) -> Parts:
    regressed, finished = ratio_parts(rows, "quality_regression_rate")
    return -regressed, finished


def _coordination(rows: Rows) -> Parts:
    """Of tasks done and failures together, the tasks: fewer votes must not look like a larger share of failures, and
    no storm of failures may drown all other terms."""
    failures, _ = ratio_parts(rows, "coordination_failures")
    done = rows[:, INDEX["tasks_finished"]]
    return done, done + failures


def _utilization(rows: Rows) -> Parts:
    return ratio_parts(rows, "agent_utilization")


def _risk(rows: Rows) -> Parts:
    """Of tasks done and calls for people together, the tasks."""
    done = rows[:, INDEX["tasks_finished"]]
    return done, done + rows[:, INDEX["interventions"]]


TERMS: dict[str, Callable[[Rows], Parts]] = {
    "velocity": _velocity,
    "quality": _quality,
    "coordination": _coordination,
    "utilization": _utilization,
    "risk": _risk,
}
"""All larger is better; velocity counts relative to what it was before, the others as shares."""


def gain(after: Rows, before: Rows, weights: Weights) -> Estimate | None:
    """By how much the score rose; None where no term is known on both sides."""
    scales = {name: scale for name in TERMS if (scale := _scale(name, after, before, weights)) is not None}
    total = sum(scales.values())
    if total <= 0:
        return None
    velocity = _ratio(_velocity(before)) or 1.0
    shares = {name: weight / total / (velocity if name == "velocity" else 1.0) for name, weight in scales.items()}
    return difference(_score(after, shares), _score(before, shares))


def score(rows: Rows, weights: Weights, usual_velocity: float) -> float | None:
    """The weighted sum of the terms that are known, velocity (points a second) relative to what is usual."""
    parts = terms(rows, usual_velocity)
    total = sum(float(getattr(weights, name)) for name in parts)
    return sum(float(getattr(weights, name)) * value for name, value in parts.items()) / total if total > 0 else None


def terms(rows: Rows, usual_velocity: float) -> dict[str, float]:
    """Each term that is known, by its name; larger is better."""
    known = {name: value for name, parts in TERMS.items() if (value := _ratio(parts(rows))) is not None}
    if "velocity" in known:
        known["velocity"] = known["velocity"] / usual_velocity if usual_velocity > 0 else 0.0
    return known


def _scale(name: str, after: Rows, before: Rows, weights: Weights) -> float | None:
    """The weight of a term; None where it is unknown (for velocity also where nothing was done before)."""
    known = [_ratio(TERMS[name](rows)) for rows in (after, before)]
    if None in known or (name == "velocity" and not known[1]):
        return None
    return float(getattr(weights, name))


def _ratio(parts: Parts) -> float | None:
    total = float(parts[1].sum())
    return float(parts[0].sum()) / total if total > 0 else None


def _score(rows: Rows, shares: dict[str, float]) -> Estimate:
    """The weighted sum, and each row's influence on it: terms that move together are not counted as independent."""
    value, influence = 0.0, np.zeros(len(rows))
    for name, weight in shares.items():
        numerator, denominator = TERMS[name](rows)
        total = float(denominator.sum())
        ratio = float(numerator.sum()) / total
        value += weight * ratio
        influence += weight * (numerator - ratio * denominator) / total
    return of_influence(value, influence, float(len(rows)))
