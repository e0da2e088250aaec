"""Intervals of 95 % over paired seeds.

Two arms of one seed share their luck, so the change is that of the pair. Ratios are ratios of sums, with the variance
of their linearisation within scenarios (delta method; Cochran, Sampling Techniques, 1977, §6.10): few seeds, no normal
values and zeros among them do no harm.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from scipy.special import stdtrit

SURE = 0.975
"""One side of a two-sided interval of 95 %."""
WILSON_Z = 1.959964


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Pair:
    """What one seed gave with (`after`) and without (`before`). Pairs of one stratum vary around one truth."""

    stratum: Hashable
    after: float
    before: float


def relative_change(pairs: Sequence[Pair]) -> Interval | None:
    """Σ after / Σ before - 1; None where nothing was before."""
    total = sum(pair.before for pair in pairs)
    if not pairs or total <= 0:
        return None
    ratio = sum(pair.after for pair in pairs) / total
    influence = [(pair.stratum, (pair.after - ratio * pair.before) / total) for pair in pairs]
    return _around(ratio - 1, influence)


def share(hits: int, of: int) -> Interval | None:
    """A share with Wilson's interval (Brown, Cai and DasGupta, 2001)."""
    if of == 0:
        return None
    spread = WILSON_Z**2 / of
    centre = (hits / of + spread / 2) / (1 + spread)
    half = WILSON_Z * sqrt(hits / of * (1 - hits / of) / of + spread / (4 * of)) / (1 + spread)
    return Interval(hits / of, max(0.0, centre - half), min(1.0, centre + half))


def of_blocks(differences: Sequence[float], scale: float, length: int) -> Interval:
    """The mean of hourly differences over `scale`, by batch means: hours within `length` depend on one another."""
    count = len(differences) // length
    means = [sum(differences[i * length : (i + 1) * length]) / length for i in range(count)]
    return _around(sum(means) / count / scale, [(0, mean / count / scale) for mean in means])


def _around(value: float, influence: Iterable[tuple[Hashable, float]]) -> Interval:
    """Student's interval; degrees of freedom are lost to the mean of each stratum."""
    strata: dict[Hashable, list[float]] = defaultdict(list)
    for stratum, part in influence:
        strata[stratum].append(part)
    freedom = sum(len(parts) - 1 for parts in strata.values())
    if freedom == 0:
        return Interval(value, -inf, inf)
    variance = sum(len(parts) * float(np.var(parts, ddof=1)) for parts in strata.values() if len(parts) > 1)
    half = float(stdtrit(freedom, SURE)) * sqrt(variance)
    return Interval(value, value - half, value + half)
