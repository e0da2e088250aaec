"""Is there a monotone trend, and how steep is it? Kendall's S within strata, with autocorrelation accounted for.

Only blocks of the same stratum (hour of the day, configuration) are compared, as in the seasonal Kendall test of
Hirsch, Slack & Smith (1982, "Techniques of trend analysis for monthly water quality data"), so neither a season nor a
change of the configuration makes a trend. For a Gaussian (or any monotone function of one) with autocorrelation rho,
the covariance of two signs is exact (Kendall 1955; Hamed & Rao 1998, "A modified Mann-Kendall trend test for
autocorrelated data", eq. 6):

    cov(sign(x_j - x_i), sign(x_l - x_k)) = (2 / pi) asin((rho_jl - rho_il - rho_jk + rho_ik) /
                                                          (2 sqrt((1 - rho_ij) (1 - rho_kl))))

and the variance of S is its sum over all pairs of pairs. The slope is the median over the pairs (Theil 1950; Sen 1968),
its interval the order statistics that far from the middle.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Z95 = 1.96


@dataclass(frozen=True)
class Slope:
    """Per unit of time, with its 95 % interval; `s` is Kendall's statistic, `pairs` how many were compared."""

    slope: float
    low: float
    high: float
    p_value: float
    s: float
    pairs: int


def trend(times: Numbers, values: Numbers, strata: NDArray[np.int64], correlations: Numbers) -> Slope | None:
    """The trend of values at ascending times; None without two comparable ones.

    `correlations` are those between values 0, 1, 2 ... apart in time; times are whole numbers apart.
    """
    first, second = np.triu_indices(len(times), 1)
    same = strata[first] == strata[second]
    first, second = first[same], second[same]
    if not len(first):
        return None
    differences, gaps = values[second] - values[first], times[second] - times[first]
    s = float(np.sign(differences).sum())
    deviation = sqrt(max(_variance(times, first, second, correlations), 1.0))
    p_value = 2 * (1 - NormalDist().cdf(max(abs(s) - 1, 0) / deviation))
    slopes = np.sort(differences / gaps)
    reach = Z95 * deviation / 2
    low, high = (int(min(max(len(slopes) / 2 + way * reach, 0), len(slopes) - 1)) for way in (-1, 1))
    return Slope(float(np.median(slopes)), float(slopes[low]), float(slopes[high]), p_value, s, len(slopes))


def normal_scores(values: Numbers) -> Numbers:
    """Ranks (the mean of ties) as standard normal quantiles."""
    order = np.sort(values)
    ranks = (np.searchsorted(order, values) + np.searchsorted(order, values, "right")) / 2
    scores = [NormalDist().inv_cdf(float(rank)) for rank in (ranks + 0.5) / (len(values) + 1)]
    return np.array(scores)


def _variance(times: Numbers, first: NDArray[np.intp], second: NDArray[np.intp], correlations: Numbers) -> float:
    """Of S over these pairs."""
    rho = correlations[np.rint(np.abs(times[:, None] - times[None, :])).astype(np.intp)]
    spread = np.sqrt(2 * (1 - rho[first, second]))
    across = rho[second[:, None], second] - rho[first[:, None], second]
    across += rho[first[:, None], first] - rho[second[:, None], first]
    across /= spread[:, None] * spread
    return float(np.arcsin(np.clip(across, -1, 1)).sum() * 2 / np.pi)
