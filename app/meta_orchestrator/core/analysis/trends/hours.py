"""Two weeks of sums by the hour: what trends are made of, small enough to be stored at every tick."""

import zlib
from base64 import b85decode, b85encode
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.awake import AWAKE_MOST_S, AWAKE_S
from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import HOUR_US, SECOND

HOURS = 14 * 24
FROM_HISTORY = (
    "points",
    "tasks_finished",
    "tasks_regressed",
    "tasks_worked",
    "tasks_reworked",
    "busy_us",
    "capacity_us",
)
FIELDS = (*FROM_HISTORY, AWAKE_S, "config")
"""`config` is a mark of the configuration in force, 0 where it changed within the hour."""
AT = {name: n for n, name in enumerate(FIELDS)}
_COLUMNS = [INDEX[name] for name in FROM_HISTORY]
_MIXED = 0


class Hours:
    """Closed hours, oldest first: `numbers` since the epoch, `sums` of shape (hours, FIELDS); and the open one."""

    def __init__(self) -> None:
        self.numbers: NDArray[np.int64] = np.zeros(0, np.int64)
        self.sums: NDArray[np.float32] = np.zeros((0, len(FIELDS)), np.float32)
        self.open: int | None = None
        self.row = [0.0] * len(FIELDS)
        self.seen_us: int | None = None
        self._packed: str | None = None

    def add(self, moment: Moment) -> bool:
        """The row of the tick, if there is one; whether an hour was closed."""
        history = moment.history
        if history.ticks[-1:] != [moment.tick_us]:
            return False
        hour = (moment.tick_us - 1) // HOUR_US
        closed = self.open is not None and hour > self.open
        mark = _mark(moment)
        if closed:
            self._close()
        if self.open is None or closed:
            self.open, self.row = hour, [0.0] * len(FIELDS)
            self.row[AT["config"]] = mark
        row = history.rows[-1]
        for place, column in enumerate(_COLUMNS):
            self.row[place] += float(row[column])
        start_us = moment.tick_us - round(row[INDEX["seconds"]] * SECOND)
        gap_s = (moment.tick_us - (start_us if self.seen_us is None else self.seen_us)) / SECOND
        self.row[AT[AWAKE_S]] += min(gap_s, AWAKE_MOST_S)
        self.seen_us = moment.tick_us
        if self.row[AT["config"]] != mark:
            self.row[AT["config"]] = _MIXED
        return closed

    def _close(self) -> None:
        assert self.open is not None  # noqa: S101 - only an open hour is closed
        kept = self.numbers > self.open - HOURS
        self.numbers = np.append(self.numbers[kept], self.open)
        self.sums = np.concatenate([self.sums[kept], np.array([self.row], np.float32)])
        self._packed = None

    def dump(self) -> dict[str, Any]:
        if self._packed is None:
            self._packed = b85encode(zlib.compress(self.sums.astype("<f4").tobytes(), 1)).decode()
        gaps = np.diff(self.numbers, prepend=0).tolist()
        return {"gaps": gaps, "sums": self._packed, "open": self.open, "row": self.row, "seen_us": self.seen_us}

    def load(self, dumped: dict[str, Any]) -> None:
        self.numbers = np.cumsum(np.array(dumped["gaps"], np.int64))
        sums = np.frombuffer(zlib.decompress(b85decode(dumped["sums"])), "<f4").astype(np.float32)
        self.sums = sums.reshape(len(self.numbers), len(FIELDS))
        self.open, self.row, self.seen_us = dumped["open"], list(dumped["row"]), dumped["seen_us"]
        self._packed = dumped["sums"]


def _mark(moment: Moment) -> int:
    """The same for the same configuration, whatever its version; never `_MIXED`; exact as a 32-bit float."""
    config = orjson.dumps(moment.ledger.config, option=orjson.OPT_SORT_KEYS)
    return 1 + zlib.crc32(config) % (2**24 - 1)
