"""The gain all in all."""

import numpy as np

from meta_orchestrator.core.adaptation.objective import gain, score
from meta_orchestrator.core.collection.history import ratio_parts
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.compare import LEAST_PAIRS
from meta_orchestrator.core.validation.evidence import Estimate, Rows, of_differences


def overall(moment: Moment, before: Rows, during: Rows) -> Estimate | None:
    """By how much the objective rose; None where nothing of it is known."""
    return gain(during, before, moment.policy.weights(moment.project))


def overall_in_pairs(moment: Moment, before: Rows, during: Rows) -> Estimate | None:
    """The same of rows that belong together two by two; velocity relative to all of `before`."""
    weights, usual = moment.policy.weights(moment.project), ratio_parts(before, "development_velocity")
    velocity = float(usual[0].sum() / max(usual[1].sum(), 1.0))
    sides = [[score(rows[i : i + 1], weights, velocity) for i in range(len(rows))] for rows in (before, during)]
    gains = [new - old for old, new in zip(*sides, strict=True) if old is not None and new is not None]
    return of_differences(np.array(gains)) if len(gains) >= LEAST_PAIRS else None
