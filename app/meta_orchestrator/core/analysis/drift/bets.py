"""What is bet on, and what a bet pays: each payment has mean 1 at most while nothing has changed."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

LEVELS = np.array([0.5, -0.5, 1.0, -1.0, 2.0, -2.0])
"""Shifts of the level, in standard deviations of the innovation. A bet finds shifts of half to twice its size."""

SPREADS = 2
"""Bets on a greater and on a smaller spread, in this order, after those on the level."""


def weights(spread: bool) -> NDArray[np.float64]:
    """Of each bet in the evidence.

    When a Shiryaev-Roberts sum reaches A it overshoots, the more the greater its bet, so that the mean time is not A
    but about A exp(.583 |level|) (Pollak 1987; the constant is Siegmund's, 1985, §8.4). The weights take most of this
    back; what is left pays for the guess of φ.
    """
    even = np.append(np.exp(0.5 * np.abs(LEVELS)), np.ones(SPREADS * spread))
    return even / len(even)


def level_gains(innovations: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Likelihood ratio of N(level, 1) to N(0, 1): shape (streams, levels)."""
    gains: NDArray[np.float64] = np.exp(innovations[:, None] * levels - levels * levels / 2)
    return gains


def spread_gains(innovations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Densities of Beta(1/2, 1/2) and of Beta(2, 2) at the innovation's probability: shape (streams, SPREADS).

    The first pays for values far out, the second for values near the middle; both are densities on (0, 1), so their
    mean under a uniform probability is 1.
    """
    u = np.clip(ndtr(innovations), 1e-9, 1 - 1e-9)
    return np.stack([1 / (np.pi * np.sqrt(u * (1 - u))), 6 * u * (1 - u)], axis=1)
