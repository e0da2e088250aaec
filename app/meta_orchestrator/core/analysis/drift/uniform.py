"""Reproducible chance: the n-th number of a stream follows from its seed and n alone, so there is no state to store."""

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

_STEP, _FIRST, _SECOND = (np.uint64(k) for k in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def seed_of(*names: str) -> int:
    """A 63-bit seed from names, the same on every machine."""
    return int.from_bytes(sha256("\0".join(names).encode()).digest()[:8], "big") >> 1


def uniforms(seeds: NDArray[np.uint64], n: NDArray[np.int64]) -> NDArray[np.float64]:
    """The n-th number of each stream, in the open interval (0, 1): SplitMix64 (Steele, Lea, Flood 2014)."""
    x = seeds + (n + 1).astype(np.uint64) * _STEP
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    x = (x ^ (x >> np.uint64(31))) >> np.uint64(11)
    numbers: NDArray[np.float64] = (x.astype(np.float64) + 0.5) / 2.0**53
    return numbers
