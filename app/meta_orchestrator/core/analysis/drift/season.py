"""What time of day or week alone explains, learnt from whole periods and taken out before anything is a drift."""

from typing import Any

import numpy as np

from meta_orchestrator.core.analysis.drift.packing import packed, unpacked

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_MOST = 7
"""A period counts as one of the last so many at the least: so a profile follows a team that changes its habits."""

_LEAST = 2
"""Periods before the profile is used: one alone cannot tell a season from noise."""


class Season:
    """A profile of `bins` over a period, as the deviation from the level of the whole period.

    Within a period nothing is learnt, so a profile never swallows the shift that it should show. It is shrunk towards
    nothing by what noise alone would make of it (James-Stein; the noise is the variance from period to period), and
    beyond two standard errors of that, so that without a season there is none. A period in which a drift was found
    teaches nothing, unless the one before did not either.
    """

    def __init__(self, period_us: int, bins: int) -> None:
        self.period_us, self.bins = period_us, bins
        self.profile, self.variance, self.periods = np.zeros((3, bins), np.float32)
        self.sums, self.counts = np.zeros((2, bins), np.float32)
        self.period = -1
        self.spoilt = self.skipped = False
        """A drift was found in this period; the one before taught nothing."""
        self._shrinkage = 0.0

    def residual(self, time_us: int, value: float) -> float:
        """The value without its season; learns from it."""
        period, phase = divmod(time_us / self.period_us, 1)
        if int(period) != self.period:
            self._turn(int(period))
        residual = value - self._expected(phase)
        place = int(phase * self.bins)
        self.sums[place] += value
        self.counts[place] += 1
        return residual

    def spoil(self) -> None:
        """A drift was found: this period is no example of what is normal."""
        self.spoilt = self.is_known

    @property
    def is_known(self) -> bool:
        return self._shrinkage > 0

    def _expected(self, phase: float) -> float:
        """Between the middles of bins that have been seen, the profile is a straight line."""
        if not self.is_known:
            return 0.0
        seen = np.flatnonzero(self.periods)
        return self._shrinkage * float(np.interp(phase, (seen + 0.5) / self.bins, self.profile[seen], period=1))

    def _turn(self, period: int) -> None:
        """A period has ended: learn from it if it was seen at least half, and not spoilt."""
        usual = np.count_nonzero(self.periods) or self.bins
        skip = self.spoilt and not self.skipped
        if not skip and 2 * np.count_nonzero(self.counts) >= usual:
            self._fold()
        self.skipped, self.spoilt, self.period = skip, False, period
        self.sums[:] = self.counts[:] = 0
        self._shrinkage = self._shrunk()

    def _fold(self) -> None:
        """Mean and variance of each bin from period to period, the last `_MOST` counting."""
        seen = self.counts > 0
        day = self.sums[seen] / self.counts[seen]
        deviation = day - self.profile[seen]
        deviation -= deviation.mean()
        self.periods[seen] = np.minimum(self.periods[seen] + 1, _MOST)
        weight = 1 / self.periods[seen]
        self.profile[seen] += weight * deviation
        self.variance[seen] = (1 - weight) * (self.variance[seen] + weight * deviation**2)

    def _shrunk(self) -> float:
        """The share of the profile that is no noise."""
        sure = self.periods >= _LEAST
        if 2 * np.count_nonzero(sure) < self.bins // 2:
            return 0.0
        noise = float((self.variance[sure] / (self.periods[sure] - 1)).mean())
        signal = float((self.profile[sure] ** 2).mean())
        noise *= 1 + 2 * float(np.sqrt(2 / np.count_nonzero(sure)))
        return max(0.0, 1 - noise / signal) if signal else 0.0

    def dump(self) -> dict[str, Any]:
        known = np.stack([self.profile, self.variance, self.periods]) if self.periods.any() else np.zeros(0, np.float32)
        today = np.stack([self.sums, self.counts])
        return {
            "period": self.period,
            "flags": [self.spoilt, self.skipped],
            "known": packed(known.astype(np.float32)),
            "today": packed(today.astype(np.float32)),
        }

    def load(self, dumped: dict[str, Any]) -> None:
        self.period, (self.spoilt, self.skipped) = dumped["period"], dumped["flags"]
        if dumped["known"]:
            self.profile, self.variance, self.periods = unpacked(dumped["known"], np.float32, 3, self.bins)
        self.sums, self.counts = unpacked(dumped["today"], np.float32, 2, self.bins)
        self._shrinkage = self._shrunk()
