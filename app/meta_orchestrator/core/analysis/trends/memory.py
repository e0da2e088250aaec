"""How alike are hours that follow each other? Without the answer, noise that lasts for hours passes for a trend.

An hour's value is a level that wanders plus noise of its own (few tasks): cor(k hours apart) = c phi^k, c < 1. An
AR(1) guessed from neighbours alone takes the noise for a short memory and misses how long the level lasts: of a rate of
ten tasks an hour that wanders by AR .8 it says .13, and S varies three times as much as is believed.
"""

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
_SHARES, _PHIS = (0.25, 0.5, 0.75, 1.0), (0.5, 0.7, 0.8, 0.9)
_LAWS = np.array([(0.0, 0.0), *product(_SHARES, _PHIS)])
"""(c, phi) of all that may be true, shape (17, 2): the first says that hours have nothing to do with each other."""
_WHITE = 0.8
_BELIEF = np.array([_WHITE, *np.full(len(_LAWS) - 1, (1 - _WHITE) / (len(_LAWS) - 1))])
"""In each law before anything was seen. Simulated (AR .8: false a day; a fall of 2 % an hour: hours until told): .8 in
the first gives .017 and 42 h, .5 gives .013 and 45 h, all laws alike .003 and 60 h."""
_LEAST = 4
"""Hours of a day that tell something once its own level and slope are taken out."""
DAY = 24


def correlations(scores: Numbers, hours: NDArray[np.int64], longest: int) -> Numbers:
    """Between hours 0, 1, ... `longest` apart: the mean over all laws, each weighed by its likelihood.

    The likelihood is the restricted one (Patterson, Thompson 1971): each day's own level and slope are taken out, so
    that neither a trend nor a step passes for memory. `hours` are numbered since the epoch and ascend.
    """
    log_likelihood, squares, freedom = np.zeros(len(_LAWS)), np.full(len(_LAWS), 1e-9), 0
    for day in np.unique(hours // DAY):
        inside = hours // DAY == day
        if inside.sum() >= _LEAST:
            seen = np.bincount(hours[inside] % DAY, minlength=DAY).astype(bool)
            inverse, constant = _day(seen.tobytes())
            log_likelihood += constant
            squares += np.einsum("i,gij,j->g", scores[inside], inverse, scores[inside])
            freedom += int(inside.sum()) - 2
    log_likelihood -= freedom / 2 * np.log(squares)
    weights = _BELIEF * np.exp(log_likelihood - log_likelihood.max())
    found: Numbers = _correlation(np.arange(longest + 1)).T @ (weights / weights.sum())
    return found


def of_blocks(found: Numbers, block: int) -> Numbers:
    """The same between means of `block` hours each, as far apart as the correlations of hours reach."""
    apart = np.arange(1 - block, block)
    weights = (block - np.abs(apart)) / block**2
    gaps = np.abs(np.arange(len(found) - block + 1)[:, None] + apart)
    covariances: Numbers = found[gaps] @ weights
    alike: Numbers = covariances / covariances[0]
    return alike


def _correlation(gaps: NDArray[np.int64]) -> Numbers:
    """Of each law at some gaps, shape (laws, *gaps)."""
    shares, phis = _LAWS.T.reshape(2, -1, *(1 for _ in gaps.shape))
    return np.where(gaps == 0, 1.0, shares * phis ** np.abs(gaps))


@lru_cache(maxsize=256)
def _day(seen: bytes) -> tuple[Numbers, Numbers]:
    """Of a day with these hours, for each law: the inverse without level and slope, minus half the log determinants."""
    hours = np.flatnonzero(np.frombuffer(seen, bool))
    law = _correlation(hours[:, None] - hours)
    inverse = np.linalg.inv(law)
    design = np.stack([np.ones(len(hours)), hours - hours.mean()], axis=1)
    weighed = inverse @ design
    middle = design.T @ weighed
    left = inverse - weighed @ np.linalg.solve(middle, weighed.transpose(0, 2, 1))
    return left, -(np.linalg.slogdet(law)[1] + np.linalg.slogdet(middle)[1]) / 2
