"""Since when a trouble has been as it is: the time before its onset is nothing that a change may be compared with."""

from collections.abc import Mapping
from math import sqrt
from typing import Protocol

from meta_orchestrator.core.collection.history import RATIOS
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.compare import conditions_since_us
from meta_orchestrator.core.validation.evidence import Estimate, Rows, difference, estimate
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.policy import Policy


class Trouble(Protocol):
    """What a change is to mend: a metric, and the numbers that were found."""

    @property
    def metric(self) -> str: ...

    @property
    def evidence(self) -> Mapping[str, int | float | str | None]: ...


def present_since_us(moment: Moment, trouble: Trouble) -> int:
    """Since when conditions and trouble have both been as they are: a trial is compared with nothing older."""
    return max(conditions_since_us(moment), onset_us(moment, trouble))


def onset_us(moment: Moment, trouble: Trouble) -> int:
    """0 where it has always been so, as far as is remembered, or where the numbers do not tell.

    What is bad by chance is found just when it is worst and gets better by itself (regression to the mean), so that
    beside the look that found it alone every remedy would seem to help: it must be clear that something changed.
    """
    metric, evidence = trouble.metric, trouble.evidence
    found, target, looked_s = (evidence.get(name) for name in (metric, "target", "looked_back_s"))
    if metric not in RATIOS or not all(isinstance(it, int | float) for it in (found, target, looked_s)):
        return 0
    worse, history = (1 if float(found or 0) > float(target or 0) else -1), moment.history
    least = len(history.between(moment.tick_us - round(float(looked_s or 0) * SECOND), moment.tick_us))
    rows = _since(moment.policy, history.between(0, moment.tick_us), metric, worse, least)
    return history.ticks[-rows] - moment.policy.time.tick_us if rows else 0


def since_onset(policy: Policy, rows: Rows, metric: str, worse: int) -> Rows:
    """The rows since the metric clearly changed for the worse: all of them where it did not. At least a window's.

    worse: +1 where up is, -1 where down is.
    """
    least = round(policy.time.window_s / policy.time.tick_s)
    return rows[-_since(policy, rows, metric, worse, least) :]


def _since(policy: Policy, rows: Rows, metric: str, worse: int, least: int) -> int:
    """How many rows there are since it changed most (the largest cumulative sum; Page 1954); 0 where that is not clear.

    Looked for from the end back by doubling.
    """
    span, most, found = least, 0.0, (0, 0.5)
    while 0 < span < len(rows):
        before, after = estimate(rows[:-span], metric), estimate(rows[-span:], metric)
        if before and after and (moved := worse * _moved(before, after)) > most:
            most, found = moved, (span, difference(after, before).certainty_above(0))
        span *= 2
    since, higher = found
    return since if (higher if worse > 0 else 1 - higher) >= policy.trial.guard_at else 0


def _moved(before: Estimate, after: Estimate) -> float:
    """How far the sum of deviations from the common mean goes, but for a common factor."""
    return (after.value - before.value) * sqrt(before.samples * after.samples / (before.samples + after.samples))
