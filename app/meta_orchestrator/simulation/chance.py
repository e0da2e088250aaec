"""Randomness by name: every draw belongs to a cause and the things it concerns, not to a position in a stream.

So two runs of one seed share each arrival, each defect and each vote even where their configurations make them happen
in another order or at another time: common random numbers, without streams that drift apart at the first difference.
"""

import math
from collections.abc import Mapping
from hashlib import blake2b
from statistics import NormalDist

_STANDARD = NormalDist()


class Chance:
    """Draws that follow from a seed, a cause and the names of what is concerned."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def uniform(self, cause: str, *of: int | str) -> float:
        """A number within (0, 1), always the same for the same cause and names."""
        key = repr((self.seed, cause, of)).encode()
        return (int.from_bytes(blake2b(key, digest_size=6).digest()) + 0.5) / 2**48

    def happens(self, share: float, cause: str, *of: int | str) -> bool:
        """True with probability `share`. A larger share keeps all that happened with a smaller one."""
        return self.uniform(cause, *of) < share

    def exponential(self, mean: float, cause: str, *of: int | str) -> float:
        return -mean * math.log(self.uniform(cause, *of))

    def lognormal(self, mean: float, cv: float, cause: str, *of: int | str) -> float:
        """Lognormal with this mean and coefficient of variation."""
        if cv == 0:
            return mean
        variance = math.log1p(cv * cv)
        return mean * math.exp(math.sqrt(variance) * _STANDARD.inv_cdf(self.uniform(cause, *of)) - variance / 2)

    def count(self, mean: float, cause: str, *of: int | str) -> int:
        """Poisson by inversion; for small means."""
        left, n, term = self.uniform(cause, *of), 0, math.exp(-mean)
        while left > term > 0:
            left -= term
            n += 1
            term *= mean / n
        return n

    def choice(self, shares: Mapping[str, float], cause: str, *of: int | str) -> str:
        """A name, each with its share of the sum of shares."""
        left = self.uniform(cause, *of) * sum(shares.values())
        for name, share in shares.items():
            left -= share
            if left < 0:
                return name
        return name
