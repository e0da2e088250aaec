"""A metric before a trial and during it."""

from dataclasses import dataclass, replace
from math import exp

import numpy as np

from meta_orchestrator.core.collection.history import ratio_parts
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Trial
from meta_orchestrator.core.validation.evidence import Estimate, Rows, difference, estimate, interval, of_differences
from meta_orchestrator.core.validation.metrics import LATENCY, public, shown
from meta_orchestrator.core.validation.pooled import pooled_difference
from meta_orchestrator.messages.fields import SECOND, parse_time_us
from meta_orchestrator.messages.outputs import Measured
from meta_orchestrator.policy import Policy

LEAST_PAIRS = 3
"""Fewer say nothing of how much pairs differ."""
FOR_EVER_US = 2**62


@dataclass(frozen=True)
class Comparison:
    """`sign` is +1 where up is better, -1 where down is; `change` is after - before."""

    metric: str
    sign: int
    before: Estimate
    after: Estimate
    together: Estimate | None = None
    """The change, where both sides tell together how sure it is: in pairs, or by pooled noise."""

    @property
    def name(self) -> str:
        return public(self.metric)

    @property
    def change(self) -> Estimate:
        return self.together or difference(self.after, self.before)

    @property
    def improvement(self) -> Estimate:
        """The change, positive where it is one for the better."""
        return replace(self.change, value=self.sign * self.change.value)

    @property
    def p_better(self) -> float:
        return self.improvement.certainty_above(0)

    def measured(self, policy: Policy) -> Measured:
        """In the units that people know; latencies are ratios of geometric means, turned back into milliseconds."""
        before, after = (shown(self.metric, side.value, policy) for side in (self.before, self.after))
        low, high = interval(self.change)
        if self.metric == LATENCY:
            bounds = ((before + 1) * (exp(min(low, 50)) - 1), (before + 1) * (exp(min(high, 50)) - 1))
        else:
            bounds = (shown(self.metric, low, policy), shown(self.metric, high, policy))
        return Measured(before=before, after=after, interval=bounds)


def compare(before: Rows, after: Rows, metric: str, sign: int) -> Comparison | None:
    """None where a side has no value."""
    sides = estimate(before, metric), estimate(after, metric)
    if sides[0] is None or sides[1] is None:
        return None
    return Comparison(metric, sign, sides[0], sides[1], pooled_difference(before, after, metric))


def compare_pairs(before: Rows, after: Rows, metric: str, sign: int) -> Comparison | None:
    """Of rows that belong together two by two: their differences, so that what both had in common falls out."""
    whole = compare(before, after, metric, sign)
    values = [ratio_parts(rows, metric) for rows in (before, after)]
    known = (values[0][1] > 0) & (values[1][1] > 0)
    if whole is None or known.sum() < LEAST_PAIRS:
        return None
    old, new = (numerator[known] / denominator[known] for numerator, denominator in values)
    return replace(whole, together=of_differences(new - old))


def before_trial(moment: Moment, trial: Trial) -> Rows:
    """What a trial is compared with."""
    return before_change(moment, trial.version - 1, trial.started_us, trial.since_us)


def before_change(moment: Moment, version: int, at_us: int, since_us: int) -> Rows:
    """The last `trial.baseline_s` before a time that were settled under the configuration of `version`.

    And nothing from before the present conditions: the onset of a fault is not charged to the change that answers it.
    """
    return settled_rows(moment, version, at_us, since_us, round(moment.policy.trial.baseline_s * SECOND))


def baseline_s(moment: Moment, since_us: int) -> float:
    """How long a trial that began now could look back on: seconds."""
    longest_us = round(moment.policy.trial.baseline_s * SECOND)
    spans = _settled_spans(moment, moment.ledger.version, moment.tick_us, since_us, longest_us)
    return sum(until_us - from_us for from_us, until_us in spans) / SECOND


def settled_rows(moment: Moment, version: int, at_us: int, since_us: int, longest_us: int = FOR_EVER_US) -> Rows:
    """What was settled under the configuration of `version` between two times, the last `longest_us` of it."""
    spans = _settled_spans(moment, version, at_us, since_us, longest_us)
    parts = [moment.history.between(from_us, until_us) for from_us, until_us in reversed(spans)]
    return np.concatenate(parts) if parts else moment.history.between(0, 0)


def _settled_spans(moment: Moment, version: int, at_us: int, since_us: int, longest_us: int) -> list[tuple[int, int]]:
    """(from, until), the newest first."""
    settle_us, spans = round(moment.policy.trial.settle_s * SECOND), []
    for begin_us, end_us in moment.ledger.spans_of_config(version):
        until_us = min(end_us, at_us)
        from_us = max(begin_us + settle_us, since_us, until_us - longest_us)
        if from_us < until_us:
            spans.append((from_us, until_us))
            longest_us -= until_us - from_us
    return spans


def conditions_since_us(moment: Moment) -> int:
    """Since when things are as they are now: the latest drift that is remembered, but a window ago at the least."""
    since_us = [parse_time_us(drift.since) for drift in moment.findings.drifts.values()]
    return min(max(since_us, default=0), moment.tick_us - moment.policy.time.window_us)


def during_trial(moment: Moment, trial: Trial, settled: bool = True) -> Rows:
    """The rows since the change was applied; `settled` leaves out the time in which old work was still finished."""
    settle_us = trial.settle_us if settled else 0
    return moment.history.between((trial.applied_us or trial.started_us) + settle_us, moment.tick_us)
