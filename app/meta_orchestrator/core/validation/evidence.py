"""How large something is, and how sure that is.

Rows of History are disjoint in time but not independent: a busy minute follows a busy minute. So the error of a ratio
comes from batch means (neighbouring rows, summed; Schmeiser 1982) of its linearised residuals, with Student's t for the
few batches.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import copysign, erf, expm1, isqrt, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.collection.history import ratio_parts
from meta_orchestrator.core.validation.metrics import RATES, SHARES

Rows = NDArray[np.float64]
LEAST_BATCHES = 5
_sum = np.add.reduce
"""As `.sum()`, and begun twice as fast, which is half of the time that few numbers take."""


@dataclass(frozen=True)
class Estimate:
    """`error` is the standard error, `freedom` its degrees of freedom, `samples` the denominator."""

    value: float
    error: float
    freedom: float
    samples: float

    def certainty_above(self, threshold: float) -> float:
        """The probability that the true value is above a threshold."""
        return certainty(self.value - threshold, self.error, self.freedom)


def estimate(rows: Rows, metric: str) -> Estimate | None:
    """A metric of `history.RATIOS` over some rows; None without any value."""
    numerator, denominator = ratio_parts(rows, metric)
    found = of_ratio(numerator, denominator)
    if found is None:
        return None
    return Estimate(found.value, max(found.error, _least_error(found, metric)), found.freedom, found.samples)


def share(part: Rows, whole: Rows) -> Estimate | None:
    """The share of some events in others."""
    found = of_ratio(part, whole)
    return found and Estimate(found.value, max(found.error, _binomial(found)), found.freedom, found.samples)


def of_ratio(numerator: Rows, denominator: Rows) -> Estimate | None:
    """Sum over sum, with the error by batch means of the residuals numerator - ratio · denominator."""
    samples = float(_sum(denominator))
    if samples <= 0:
        return None
    value = float(_sum(numerator)) / samples
    return of_influence(value, (numerator - value * denominator) / samples, samples)


def of_influence(value: float, influence: Rows, samples: float) -> Estimate:
    """A value with the error that each row's influence on it (they add up to 0) says."""
    batches = max(min(len(influence), LEAST_BATCHES), isqrt(len(influence)))
    sums = np.add.reduceat(influence, _starts(len(influence), batches))
    freedom = max(batches - 1, 1)
    error = sqrt(float(_sum(sums * sums)) * batches / freedom)
    return Estimate(value, error, freedom, samples)


@lru_cache(1_000)
def _starts(rows: int, batches: int) -> NDArray[np.intp]:
    """Where each batch begins."""
    return np.arange(batches) * rows // batches


def of_differences(values: Rows) -> Estimate:
    """The mean of independent differences, with Student's error of it."""
    count = len(values)
    error = float(np.std(values, ddof=1)) / sqrt(count)
    return Estimate(float(values.mean()), error, count - 1, count)


def difference(after: Estimate, before: Estimate) -> Estimate:
    """After - before, with Welch's degrees of freedom."""
    parts = ((after.error**2, after.freedom), (before.error**2, before.freedom))
    variance = sum(part for part, _ in parts)
    spread = sum(part**2 / freedom for part, freedom in parts)
    freedom = variance**2 / spread if spread > 0 else after.freedom + before.freedom
    return Estimate(after.value - before.value, sqrt(variance), freedom, after.samples)


def certainty(value: float, error: float, freedom: float) -> float:
    """The probability that what was estimated is above 0."""
    return (1 + erf(z_score(value, error, freedom) / sqrt(2))) / 2


def z_score(value: float, error: float, freedom: float) -> float:
    """The normal score of Student's t (Wallace 1959, good to .002 for 3 degrees of freedom and more)."""
    if error <= 0:
        return copysign(40.0, value) if value else 0.0
    t = value / error
    return copysign((8 * freedom + 1) / (8 * freedom + 3) * sqrt(freedom * log1p(t * t / freedom)), t)


def interval(found: Estimate, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval: `z_score` turned round."""
    u = z * (8 * found.freedom + 3) / (8 * found.freedom + 1)
    half = found.error * sqrt(found.freedom * expm1(min(u * u / found.freedom, 700)))
    return found.value - half, found.value + half


def _least_error(found: Estimate, metric: str) -> float:
    """Counts are never surer than their own chance, even where all rows agree."""
    if metric in SHARES:
        return _binomial(found)
    return sqrt(found.value * found.samples + 1) / found.samples if metric in RATES else 0.0


def _binomial(found: Estimate) -> float:
    smooth = (found.value * found.samples + 1) / (found.samples + 2)
    return sqrt(max(smooth * (1 - smooth), 0.0) / found.samples)
