"""How surprising is a count?"""

from scipy.special import betainc, gammainc


def upper_tail(count: int, mean: float, variance: float) -> float:
    """P(X >= count): X is Poisson, or negative binomial where `variance` is above `mean`.

    By the incomplete gamma and beta functions (Abramowitz & Stegun 1964, 6.5.13 and 26.5.26).
    """
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    if variance <= mean * (1 + 1e-9):
        return float(gammainc(count, mean))
    shape = mean * mean / (variance - mean)
    return float(betainc(count, shape, mean / (mean + shape)))
