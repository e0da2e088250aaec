"""The main drift detector: it keeps its promise on false alarms whatever the shape and scale of what it watches."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from meta_orchestrator.core.analysis.drift.bets import LEVELS
from meta_orchestrator.core.analysis.drift.packing import packed, packed_floats, unpacked, unpacked_floats
from meta_orchestrator.core.analysis.drift.rank_bank import RankBank

_ONE = np.zeros(1, np.intp)


class RankESR(base.DriftDetector):  # type: ignore[misc]
    r"""Rank e-Shiryaev-Roberts detector with AR(1) whitening.

    Each value is replaced by its sequential rank among the last `window` values, the rank by the two normal quantiles
    that its normal score $z$ is between (a tie is between all who share it), and these are whitened by an AR(1) model,
    $w_t = (z_t - \varphi z_{t-1}) / \sqrt{1 - \varphi^2}$ with $\varphi = 1 + 2 \rho_1(\Delta z)$: differences do not
    see a level shift, so a drift does not pass for autocorrelation. For each shift $\delta$ bet on, evidence grows as
    $S \leftarrow (1 + S) P_\delta / P_0$, the probabilities of what is between both ends under $N(\delta, 1)$ and
    $N(0, 1)$. A drift is detected when a weighted mean of the $S$ reaches `run_length`, about the mean time between
    false alarms where the values are exchangeable. After a drift the ranks start anew; $\varphi$ is kept.

    The values should be disjoint (a mean of each batch, never of overlapping windows).

    Parameters
    ----------
    run_length
        Mean number of updates between false alarms.
    window
        Number of past values that a new one is ranked among.
    warm_up
        Number of values that are only learnt from, at the start and after each drift.
    phi
        First guess of the autocorrelation from value to value.
    spread
        Whether a change of the spread is bet on, too; `spread_changed` then says which of both it was.

    Examples
    --------
    >>> import random
    >>> from meta_orchestrator.core.analysis.drift import RankESR

    >>> rng = random.Random(12345)
    >>> detector = RankESR()
    >>> for i in range(400):
    ...     detector.update(rng.lognormvariate(0 if i < 300 else 1, 1))
    ...     if detector.drift_detected:
    ...         print(f"Drift detected at {i}, begun about {detector.change}, evidence {detector.direction:+d}")
    Drift detected at 317, begun about 300, evidence +1

    References
    ----------
    [^1]: Shin, J., Ramdas, A., & Rinaldo, A. (2024). E-detectors: a nonparametric framework for sequential change
    detection. The New England Journal of Statistics in Data Science, 2(2), 229-260.
    [^2]: Gordon, L., & Pollak, M. (1994). An efficient sequential nonparametric scheme for detecting a change of
    distribution. The Annals of Statistics, 22(2), 763-804.

    """

    _drift_detected: bool

    def __init__(
        self,
        run_length: float = 10_000.0,
        window: int = 500,
        warm_up: int = 30,
        phi: float = 0.3,
        spread: bool = False,
    ) -> None:
        super().__init__()
        self.run_length = run_length
        self.window = window
        self.warm_up = warm_up
        self.phi = phi
        self.spread = spread
        self._bank = RankBank(1, window, warm_up, phi, spread)
        self._evidence = 0.0

    def update(self, x: int | float) -> None:
        if self._drift_detected:
            self.restart()
        self._bank.update(_ONE, np.array([x], np.float64))
        self._evidence = float(self._bank.e_values[0])
        self._drift_detected = self._evidence >= self.run_length

    def restart(self) -> None:
        """Begin as after a drift: what comes next is the new normal."""
        self._reset()
        self._bank.restart(_ONE)
        self._evidence = 0.0

    @property
    def evidence(self) -> float:
        """The e-value: a weighted mean over all bets. Drift is detected when it reaches `run_length`."""
        return self._evidence

    @property
    def direction(self) -> int:
        """+1 where the evidence is for greater values (or a greater spread), -1 for smaller ones."""
        strongest = self._bank.evidence.strongest(0)
        return 1 if strongest == len(LEVELS) or (strongest < len(LEVELS) and LEVELS[strongest] > 0) else -1

    @property
    def spread_changed(self) -> bool:
        """Whether the evidence is for another spread, not for another level."""
        return self._bank.evidence.strongest(0) >= len(LEVELS)

    @property
    def bet(self) -> float:
        """The size of the change that is bet on most successfully, in standard deviations; 1 for one of the spread."""
        return 1.0 if self.spread_changed else abs(float(LEVELS[self._bank.evidence.strongest(0)]))

    @property
    def updates(self) -> int:
        """Values seen so far; they are numbered from 0, across drifts."""
        return int(self._bank.updates[0])

    @property
    def known(self) -> int:
        """Values since the last restart."""
        return int(self._bank.updates[0] - self._bank.start[0])

    @property
    def values(self) -> NDArray[np.float64]:
        """The last `window` values since the last restart, oldest first."""
        known, ring = self.known, self._bank.values[0]
        return np.roll(ring, -(known % self.window)) if known > self.window else ring[:known]

    def revise(self, values: NDArray[np.float64], anew: bool) -> None:
        """The last `window` values, oldest first, as they are seen now; whether evidence begins anew."""
        places = np.arange(self.known - len(values), self.known) % self.window
        self._bank.values[0, places] = values
        if anew:
            self._bank.forget_evidence(_ONE)
            self._evidence = 0.0

    @property
    def change(self) -> int:
        """The number of the first value after the estimated change: where the CUSUM of the strongest bet last began."""
        return int(self._bank.evidence.changes[0, self._bank.evidence.strongest(0)])

    @property
    def candidates(self) -> list[int]:
        """All that `change` may become without a further restart of a CUSUM, ascending."""
        return sorted(set(self._bank.evidence.changes[0].tolist()))

    @property
    def autocorrelation(self) -> float:
        """φ, shrunk to its first guess while there is little to learn it from."""
        return float(self._bank.whitening.phi(_ONE)[0])

    def dump(self) -> dict[str, Any]:
        """All state as JSON values; the parameters are the business of whoever loads it."""
        bank, evidence = self._bank, self._bank.evidence
        return {
            "updates": self.updates,
            "start": int(bank.start[0]),
            "values": packed_floats(bank.values[0, : min(self.known, self.window)]),
            "whitening": packed(bank.whitening.state),
            "evidence": packed(np.stack([evidence.sums[0], evidence.rise[0]])),
            "changes": evidence.changes[0].tolist(),
            "drift_detected": self._drift_detected,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        """Go on exactly where `dump` was taken from a detector with the same parameters."""
        bank, values = self._bank, unpacked_floats(dumped["values"])
        bank.updates[0], bank.start[0] = dumped["updates"], dumped["start"]
        bank.values[0] = np.nan
        bank.values[0, : len(values)] = values
        bank.whitening.state = unpacked(dumped["whitening"], np.float64, 5, 1)
        bank.evidence.sums[0], bank.evidence.rise[0] = unpacked(dumped["evidence"], np.float64, 2, -1)
        bank.evidence.changes[0] = dumped["changes"]
        self._evidence, self._drift_detected = float(bank.e_values[0]), dumped["drift_detected"]
