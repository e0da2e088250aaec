"""How some durations are spread, in a few hundred numbers at the most: bins that grow by 2 % (as DDSketch)."""

from collections import Counter
from collections.abc import Iterable
from math import ceil, exp, log

_LOG_GAMMA = log(1.02)


class Spread:
    """Values >= 0, their number, sum and quantiles within 1 % (relative)."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self._zeros = 0
        self._bins: Counter[int] = Counter()

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        if value > 0:
            self._bins[ceil(log(value) / _LOG_GAMMA)] += 1
        else:
            self._zeros += 1

    @classmethod
    def together(cls, spreads: Iterable["Spread"]) -> "Spread":
        """All of them in one."""
        whole = cls()
        for spread in spreads:
            whole.count += spread.count
            whole.total += spread.total
            whole._zeros += spread._zeros
            whole._bins.update(spread._bins)
        return whole

    def quantile(self, share: float) -> float | None:
        """The value of rank ceil(share n); None of nothing."""
        if not self.count:
            return None
        left = ceil(share * self.count) - self._zeros
        if left <= 0:
            return 0.0
        for place in sorted(self._bins):
            left -= self._bins[place]
            if left <= 0:
                break
        return 2 * exp(place * _LOG_GAMMA) / (1 + exp(_LOG_GAMMA))
