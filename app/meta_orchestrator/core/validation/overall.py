"""The gain all in all."""

from meta_orchestrator.core.adaptation.objective import gain
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.evidence import Estimate, Rows


def overall(moment: Moment, before: Rows, during: Rows) -> Estimate | None:
    """By how much the objective rose; None where nothing of it is known."""
    return gain(during, before, moment.policy.weights(moment.project))
