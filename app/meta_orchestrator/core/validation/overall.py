"""The gain all in all."""

import numpy as np

from meta_orchestrator.core.adaptation.objective import gain
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.compare import LEAST_PAIRS
from meta_orchestrator.core.validation.evidence import Estimate, Rows, of_differences


def overall(moment: Moment, before: Rows, during: Rows) -> Estimate | None:
    """By how much the objective rose; None where nothing of it is known."""
    return gain(during, before, moment.policy.weights(moment.project))


def overall_in_pairs(moment: Moment, before: Rows, during: Rows) -> Estimate | None:
    """The same of rows that belong together two by two."""
    gains = [overall(moment, before[i : i + 1], during[i : i + 1]) for i in range(len(before))]
    known = [found.value for found in gains if found]
    return of_differences(np.array(known)) if len(known) >= LEAST_PAIRS else None
