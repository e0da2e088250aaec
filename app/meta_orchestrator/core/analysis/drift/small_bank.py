"""Drift of very many sparse streams (one an agent) in a few bytes each: no past values, only what they amount to.

A value becomes a normal score by what the stream's own past predicts, and then bets as in `evidence.py`, fewer and
coarser. Ranks would need the past values; here a law is assumed instead, and held up by clipping.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln, ndtri, stdtr

from meta_orchestrator.core.analysis.drift.evidence import Which
from meta_orchestrator.core.analysis.drift.packing import packed, unpacked
from meta_orchestrator.core.analysis.drift.uniform import uniforms

LEVELS = np.array([0.5, -0.5, 1.5, -1.5])
_DATING = np.array([1.0, -1.0])
WARM_UP = 10
"""Values that are only learnt from."""

_CLIP = 3.0
"""Greatest score: one value beyond all measure is a spike, not a drift."""

_MEMORY = 200
"""Older values are forgotten at the rate of one in so many."""

_PHI_PRIOR, _PHI_MAX, _PHI_MEMORY = 100, 0.8, 10_000

ROW = np.dtype(
    [
        ("count", "<u2"),
        ("mean", "<f4"),
        ("squares", "<f4"),
        ("score", "<f2"),
        ("evidence", "<f2", len(LEVELS)),
        ("rise", "<f2", len(_DATING)),
        ("change", "<u4", len(_DATING)),
        ("old_count", "<u2", len(_DATING)),
        ("old_mean", "<f4", len(_DATING)),
    ]
)
"""One stream. Evidence and rise are logarithms; `change` and the mean before it are kept for either direction."""


def empty_rows(streams: int) -> NDArray[Any]:
    rows = np.zeros(streams, ROW)
    rows["evidence"] = -np.inf
    return rows


class SmallBank:
    """Streams of values, each about normal (a mean of several): scored by Student's t with their own past.

    The scores are independent standard normal where the values are independent and normal (recursive residuals: Brown,
    Durbin, Evans 1975; as a control chart: Hawkins 1987). The autocorrelation is learnt from all streams together.
    """

    def __init__(self) -> None:
        self.rows = empty_rows(0)
        self.moments = np.zeros(2)
        """Sums of z z' and of z² over all streams."""

    def grow(self, streams: int) -> None:
        """Room for so many streams."""
        self.rows = np.concatenate([self.rows, empty_rows(streams - len(self.rows))])

    def update(self, which: Which, x: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
        """One value each for some streams, each named once; a label (seconds) is what a change would be dated by."""
        rows = self.rows[which]
        self._score_and_bet(rows, self._student(rows, x), labels)
        _remember(rows, x)
        self.rows[which] = rows

    def restart(self, which: Which) -> None:
        """What comes next is the new normal."""
        self.rows[which] = empty_rows(len(which))

    @property
    def evidence(self) -> NDArray[np.float64]:
        """The mean over all bets, shape (streams,)."""
        means: NDArray[np.float64] = np.exp(self.rows["evidence"].astype(np.float64)).mean(axis=1)
        return means

    @property
    def watched(self) -> int:
        """Streams that bet."""
        return int((self.rows["count"] >= WARM_UP).sum())

    def direction(self, stream: int) -> int:
        """0 where the evidence is for greater values, 1 for smaller ones: the place in `change` and `old_mean`."""
        return int(self.rows["evidence"][stream].argmax()) % 2

    def after(self, stream: int, since: int) -> float:
        """The mean of the values since the change in this direction: what was old before is known, and fades since."""
        row = self.rows[stream]
        count, old = int(row["count"]), int(row["old_count"][since])
        kept = min(old, _MEMORY) / min(count, _MEMORY) * (1 - 1 / _MEMORY) ** (max(count, _MEMORY) - max(old, _MEMORY))
        mean, old_mean = float(row["mean"]), float(row["old_mean"][since])
        return (mean - kept * old_mean) / (1 - kept) if kept < 1 else mean

    def bet(self, stream: int) -> float:
        """The size of the shift that is bet on most successfully, in standard deviations."""
        return abs(float(LEVELS[self.rows["evidence"][stream].argmax()]))

    @property
    def phi(self) -> float:
        """Autocorrelation from value to value, of all streams."""
        products, squares = self.moments
        return min(max(float(products / (squares + _PHI_PRIOR)), 0.0), _PHI_MAX)

    def _student(self, rows: NDArray[Any], x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Normal scores of Student's t of x against the past, 0 where there is none."""
        count = np.minimum(rows["count"].astype(np.float64), _MEMORY)
        degrees = np.maximum(count - 1, 1)
        spread = np.sqrt(np.maximum(rows["squares"], 1e-12) / degrees * (1 + 1 / np.maximum(count, 1)))
        scores = _normal(stdtr(degrees, (x - rows["mean"]) / spread))
        return np.where(count >= 2, scores, 0.0)

    def _score_and_bet(self, rows: NDArray[Any], scores: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
        scores = _clip(scores)
        phi, before = self.phi, rows["score"].astype(np.float64)
        rows["score"] = scores
        ready = rows["count"] >= WARM_UP
        self._learn(scores[ready], before[ready])
        _bet(rows, ready, _clip((scores - phi * before) / np.sqrt(1 - phi * phi)), labels)

    def _learn(self, scores: NDArray[np.float64], before: NDArray[np.float64]) -> None:
        """The autocorrelation, forgotten at the rate of one value in `_PHI_MEMORY`."""
        self.moments *= (1 - 1 / _PHI_MEMORY) ** len(scores)
        self.moments += before @ scores, scores @ scores

    def dump(self, which: Which) -> dict[str, Any]:
        """Of some streams, which come back in this order."""
        return {"rows": packed(self.rows[which]), "moments": self.moments.tolist()}

    def load(self, dumped: dict[str, Any]) -> None:
        self.rows, self.moments = unpacked(dumped["rows"], ROW), np.array(dumped["moments"])


class RateBank(SmallBank):
    """Streams of (events, of which bad): scored by the beta-binomial law that the past predicts, ties broken at random.

    The score is divided by its own standard deviation in the past where that is above 1: agents do vary more from
    batch to batch than coins do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seeds = np.zeros(0, np.uint64)

    def name(self, stream: int, seed: int) -> None:
        """Where a stream's chance comes from."""
        self.seeds = np.resize(self.seeds, len(self.rows))
        self.seeds[stream] = seed

    def update_rates(
        self, which: Which, bad: NDArray[np.float64], events: NDArray[np.float64], labels: NDArray[np.int64]
    ) -> None:
        """One batch each for some streams."""
        rows = self.rows[which]
        u = self._predicted(rows, bad, events, uniforms(self.seeds[which], labels))
        scores = np.where(rows["count"] > 0, _normal(u), 0.0)
        count = np.minimum(rows["count"].astype(np.float64), _MEMORY)
        self._score_and_bet(rows, scores / np.sqrt(np.maximum(1, (rows["squares"] + 10) / (count + 10))), labels)
        _remember_rate(rows, bad / events, scores)
        self.rows[which] = rows

    @staticmethod
    def _predicted(
        rows: NDArray[Any], bad: NDArray[np.float64], events: NDArray[np.float64], chance: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """P(fewer) + chance · P(as many), by the beta-binomial with the past as its prior."""
        past = np.minimum(rows["count"], _MEMORY) * events
        a, b = rows["mean"] * past + 0.5, (1 - rows["mean"]) * past + 0.5
        k = np.arange(int(events.max()) + 1)[None, :]
        n, a, b = events[:, None], a[:, None], b[:, None]
        left = np.maximum(n - k, 0)
        log = gammaln(n + 1) - gammaln(k + 1) - gammaln(left + 1) + betaln(k + a, left + b) - betaln(a, b)
        p = np.where(k <= n, np.exp(log), 0)
        below = np.where(k < bad[:, None], p, 0).sum(axis=1)
        predicted: NDArray[np.float64] = below + chance * p[np.arange(len(p)), bad.astype(np.intp)]
        return predicted


def _normal(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities as normal scores, the utmost ones held back."""
    scores: NDArray[np.float64] = ndtri(np.minimum(np.maximum(p, 1e-12), 1 - 1e-12))
    return scores


def _clip(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """By two ufuncs: np.clip takes longer to begin than they to end."""
    return np.minimum(np.maximum(scores, -_CLIP), _CLIP)


def _bet(rows: NDArray[Any], ready: NDArray[np.bool_], w: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
    """Shiryaev-Roberts sums and the CUSUM that dates, in logarithms."""
    w = np.where(ready, w, 0)[:, None]
    grown = np.logaddexp(0, rows["evidence"].astype(np.float64)) + w * LEVELS - LEVELS**2 / 2
    rows["evidence"] = np.where(ready[:, None], np.minimum(grown, 1e4), -np.inf)
    fresh = rows["rise"] <= 0
    rows["change"] = np.where(fresh, labels[:, None], rows["change"])
    rows["old_count"] = np.where(fresh, rows["count"][:, None], rows["old_count"])
    rows["old_mean"] = np.where(fresh, rows["mean"][:, None], rows["old_mean"])
    rise = np.maximum(rows["rise"].astype(np.float64), 0) + w * _DATING - 0.5
    rows["rise"] = np.where(ready[:, None], np.minimum(rise, 1e4), 0)


def _remember(rows: NDArray[Any], x: NDArray[np.float64]) -> None:
    """Mean and sum of squared deviations (Welford 1962), the last `_MEMORY` values counting."""
    weight = 1 / np.minimum(rows["count"] + 1.0, _MEMORY)
    rows["squares"] *= np.where(rows["count"] >= _MEMORY, 1 - weight, 1)
    step = x - rows["mean"]
    rows["mean"] += weight * step
    rows["squares"] += step * (x - rows["mean"])
    _count(rows)


def _remember_rate(rows: NDArray[Any], rate: NDArray[np.float64], scores: NDArray[np.float64]) -> None:
    weight = 1 / np.minimum(rows["count"] + 1.0, _MEMORY)
    rows["squares"] = rows["squares"] * np.where(rows["count"] >= _MEMORY, 1 - weight, 1) + scores**2
    rows["mean"] += weight * (rate - rows["mean"])
    _count(rows)


def _count(rows: NDArray[Any]) -> None:
    rows["count"] = np.minimum(rows["count"].astype(np.int64) + 1, 65_535)
