"""Evidence that stays valid however often one looks: asymptotic confidence sequences and their e-values.

A difference of means, looked at while information v = 1 / variance grows, is W(v) / v for a Brownian motion W plus
drift, also where one side (the time before a trial) is measured once and shared by all looks. Mixing over normal drifts
gives a martingale; its value is the e-value, and the score at which that reaches 1 / alpha is the boundary
(Robbins 1970; Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2021, "Time-uniform central limit theory", §2 and App. B).
"""

from math import erf, exp, log, log1p, sqrt

NARROWEST = 0.5
"""Of the planned information: there the boundary is lowest, for a verdict halfway to the review."""
ALPHA = 0.05
"""The level for which `e_value` is tuned; it is valid at any."""
MOST = 1e12
"""E-values are cut here: more has no meaning, and JSON knows no infinity."""


def progress(before: float, during: float, planned: float) -> float:
    """Share of the planned information that has come: `during` of the `planned` ticks, compared with those before."""
    if min(before, during, planned) <= 0:
        return 0.0
    return (1 / planned + 1 / before) / (1 / during + 1 / before)


def boundary(share: float, alpha: float) -> float:
    """The normal score that a run of looks passes with probability `alpha` at most; one-sided.

    `share` of the planned information has come. The paper's closed bound.
    """
    x = _scaled(share, alpha)
    return sqrt(2 * (x + 1) / x * log1p(sqrt(x + 1) / (2 * alpha)))


def e_value(score: float, share: float, alpha: float = ALPHA) -> float:
    """How much more likely the run of looks is under some positive effect than under none; 1 says nothing.

    Under no effect, or a negative one, it ever reaches 1 / a with probability a at most (Ville).
    """
    x = _scaled(share, alpha)
    tilted = score * sqrt(x / (x + 1))
    grown = exp(min(tilted * tilted / 2, 60.0)) * (1 + erf(tilted / sqrt(2))) / sqrt(x + 1)
    return min(grown, MOST)


def _scaled(share: float, alpha: float) -> float:
    """Information in units of the mixture's own, so that the boundary is lowest at NARROWEST."""
    least = -2 * log(alpha)
    return max(share, 1e-9) / NARROWEST * (least + log(least) + 1)
