"""What is bet on, and what a bet pays: each payment has mean 1 at most while nothing has changed."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

LEVELS = np.array([0.5, -0.5, 1.0, -1.0, 2.0, -2.0])
"""Shifts of the level, in standard deviations of the innovation. A bet finds shifts of half to twice its size."""

_ROOT = np.sqrt(2 * np.pi)

SPREADS = 2
"""Bets on a greater and on a smaller spread, in this order, after those on the level."""


def weights(spread: bool) -> NDArray[np.float64]:
    """Of each bet in the evidence.

    When a Shiryaev-Roberts sum reaches A it overshoots, the more the greater its bet, so that the mean time is not A
    but about A exp(.583 |level|) (Pollak 1987; the constant is Siegmund's, 1985, §8.4). The weights take .4 of this
    back; what is left pays for the guess of φ, and for values that come in steps (rates, counts) and overshoot less.
    """
    even = np.append(np.exp(0.4 * np.abs(LEVELS)), np.ones(SPREADS * spread))
    return even / len(even)


def between(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(low < N(0, 1) < high), exact in both tails."""
    flipped = low > 0
    mass = ndtr(np.where(flipped, -low, high)) - ndtr(np.where(flipped, -high, low))
    least: NDArray[np.float64] = np.maximum(mass, 1e-300)
    return least


def middle(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of N(0, 1) between two ends."""
    density = np.exp(-(low**2) / 2) - np.exp(-(high**2) / 2)
    mean: NDArray[np.float64] = np.minimum(np.maximum(density / _ROOT / between(low, high), low), high)
    return mean


def level_gains(ends: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Likelihood ratio of N(level, 1) to N(0, 1) between two ends, shape (2, streams): shape (streams, levels).

    A rank, and more so a value that is tied with others, only says between which ends a normal score is. To draw it
    from there keeps the promise, too, but what the draw adds is noise: its mean gain is this one (Rao, Blackwell), and
    the mean of the logarithm, which evidence grows by, is greater (Jensen).
    """
    low, high = ends[:, :, None]
    gains: NDArray[np.float64] = between(low - levels, high - levels) / between(low, high)
    return gains


def spread_gains(ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean densities of Beta(1/2, 1/2) and of Beta(2, 2) between the probabilities of two ends: (streams, SPREADS).

    The first pays for values far out, the second for values near the middle; both are densities on (0, 1), so their
    mean under a uniform probability is 1.
    """
    low, high = ndtr(ends)
    high = np.maximum(high, low + 1e-9)
    outer = 2 / np.pi * (np.arcsin(np.sqrt(np.minimum(high, 1))) - np.arcsin(np.sqrt(low)))
    inner = (3 - 2 * high) * high**2 - (3 - 2 * low) * low**2
    gains: NDArray[np.float64] = np.stack([outer, inner], axis=1) / (high - low)[:, None]
    return gains
