"""How sure a difference is, where its two sides are short: what both tell of the noise is put together.

Rows are summed to batches (a busy minute follows a busy minute), and the squares of what they are off give one
dispersion for both sides, in units of what chance alone would give: quasi-likelihood (McCullagh and Nelder, Generalized
Linear Models, 1989, ch. 9) with batches for its residuals. So the first looks at a trial borrow from the time before
how noisy the team is. Batches are as long as neighbouring rows are alike (Carlstein 1986, the length that is best for
an AR(1) process): short ones leave more of them, and more power.
"""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from meta_orchestrator.core.collection.history import ratio_parts
from meta_orchestrator.core.validation.evidence import Estimate, Rows
from meta_orchestrator.core.validation.metrics import RATES, SHARES

LEAST_FREEDOM = 3
LONGER = 1.5
"""Times the best length: counts hide part of how alike neighbours are (simulated, `judge/gate.py`)."""


@dataclass(frozen=True)
class Side:
    """`chance`: the variance of one event by chance alone; `off`: what each row is off, in its units."""

    value: float
    events: float
    chance: float
    off: Rows


def pooled_difference(before: Rows, after: Rows, metric: str) -> Estimate | None:
    """After - before of a metric of `history.RATIOS`; None where a side has no value or there are too few batches."""
    sides = [side for rows in (before, after) if (side := _side(rows, metric))]
    if len(sides) < 2:
        return None
    length = _length([side.off for side in sides])
    batches = [max(len(side.off) // length, 1) for side in sides]
    freedom = sum(batches) - 2
    if freedom < LEAST_FREEDOM:
        return None
    squares = sum(_squares(side.off, count) for side, count in zip(sides, batches, strict=True))
    expected = sum(side.events * (count - 1) / count for side, count in zip(sides, batches, strict=True))
    dispersion = max(squares / expected, 1.0 if metric in SHARES | RATES else 0.0)
    variance = dispersion * sum(side.chance / side.events for side in sides)
    return Estimate(sides[1].value - sides[0].value, sqrt(variance), freedom, sides[1].events)


def _side(rows: Rows, metric: str) -> Side | None:
    numerator, denominator = ratio_parts(rows, metric)
    events = float(denominator.sum())
    if events <= 0:
        return None
    value = float(numerator.sum()) / events
    chance = _chance(value, events, metric)
    return Side(value, events, chance, (numerator - value * denominator) / sqrt(chance))


def _chance(value: float, events: float, metric: str) -> float:
    """The variance of a single event: of a share that of a coin, of a rate that of a Poisson count; else one unit."""
    if metric in SHARES:
        smooth = min(max((value * events + 1) / (events + 2), 0.5 / (events + 1)), 1 - 0.5 / (events + 1))
        return smooth * (1 - smooth)
    return value + 1 / events if metric in RATES else 1.0


def _length(offs: list[Rows]) -> int:
    """Of a batch, in rows: by the upper end of the autocorrelation of neighbours."""
    count, total = sum(len(off) for off in offs), sum(float((off**2).sum()) for off in offs)
    alike = sum(float((off[1:] * off[:-1]).sum()) for off in offs) / total if total > 0 else 0.0
    upper = min(max(alike + 2 / sqrt(count), 0.0), 0.9)
    best = (2 * upper / (1 - upper * upper)) ** (2 / 3) * count ** (1 / 3)
    return max(ceil(float(LONGER * best)), 1)


def _squares(off: Rows, batches: int) -> float:
    sums = np.add.reduceat(off, np.arange(batches) * len(off) // batches)
    return float((sums**2).sum())
