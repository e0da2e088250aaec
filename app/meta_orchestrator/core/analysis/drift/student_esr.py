"""The drift detector for what is sparse: it keeps no past values, and assumes that what it sees is about normal."""

from typing import Any

import numpy as np
from river import base

from meta_orchestrator.core.analysis.drift.small_bank import SmallBank

_ONE = np.zeros(1, np.intp)


class StudentESR(base.DriftDetector):  # type: ignore[misc]
    r"""Self-starting e-Shiryaev-Roberts detector in 44 bytes of state.

    Each value is scored by Student's t with the mean and variance of those before it, which gives independent standard
    normal scores where the values are normal; scores beyond 3 count as 3. Then it bets like `RankESR`, on shifts of
    $\pm$.5 and $\pm$1.5. Feed it means of several values: those are about normal.

    Parameters
    ----------
    run_length
        Least mean number of updates between false alarms.

    Examples
    --------
    >>> import random
    >>> from meta_orchestrator.core.analysis.drift import StudentESR

    >>> rng = random.Random(12345)
    >>> detector = StudentESR()
    >>> for i in range(300):
    ...     detector.update(rng.gauss(0 if i < 200 else 2, 1))
    ...     if detector.drift_detected:
    ...         print(f"Drift detected at {i}, begun about {detector.change}")
    Drift detected at 205, begun about 200

    References
    ----------
    [^1]: Hawkins, D. M. (1987). Self-starting cusum charts for location and scale. The Statistician, 36(4), 299-316.

    """

    _drift_detected: bool

    def __init__(self, run_length: float = 10_000.0) -> None:
        super().__init__()
        self.run_length = run_length
        self._updates = 0
        self._bank = SmallBank()
        self._bank.grow(1)

    def update(self, x: int | float) -> None:
        if self._drift_detected:
            self.restart()
        self._bank.update(_ONE, np.array([x], np.float64), np.array([self._updates]))
        self._updates += 1
        self._drift_detected = self.evidence >= self.run_length

    def restart(self) -> None:
        """Begin as after a drift: what comes next is the new normal."""
        self._reset()
        self._bank.restart(_ONE)

    @property
    def evidence(self) -> float:
        """The e-value: the mean over all bets."""
        return float(self._bank.evidence[0])

    @property
    def change(self) -> int:
        """The number of the first value after the estimated change."""
        return int(self._bank.rows["change"][0, self._bank.direction(0)])

    def dump(self) -> dict[str, Any]:
        """All state as JSON values."""
        return {"updates": self._updates, "drift_detected": self._drift_detected} | self._bank.dump(_ONE)

    def load(self, dumped: dict[str, Any]) -> None:
        self._updates, self._drift_detected = dumped["updates"], dumped["drift_detected"]
        self._bank.load(dumped)
