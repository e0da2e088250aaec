"""Reproducible chance: the n-th number of a stream follows from its seed and n alone, so there is no state to store."""

from hashlib import sha256

_MASK = (1 << 64) - 1


def seed_of(*names: str) -> int:
    """A 63-bit seed from names, the same on every machine."""
    return int.from_bytes(sha256("\0".join(names).encode()).digest()[:8], "big") >> 1


def uniform(seed: int, n: int) -> float:
    """The n-th number of a stream, in the open interval (0, 1): SplitMix64 (Steele, Lea, Flood 2014) at position n."""
    x = (seed + (n + 1) * 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return (((x ^ (x >> 31)) >> 11) + 0.5) / (1 << 53)
