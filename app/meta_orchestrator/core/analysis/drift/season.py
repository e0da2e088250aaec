"""What time of day or week alone explains, learnt from whole periods and taken out before anything is a drift."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.drift.packing import packed, unpacked

_MOST = 7
"""A period counts as one of the last so many at the least: so a profile follows a team that changes its habits."""

_LEAST = 2
"""Periods before the profile is used: one alone cannot tell a season from noise."""

_SEEN = 6
"""A period teaches if a part of its bins, one in so many, was seen: four hours of a day."""


class Season:
    """A profile of `bins` over a period, as the deviation from the level of the whole period.

    Within a period nothing is learnt, so a profile never swallows the shift that it should show. The profile is kept as
    its harmonics, and each is shrunk towards nothing by what noise alone would make of it (James-Stein; the noise is
    its variance from period to period): a wave comes back each day, and noise does not. All of them are nothing where
    they are no more than noise together, within two standard errors. A period in which a drift was found teaches
    nothing, unless the one before did not either.
    """

    def __init__(self, period_us: int, bins: int) -> None:
        self.period_us, self.bins = period_us, bins
        self.profile = np.zeros(bins)
        self.sums, self.counts = np.zeros((2, bins), np.float32)
        self.period = -1
        self.spoilt = self.skipped = False
        """A drift was found in this period; the one before taught nothing."""
        self._forget()

    def _forget(self) -> None:
        self.waves = np.zeros(self.bins // 2 + 1, np.complex64)
        """Mean of each harmonic over the periods that counted, as of `numpy.fft.rfft`."""
        self.wander = np.zeros(self.bins // 2 + 1, np.float32)
        """Its variance from period to period."""
        self.periods = self.seen = 0
        """Periods that taught, and how many bins were seen in the last of them."""

    def residual(self, time_us: int, value: float) -> float:
        """The value without its season; learns from it."""
        self.turn(time_us)
        place = int(time_us % self.period_us * self.bins // self.period_us)
        self.sums[place] += value
        self.counts[place] += 1
        return value - float(self.expected(time_us))

    def spoil(self) -> None:
        """A drift was found: this period is no example of what is normal."""
        self.spoilt = self.is_known

    @property
    def is_known(self) -> bool:
        return bool(self.profile.any())

    def expected(self, times_us: int | NDArray[np.int64]) -> NDArray[np.float64]:
        """What the season explains at some times: between the middles of bins a straight line."""
        place = np.asarray(times_us) % self.period_us / self.period_us * self.bins - 0.5
        low = np.floor(place).astype(np.intp)
        share = place - low
        line: NDArray[np.float64] = (1 - share) * self.profile[low] + share * self.profile[(low + 1) % self.bins]
        return line

    def is_over(self, time_us: int) -> bool:
        """Whether it is the first time of a new period."""
        return time_us // self.period_us != self.period

    def turn(self, time_us: int) -> bool:
        """Whether a period has ended that something was learnt from: if enough of it was seen, and not spoilt."""
        if not self.is_over(time_us):
            return False
        skip = self.spoilt and not self.skipped
        seen = np.flatnonzero(self.counts)
        learn = not skip and 2 * len(seen) >= self.seen and _SEEN * len(seen) >= self.bins
        if learn:
            self._learn(seen)
        self.skipped, self.spoilt, self.period = skip, False, time_us // self.period_us
        self.sums[:] = self.counts[:] = 0
        return learn

    def _learn(self, seen: NDArray[np.intp]) -> None:
        """Mean and variance of each harmonic, the last `_MOST` periods counting.

        Bins that were not seen are on a straight line between those that were. One that shows half as much again as
        those before is the first whole one.
        """
        if 2 * len(seen) > 3 * self.seen:
            self._forget()
        day = np.interp(np.arange(self.bins), seen, self.sums[seen] / self.counts[seen], period=self.bins)
        self.periods, self.seen = min(self.periods + 1, _MOST), len(seen)
        weight = 1 / self.periods
        step = np.fft.rfft(day - day.mean()) - self.waves
        self.waves += weight * step
        self.wander[:] = (1 - weight) * (self.wander + weight * np.abs(step) ** 2)
        self.profile = self._shrunk()

    def _shrunk(self) -> NDArray[np.float64]:
        """The part of the profile that is no noise; a harmonic's own is at least the mean of all."""
        if self.periods < _LEAST:
            return np.zeros(self.bins)
        waves, wander = self.waves[1:].astype(np.complex128), self.wander[1:].astype(np.float64)
        power, noise = np.abs(waves) ** 2, wander / (self.periods - 1)
        if power.sum() <= noise.sum() * (1 + 2 * (2 / len(power)) ** 0.5):
            return np.zeros(self.bins)
        share = np.maximum(1 - np.maximum(noise, noise.mean()) / np.maximum(power, 1e-30), 0)
        profile: NDArray[np.float64] = np.fft.irfft(np.append(0, share * waves), self.bins)
        return profile

    def dump(self) -> dict[str, Any]:
        return {
            "period": self.period,
            "flags": [self.spoilt, self.skipped],
            "known": [self.periods, self.seen, packed(self.waves), packed(self.wander)],
            "today": packed(np.stack([self.sums, self.counts])),
        }

    def load(self, dumped: dict[str, Any]) -> None:
        self.period, (self.spoilt, self.skipped) = dumped["period"], dumped["flags"]
        self.periods, self.seen, waves, wander = dumped["known"]
        self.waves, self.wander = unpacked(waves, np.complex64), unpacked(wander, np.float32)
        self.sums, self.counts = unpacked(dumped["today"], np.float32, 2, self.bins)
        self.profile = self._shrunk()
