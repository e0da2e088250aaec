"""What is usual at a time of the day and of the week, taken out of new values and of remembered ones alike."""

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.drift.packing import packed, unpacked
from meta_orchestrator.core.analysis.drift.season import Season
from meta_orchestrator.messages.fields import DAY_US, MINUTE_US

_WEEK_US = 7 * DAY_US


class Baseline:
    """The seasons of a stream, and at which minute of the week each of its last `window` values was.

    When a season has been learnt, or learnt better, the values that new ones are ranked among must lose it, too: else
    all that comes next differs from them, and that would be a drift (simulated: two in three of the false ones of a
    daily wave).
    """

    def __init__(self, window: int) -> None:
        self.seasons = (Season(DAY_US, 48), Season(_WEEK_US, 56))
        self.minutes: deque[int] = deque(maxlen=window)

    def restart(self) -> None:
        """The values are forgotten; the seasons are not."""
        self.minutes.clear()

    def spoil(self) -> None:
        for season in self.seasons:
            season.spoil()

    @property
    def is_known(self) -> bool:
        return any(season.is_known for season in self.seasons)

    def turn(self, time_us: int) -> NDArray[np.float64] | None:
        """What to add to the remembered values at the first time of a new period; None where nothing was learnt."""
        if not any(season.is_over(time_us) for season in self.seasons):
            return None
        before = self._expected()
        learnt = [season.turn(time_us) for season in self.seasons]
        return before - self._expected() if any(learnt) and self.minutes else None

    def residual(self, time_us: int, value: float) -> float:
        """The value without what is usual; remembers when it was."""
        time_us -= time_us % MINUTE_US
        self.minutes.append(time_us % _WEEK_US // MINUTE_US)
        for season in self.seasons:
            value = season.residual(time_us, value)
        return value

    def _expected(self) -> NDArray[np.float64]:
        times_us = np.array(self.minutes, np.int64) * MINUTE_US
        return sum((season.expected(times_us) for season in self.seasons), np.zeros(len(times_us)))

    def dump(self) -> dict[str, Any]:
        steps = np.diff(np.array(self.minutes, np.uint16), prepend=np.uint16(0))
        return {"seasons": [season.dump() for season in self.seasons], "minutes": packed(steps)}

    def load(self, dumped: dict[str, Any]) -> None:
        for season, stored in zip(self.seasons, dumped["seasons"], strict=True):
            season.load(stored)
        self.restart()
        self.minutes.extend(np.cumsum(unpacked(dumped["minutes"], np.uint16), dtype=np.uint16).tolist())
