"""Whose part of a difference is how large: a metric before and after, taken apart by groups.

A ratio of sums changes because groups change (rate) and because work moves between groups (mix). Kitagawa (1955,
"Components of a difference between two rates") gives each group

    c = (w1 - w0) · ((r0 + r1) / 2 - (R0 + R1) / 2)  +  (w0 + w1) / 2 · (r1 - r0)

with w its share of the denominator and r its own ratio; the c add up to R1 - R0. Given the denominators, the variance
of c is w1² var(r1) + w0² var(r0), and that of c / (R1 - R0) follows by the delta method.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.causes.fields import Law

Numbers = NDArray[np.float64]
Z95 = 1.96


@dataclass(frozen=True)
class Side:
    """Sums of one side by group, each of shape (groups,): numerators, denominators, squares (of a mean)."""

    numerators: Numbers
    denominators: Numbers
    squares: Numbers | None = None


@dataclass(frozen=True)
class Part:
    """One group's contribution to the difference, of which `mix` is because work moved to or from it.

    share, low and high: of the whole difference, with its 95 % interval. `surplus`: how much of it exceeds what its
    size alone would bring, in standard errors of that.
    """

    place: int
    before: float | None
    after: float | None
    contribution: float
    mix: float
    share: float
    low: float
    high: float
    surplus: float


def parts(before: Side, after: Side, law: Law, scatter: float = 1.0) -> list[Part]:
    """The contributions of all groups; none where one side is empty or nothing has changed.

    scatter: variance of the sums over that of independent events (at least 1).
    """
    if not (before.denominators.sum() > 0 and after.denominators.sum() > 0):
        return []
    weights = [side.denominators / side.denominators.sum() for side in (before, after)]
    (r0, v0), (r1, v1) = _rates(before, law, scatter), _rates(after, law, scatter)
    r0, r1 = np.where(weights[0] > 0, r0, r1), np.where(weights[1] > 0, r1, r0)
    level = (weights[0] @ r0 + weights[1] @ r1) / 2
    mix = (weights[1] - weights[0]) * ((r0 + r1) / 2 - level)
    contributions = mix + (weights[0] + weights[1]) / 2 * (r1 - r0)
    variances = weights[1] ** 2 * v1 + weights[0] ** 2 * v0
    return _told(contributions, variances, mix, (weights[0] + weights[1]) / 2, (before, after), (r0, r1))


def paces(before: Side, after: Side, scatter: float = 1.0) -> list[Part]:
    """The same for counts by time: `denominators` hold the time, the same for all groups. There is no mix."""
    if not (before.denominators.sum() > 0 and after.denominators.sum() > 0):
        return []
    rates = [side.numerators / side.denominators for side in (before, after)]
    variances = sum(scatter * (side.numerators + scatter / 2) / side.denominators**2 for side in (before, after))
    total = rates[0].sum() + rates[1].sum()
    weights = (rates[0] + rates[1]) / total if total > 0 else np.full(len(rates[0]), 1 / len(rates[0]))
    difference = rates[1] - rates[0]
    return _told(difference, np.asarray(variances), np.zeros_like(difference), weights, (before, after), rates)


def named(found: list[Part], alpha: float) -> list[Part]:
    """Those that explain more than their size does, the largest first: at most `alpha` to name anybody wrongly.

    Bonferroni over the groups, one-sided: an even change of all names nobody.
    """
    if len(found) < 2:
        return []
    z = NormalDist().inv_cdf(1 - alpha / len(found))
    return sorted((part for part in found if part.surplus > z), key=lambda it: (-it.share, it.place))


def scatter_of(numerators: Numbers, denominators: Numbers, law: Law, squares: Numbers | None = None) -> float:
    """How much more than independent events the sums of blocks scatter: Pearson's chi² over its degrees of freedom.

    Work comes in bursts, and neighbouring rows resemble each other; between 1 and 10, and 1 where there are few blocks.
    """
    used = denominators > 0
    numerators, denominators = numerators[used], denominators[used]
    if len(numerators) < 5 or numerators.sum() <= 0:
        return 1.0
    rate = numerators.sum() / denominators.sum()
    if law == "share":
        variance = max(rate * (1 - rate), 1e-9) * denominators
    elif law == "mean" and squares is not None:
        variance = max(squares.sum() / denominators.sum() - rate**2, 1e-9) * denominators
    else:
        variance = rate * denominators
    chi = float(((numerators - rate * denominators) ** 2 / variance).sum())
    return min(max(chi / (len(numerators) - 1), 1.0), 10.0)


def _rates(side: Side, law: Law, scatter: float) -> tuple[Numbers, Numbers]:
    """Each group's ratio and its variance (0 where the group has nothing: its weight is 0 too)."""
    many = np.maximum(side.denominators, 1e-12)
    rates = side.numerators / many
    if law == "mean" and side.squares is not None:
        pooled = side.squares.sum() / side.denominators.sum() - (side.numerators.sum() / side.denominators.sum()) ** 2
        spread = (np.maximum(side.squares - many * rates**2, 0) + pooled) / many  # one value of the whole's spread
    else:
        smooth = np.clip((side.numerators + 0.5) / (many + 1), 0, 1)
        spread = smooth * (1 - smooth)
    return np.where(side.denominators > 0, rates, 0.0), np.where(side.denominators > 0, scatter * spread / many, 0.0)


def _told(
    contributions: Numbers,
    variances: Numbers,
    mix: Numbers,
    weights: Numbers,
    sides: tuple[Side, Side],
    rates: tuple[Numbers, Numbers] | list[Numbers],
) -> list[Part]:
    """Shares with their intervals."""
    difference, variance = float(contributions.sum()), float(variances.sum())
    if difference == 0:
        return []
    told = []
    for place, (own, spread, weight) in enumerate(
        zip(contributions.tolist(), variances.tolist(), weights.tolist(), strict=True)
    ):
        share = own / difference
        error = sqrt(max(spread * (1 - 2 * share) + share * share * variance, 0.0)) / abs(difference)
        surplus = (own - weight * difference) * (1 if difference > 0 else -1)
        noise = sqrt(max((1 - weight) ** 2 * spread + weight**2 * (variance - spread), 1e-300))
        told.append(
            Part(
                place,
                _known(rates[0], sides[0], place),
                _known(rates[1], sides[1], place),
                own,
                float(mix[place]),
                share,
                share - Z95 * error,
                share + Z95 * error,
                surplus / noise,
            )
        )
    return told


def _known(rates: Numbers, side: Side, place: int) -> float | None:
    return float(rates[place]) if side.denominators[place] > 0 else None
