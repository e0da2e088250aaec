"""Evidence that grows from bet to bet, for many streams at once, and the estimate of when the change was."""

import numpy as np
from numpy.typing import NDArray

_CAP = 1e200
"""Evidence stays finite however long it grows."""

Which = NDArray[np.intp]


class Evidence:
    """Shiryaev-Roberts sums S ← (1 + S) · gain, and beside each the CUSUM of the same bet, whose last start dates it.

    S less the number of updates is a martingale where each gain has mean 1, so the mean time until a weighted mean of
    all S reaches A is A at the least (Shin, Ramdas, Rinaldo 2024, Theorem 2.4). The 1 says that a change may begin with
    any update; less where little could be seen of it (`starts`). Arrays have the shape (streams, bets).
    """

    def __init__(self, streams: int, weights: NDArray[np.float64]) -> None:
        bets, self.weights = len(weights), weights
        self.sums = np.zeros((streams, bets))
        self.rise = np.ones((streams, bets))
        self.changes = np.zeros((streams, bets), np.int64)
        """Number of the first update after the change that each bet believes in."""

    def add(
        self, which: Which, gains: NDArray[np.float64], numbers: NDArray[np.int64], starts: NDArray[np.float64]
    ) -> None:
        """Pay the bets of some streams; `numbers` are those of their updates, `starts` is 0..1 and known before."""
        self.sums[which] = np.minimum((starts[:, None] + self.sums[which]) * gains, _CAP)
        rise = self.rise[which]
        self.changes[which] = np.where(rise <= 1, numbers[:, None], self.changes[which])
        self.rise[which] = np.minimum(np.maximum(rise, 1) * gains, _CAP)

    def clear(self, which: Which, numbers: NDArray[np.int64]) -> None:
        """Begin anew with the updates that have these numbers."""
        self.sums[which], self.rise[which] = 0, 1
        self.changes[which] = numbers[:, None]

    @property
    def means(self) -> NDArray[np.float64]:
        """The e-detector: the weighted mean over all bets, shape (streams,)."""
        means: NDArray[np.float64] = self.sums @ self.weights
        return means

    def strongest(self, stream: int) -> int:
        """The bet that has gained most."""
        return int((self.sums[stream] * self.weights).argmax())
