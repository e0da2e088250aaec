"""Quantiles of what is too much to keep: a histogram with logarithmic bins (DDSketch, Masson et al., VLDB 2019, §2).

A value x > 0 falls into bin ceil(log_g(x)) with g = (1 + a) / (1 - a), and 2 g^bin / (g + 1) is within a of it. Zero
has a bin of its
own. Bins are plain whole numbers, so histograms merge by adding, in any order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

ERROR = 0.005
_GAMMA = (1 + ERROR) / (1 - ERROR)
_LOG_GAMMA = float(np.log(_GAMMA))
ZERO_BIN = -(2**20)
"""Below the bin of the least positive float, which is about -74,500."""

_SPAN = 2**22
"""More bins than there are."""


def _empty() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclass(slots=True)
class Sketch:
    """Distinct bins, ascending, and how many values each holds: two arrays of shape (bins,)."""

    bins: NDArray[np.int64] = field(default_factory=_empty)
    counts: NDArray[np.int64] = field(default_factory=_empty)
    count: int = 0

    @classmethod
    def of(cls, values: Sequence[float]) -> "Sketch":
        """The sketch of some values >= 0."""
        return sketch_each({"": values})[""]

    def dump(self) -> tuple[list[int], list[int]]:
        return self.bins.tolist(), self.counts.tolist()

    @classmethod
    def load(cls, dumped: tuple[list[int], list[int]]) -> "Sketch":
        counts = np.array(dumped[1], np.int64)
        return cls(np.array(dumped[0], np.int64), counts, int(counts.sum()))


EMPTY = Sketch()


def sketch_each(values: Mapping[str, Sequence[float]]) -> dict[str, Sketch]:
    """The sketch of each named sequence of values >= 0, all at once: one sort for all names."""
    lengths = [len(some) for some in values.values()]
    numbers = np.array([value for some in values.values() for value in some], np.float64)
    with np.errstate(divide="ignore"):
        logs = np.where(numbers > 0, np.ceil(np.log(numbers) / _LOG_GAMMA), ZERO_BIN).astype(np.int64)
    owners = np.repeat(np.arange(len(lengths)), lengths)
    keys, counts = np.unique(owners * _SPAN + logs - ZERO_BIN, return_counts=True)
    ends = np.searchsorted(keys, np.arange(len(lengths) + 1) * _SPAN)
    bins = keys % _SPAN + ZERO_BIN
    return {
        name: Sketch(bins[begin:end], counts[begin:end], length)
        for name, begin, end, length in zip(values, ends, ends[1:], lengths, strict=False)
    }


def quantile(sketches: list[Sketch], share: float) -> float:
    """The value of rank ceil(share * n) among the n > 0 values of all sketches, within ERROR (relative)."""
    bins = np.concatenate([sketch.bins for sketch in sketches])
    order = np.argsort(bins, kind="stable")
    reached = np.cumsum(np.concatenate([sketch.counts for sketch in sketches])[order])
    rank = -(-round(share * 100) * int(reached[-1]) // 100)
    return _value(int(bins[order][np.searchsorted(reached, rank)]))


def logs_of(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """ln(1 + value) of some bins."""
    logs: NDArray[np.float64] = np.log1p(2 * np.exp(bins * _LOG_GAMMA) / (_GAMMA + 1))
    return logs


def _value(found: int) -> float:
    return 0.0 if found == ZERO_BIN else float(2 * np.exp(found * _LOG_GAMMA) / (_GAMMA + 1))
