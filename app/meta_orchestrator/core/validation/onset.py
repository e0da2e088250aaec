"""Since when a trouble has been as it is: the time before its onset is nothing that its remedy may be compared with."""

from meta_orchestrator.core.collection.history import RATIOS
from meta_orchestrator.core.ledger import Proposal
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.evidence import estimate
from meta_orchestrator.messages.fields import SECOND


def onset_us(moment: Moment, proposal: Proposal) -> int:
    """0 where it has been so for as long as a trial is compared with, or where the proposal does not tell.

    From the look that found it, further back by doubling, as long as the metric stays nearer to what was found than to
    its target.
    """
    metric, evidence = proposal.metric, proposal.evidence
    found, target, looked_s = (evidence.get(name) for name in (metric, "target", "looked_back_s"))
    if metric not in RATIOS or not all(isinstance(it, int | float) for it in (found, target, looked_s)):
        return 0
    span_s, longest_s = float(looked_s or 0), moment.policy.trial.baseline_s
    while 0 < span_s < longest_s:
        rows = moment.history.between(moment.tick_us - round(2 * span_s * SECOND), moment.tick_us)
        longer = estimate(rows, metric)
        if longer is None or abs(longer.value - float(found or 0)) > abs(longer.value - float(target or 0)):
            return moment.tick_us - round(span_s * SECOND)
        span_s *= 2
    return 0
