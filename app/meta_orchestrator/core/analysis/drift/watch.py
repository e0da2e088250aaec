"""All drift detectors of a project: fed by the newest row of History at each tick."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.drift.stream import AWAKE_S, METRICS, Stream
from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.outputs import Drift
from meta_orchestrator.policy import Policy

MUTED_PANES = 30
"""Rest after a change of the configuration: it is judged by its trial, and what it moved is no drift. Measured: alarms
for two planned changes 83 → 2.8, with full power on later drift."""

AWAKE_MOST_S = 600.0
"""The longest gap between rows that counts as time at work: the liveness rule of CONTRACT §4.4."""


class DriftWatch:
    """Streams of a project, muted while an own change settles, and the drifts that are recent."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        size, run_length = policy.analysis.drift_batch, policy.analysis.drift_run_length
        self.streams = {metric.name: Stream(metric, size, run_length) for metric in METRICS}
        self.recent: dict[str, tuple[int, Drift]] = {}
        """Metric → when its last drift was detected, and the drift."""
        self._row_us: int | None = None
        self._version: int | None = None
        self._muted_until_us = 0

    def judge(self, moment: Moment) -> list[Drift]:
        """The drifts that show at this tick."""
        history = moment.history
        if self._row_us is None:
            for tick_us, row in zip(history.ticks, history.rows, strict=True):
                if tick_us < moment.tick_us:  # minds that were rebuilt: learn from the past, say nothing about it
                    self._feed(tick_us, row)
        self._mute(moment)
        fresh = self._feed(moment.tick_us, history.rows[-1]) if history.ticks[-1:] == [moment.tick_us] else []
        self._remember(moment.tick_us, fresh)
        return fresh

    def _mute(self, moment: Moment) -> None:
        """A new version of the configuration restarts all streams, after a rest."""
        version, self._version = self._version, moment.ledger.version
        if version is not None and version != self._version:
            self._muted_until_us = moment.tick_us + MUTED_PANES * self.policy.time.pane_us
            for stream in self.streams.values():
                stream.restart()

    def _feed(self, tick_us: int, row: NDArray[np.float64]) -> list[Drift]:
        start_us = tick_us - round(row[INDEX["seconds"]] * SECOND)
        awake_us = tick_us - (start_us if self._row_us is None else self._row_us)
        self._row_us = tick_us
        if tick_us <= self._muted_until_us:
            return []
        columns = {name: float(row[i]) for name, i in INDEX.items()}
        columns[AWAKE_S] = min(awake_us / SECOND, max(AWAKE_MOST_S, columns["seconds"]))
        drifts = [stream.feed(start_us, columns) for stream in self.streams.values()]
        return [drift for drift in drifts if drift]

    def _remember(self, tick_us: int, fresh: list[Drift]) -> None:
        self.recent |= {drift.metric: (tick_us, drift) for drift in fresh}
        oldest_us = tick_us - round(self.policy.analysis.lookback_s * SECOND)
        self.recent = {metric: last for metric, last in self.recent.items() if last[0] > oldest_us}

    def dump(self) -> dict[str, Any]:
        return {
            "streams": {name: stream.dump() for name, stream in self.streams.items()},
            "recent": {metric: [us, drift.model_dump(mode="json")] for metric, (us, drift) in self.recent.items()},
            "row_us": self._row_us,
            "version": self._version,
            "muted_until_us": self._muted_until_us,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        for name, stream in self.streams.items():
            stream.load(dumped["streams"][name])
        self.recent = {metric: (us, Drift.model_validate(drift)) for metric, (us, drift) in dumped["recent"].items()}
        self._row_us, self._version = dumped["row_us"], dumped["version"]
        self._muted_until_us = dumped["muted_until_us"]
