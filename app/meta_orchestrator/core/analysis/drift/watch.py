"""All drift detectors of a project: fed at each tick by the newest row of History and by what each agent did."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.awake import AWAKE_MOST_S, AWAKE_S
from meta_orchestrator.core.analysis.drift.adwin import SecondOpinion
from meta_orchestrator.core.analysis.drift.agents import AgentMetric, FailedHandoffs, TaskLatency
from meta_orchestrator.core.analysis.drift.metrics import METRICS
from meta_orchestrator.core.analysis.drift.stream import Stream
from meta_orchestrator.core.analysis.drift.together import rejected
from meta_orchestrator.core.analysis.findings import subject
from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import HOUR_US, SECOND
from meta_orchestrator.messages.outputs import Drift
from meta_orchestrator.policy import Policy

MUTED_PANES = 30
"""Rest after a change of the configuration: it is judged by its trial, and what it moved is no drift. Measured: alarms
for two planned changes 83 → 2.8, with full power on later drift. All streams rest: in a team each setting touches,
by the work that it lets through, every metric sooner or later."""


class DriftWatch:
    """Streams of a project and of its agents, muted while an own change settles, and the drifts that are recent."""

    def __init__(self, policy: Policy) -> None:
        self.policy, settings = policy, policy.analysis
        self.streams = {metric.name: Stream(metric, settings.drift_batch) for metric in METRICS}
        self.agents: tuple[AgentMetric, ...] = tuple(
            make(settings.drift_agent_batch, settings.drift_agents) for make in (TaskLatency, FailedHandoffs)
        )
        self.second_opinion = SecondOpinion() if "adwin" in settings.drift_detectors else None
        self.recent: dict[str, tuple[int, Drift]] = {}
        """What drifted (`agent metric` where it is an agent's) → when that was detected last, and the drift."""
        self._row_us: int | None = None
        self._seen_us: int | None = None
        """The last tick at which agents were looked at."""
        self._version: int | None = None
        self._muted_until_us = 0
        self._closed: list[str] = []
        """Streams with a new batch at this tick."""

    def judge(self, moment: Moment) -> list[Drift]:
        """The drifts that show at this tick."""
        history = moment.history
        if self._row_us is None:
            for tick_us, row in zip(history.ticks, history.rows, strict=True):
                if tick_us < moment.tick_us and self._feed(tick_us, row):
                    list(self._found(tick_us))  # minds that were rebuilt: learn from the past, say nothing about it
        self._mute(moment)
        if history.ticks[-1:] != [moment.tick_us]:
            return []
        news = self._feed(moment.tick_us, history.rows[-1]), self._feed_agents(moment)
        fresh = list(self._found(moment.tick_us)) if any(news) else []
        self._remember(moment.tick_us, fresh)
        return fresh

    def _mute(self, moment: Moment) -> None:
        """A new version of the configuration restarts all streams, after a rest."""
        version, self._version = self._version, moment.ledger.version
        if version is not None and version != self._version:
            self._muted_until_us = moment.tick_us + MUTED_PANES * self.policy.time.pane_us
            for stream in self.streams.values():
                stream.restart()
            for metric in self.agents:
                metric.restart()

    def _feed(self, tick_us: int, row: NDArray[np.float64]) -> bool:
        """Whether a batch has closed: evidence moves with batches only."""
        start_us = tick_us - round(row[INDEX["seconds"]] * SECOND)
        awake_us = tick_us - (start_us if self._row_us is None else self._row_us)
        self._row_us = tick_us
        self._closed = []
        if tick_us <= self._muted_until_us:
            return False
        columns = dict(zip(INDEX, row.tolist(), strict=True))
        columns[AWAKE_S] = min(awake_us / SECOND, max(AWAKE_MOST_S, columns["seconds"]))
        self._closed = [name for name, stream in self.streams.items() if stream.feed(start_us, tick_us, columns)]
        return bool(self._closed)

    def _feed_agents(self, moment: Moment) -> bool:
        """Whether a batch of an agent has closed."""
        seen_us, self._seen_us = self._seen_us, moment.tick_us
        start_us = moment.tick_us - self.policy.time.tick_us if seen_us is None else seen_us
        if moment.tick_us <= self._muted_until_us:
            return False
        slots = [slot for slot in moment.window.slots if slot.end_us > start_us]
        if moment.tick_us // HOUR_US != start_us // HOUR_US:
            for metric in self.agents:
                metric.forget(moment.tick_us - self.policy.time.history_us)
        closed = [metric.feed(slots, start_us, moment.tick_us) for metric in self.agents]
        return any(closed)

    def _found(self, tick_us: int) -> Iterator[Drift]:
        """Drifts for which the evidence of all streams together is enough; then those that ADWIN alone sees."""
        watched = [stream for stream in self.streams.values() if stream.is_watched]
        agents = [(metric, metric.watched()) for metric in self.agents]
        e_values = np.array([stream.detector.evidence for stream in watched])
        of_agents = np.concatenate([metric.evidence(names) for metric, names in agents])
        run_length = self.policy.analysis.drift_run_length
        about: dict[str, int | float | str | None] = {
            "run_length": run_length,
            "streams": len(e_values) + len(of_agents),
        }
        of_project, of_agent = rejected([e_values, of_agents], run_length)
        named = [(metric, name) for metric, names in agents for name in names]
        fired = {watched[place].metric.name: "rank_esr" for place in np.flatnonzero(of_project)}
        for name, detector in self._chosen(fired).items():
            drift = self.streams[name].drift(detector, about | self._opinion(self.streams[name]))
            if drift:
                yield drift
        for place in np.flatnonzero(of_agent):
            metric, name = named[place]
            yield metric.drift(name, tick_us, about)

    def _chosen(self, fired: dict[str, str]) -> dict[str, str]:
        """Metric → the detector that speaks, of those that the policy lets speak."""
        chosen = fired if "rank_esr" in self.policy.analysis.drift_detectors else {}
        closed = [self.streams[name] for name in self._closed if name not in chosen]
        slow = [stream for stream in closed if self.second_opinion and stream.adwin_fires(self.second_opinion)]
        return chosen | {stream.metric.name: "adwin" for stream in slow}

    def _opinion(self, stream: Stream) -> dict[str, int | float | str | None]:
        """What ADWIN says of a drift, where it was asked for."""
        if self.second_opinion is None:
            return {}
        detector = stream.detector
        since = len(detector.values) - (detector.updates - detector.change)
        return {"adwin": "agrees" if self.second_opinion.agrees(detector.values, since) else "silent"}

    def _remember(self, tick_us: int, fresh: list[Drift]) -> None:
        self.recent |= {subject(drift): (tick_us, drift) for drift in fresh}
        oldest_us = tick_us - round(self.policy.analysis.lookback_s * SECOND)
        self.recent = {name: last for name, last in self.recent.items() if last[0] > oldest_us}

    def dump(self) -> dict[str, Any]:
        return {
            "streams": {name: stream.dump() for name, stream in self.streams.items()},
            "agents": {metric.name: metric.dump() for metric in self.agents},
            "recent": {name: [us, drift.model_dump(mode="json")] for name, (us, drift) in self.recent.items()},
            "times": [self._row_us, self._seen_us, self._muted_until_us],
            "version": self._version,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        for name, stream in self.streams.items():
            stream.load(dumped["streams"][name])
        for metric in self.agents:
            metric.load(dumped["agents"][metric.name])
        self.recent = {name: (us, Drift.model_validate(drift)) for name, (us, drift) in dumped["recent"].items()}
        self._row_us, self._seen_us, self._muted_until_us = dumped["times"]
        self._version = dumped["version"]
