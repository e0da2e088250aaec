"""River's ADWIN as a slow second opinion on the same values."""

import numpy as np
from numpy.typing import NDArray

_BLOCK = 240
"""It reads the last one to two times as many values, from a place that moves on once in so many."""


class SecondOpinion:
    """ADWIN (Bifet, Gavaldà 2007) over values that are remembered anyway, so nothing more must be stored."""

    def __init__(self, delta: float = 0.002) -> None:
        from river.drift import ADWIN  # takes seconds, and is wanted by few

        self.delta, self._make = delta, ADWIN

    def last_drift(self, values: NDArray[np.float64]) -> int | None:
        """The place of the last value at which ADWIN finds a drift; None if it finds none."""
        detector, last = self._make(delta=self.delta), None
        for place, value in enumerate(values.tolist()):
            detector.update(value)
            if detector.drift_detected:
                last = place
        return last

    def fires(self, values: NDArray[np.float64], known: int) -> bool:
        """Whether it finds a drift at the last of `known` values, of which these are the last."""
        read = known if known < 2 * _BLOCK else _BLOCK + known % _BLOCK
        return self.last_drift(values[-read:]) == read - 1

    def agrees(self, values: NDArray[np.float64], since: int) -> bool:
        """Whether it finds a drift at or after a place."""
        last = self.last_drift(values)
        return last is not None and last >= since
