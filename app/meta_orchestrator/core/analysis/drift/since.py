"""How sure the date of a change is."""

LEVEL = 0.9
"""Share of the intervals that hold the true date."""

_QUANTILE = 7.0
"""Bai (1997), "Estimation of a change point in multiple regression models", §3: for a shift of d standard deviations
the error of the estimated date is within 7 / d² values with probability .9."""


def half_width(shift: float) -> int:
    """Values to either side of the estimated change that belong to the interval; shift in standard deviations."""
    return 1 + int(_QUANTILE / shift**2)
