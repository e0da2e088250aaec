"""How surprising is a count?"""

import math


def upper_tail(count: int, mean: float, variance: float) -> float:
    """P(X >= count): X is Poisson, or negative binomial where `variance` is above `mean`."""
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    shape = mean * mean / (variance - mean) if variance > mean * (1 + 1e-9) else math.inf
    return _sum_up(count, mean, shape) if count > mean else 1 - _sum_down(count - 1, mean, shape)


def _sum_up(count: int, mean: float, shape: float) -> float:
    """P(count) + P(count + 1) + … until it adds nothing; above the mean the terms shrink."""
    term, total = _mass(count, mean, shape), 0.0
    while term > total * 1e-16:
        total += term
        term *= _next(count, mean, shape)
        count += 1
    return min(total, 1.0)


def _sum_down(count: int, mean: float, shape: float) -> float:
    """P(count) + … + P(0); below the mean the terms shrink."""
    term, total = _mass(count, mean, shape), 0.0
    while count >= 0 and term > total * 1e-16:
        total += term
        count -= 1
        term /= _next(count, mean, shape) if count >= 0 else 1.0
    return min(total, 1.0)


def _next(count: int, mean: float, shape: float) -> float:
    """P(count + 1) / P(count)."""
    pull = 1.0 if math.isinf(shape) else (count + shape) / (mean + shape)
    return mean / (count + 1) * pull


def _mass(count: int, mean: float, shape: float) -> float:
    """P(count), by logarithms."""
    if math.isinf(shape):
        return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
    ways = math.lgamma(count + shape) - math.lgamma(shape) - math.lgamma(count + 1)
    return math.exp(ways + shape * math.log(shape / (shape + mean)) + count * math.log(mean / (shape + mean)))
