"""bottleneck on made-up networks of queues whose truth is known: does it fire, and is it right?

Stations with 1 to 4 agents each, Poisson arrivals, lognormal services, one queue a station. The truth is the type of
which one more agent saves most waiting: in the same work done again with one more of each type in turn (a finding
speaks of what was), and in the long run, by Allen and Cunneen's formula from the true rates. Events go through the
books as in the worker, then to this detector alone; half of the networks send heartbeats.
"""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from judge.row import Row
from meta_orchestrator.core.analysis.antipatterns.bottleneck import Bottleneck
from meta_orchestrator.core.analysis.staffing.queueing import queue_length
from meta_orchestrator.core.analysis.staffing.stations import Stations
from meta_orchestrator.core.collection.collect import collect
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.project import Project
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy

NETWORKS = 90
TASKS = 2_000
UNIT_S = 30
"""Mean time between two tasks."""
START_US = 1_767_600_000 * SECOND
BEAT_S = 60

Floats = NDArray[np.float64]
Said = tuple[float, str, dict[str, object]]
"""Unit of time, type, data."""


@dataclass(frozen=True)
class Network:
    """Arrays over stations; times in units of the mean time between arrivals of tasks."""

    rate: Floats
    servers: NDArray[np.int64]
    load: Floats
    """Servers in use on average."""
    sigma: Floats
    """Of the logarithm of a service time."""

    @property
    def queue(self) -> Floats:
        return self._queue(0)

    @property
    def gain(self) -> Floats:
        """Waiting tasks less with one more server."""
        return self._queue(0) - self._queue(1)

    def _queue(self, more: int) -> Floats:
        exponential = [queue_length(int(c) + more, a) for c, a in zip(self.servers, self.load, strict=True)]
        return np.array(exponential) * (1 + np.exp(self.sigma**2) - 1) / 2


@dataclass(frozen=True)
class Visits:
    """One station's tasks: when they came, began to be served, by whom, and how long."""

    came: Floats
    began: Floats
    server: NDArray[np.int64]
    took: Floats


def drawn(seed: int, stations: int = 5, loads: tuple[float, float] = (0.5, 0.95)) -> Network:
    """Stations in parallel: service rates .4 to 1.6, 1 to 4 servers each, loaded between `loads`."""
    random = np.random.default_rng(seed)
    rate, servers = random.uniform(0.4, 1.6, stations), random.integers(1, 5, stations)
    load = servers * random.uniform(*loads, stations)
    return Network(rate, servers, load, random.uniform(0.4, 1.2, stations))


def visits(network: Network, station: int, random: np.random.Generator, until: float) -> Visits:
    """Drawn for one station."""
    rate, sigma = network.rate[station], network.sigma[station]
    came = np.cumsum(random.exponential(1 / rate, int(until * rate)))
    took = network.load[station] / rate * random.lognormal(-(sigma**2) / 2, sigma, len(came))
    return served(came, took, int(network.servers[station]))


def served(came: Floats, took: Floats, many: int) -> Visits:
    """First come, first served by whoever is free first."""
    free = [(0.0, server) for server in range(many)]
    began, servers = np.empty_like(came), np.empty(len(came), np.int64)
    for n, (at, long) in enumerate(zip(came, took, strict=True)):
        free_at, server = heapq.heappop(free)
        began[n], servers[n] = max(at, free_at), server
        heapq.heappush(free, (began[n] + long, server))
    return Visits(came, began, servers, took)


def events(stations: list[Visits], servers: NDArray[np.int64], beats: bool) -> list[Said]:
    """All that is said of some stations, in order."""
    said: list[Said] = []
    for k, one in enumerate(stations):
        names = [f"s{k}-{server}" for server in range(servers[k])]
        said += [(0.0, "agent.registered", {"agent": name, "agent_type": f"s{k}"}) for name in names]
        for n, (came, began, server, took) in enumerate(zip(one.came, one.began, one.server, one.took, strict=True)):
            task, agent = f"s{k}t{n}", names[server]
            hand = {"handoff": task, "task": task, "from_agent": "gate", "to_agent": agent}
            said.append((began, "agent.handoff.completed", hand | {"wait_ms": (began - came) * UNIT_S * 1000}))
            said.append((began, "agent.task.started", {"task": task, "agent": agent}))
            done = {"task": task, "agent": agent, "outcome": "succeeded", "duration_ms": took * UNIT_S * 1000}
            said.append((began + took, "agent.task.finished", done))
        if beats:
            said += _beats(one, names)
    return sorted(said, key=lambda event: event[0])


def _beats(one: Visits, names: list[str]) -> Iterator[Said]:
    """The share of each minute before that a server was busy."""
    step, end = BEAT_S / UNIT_S, one.began[-1]
    edges = np.arange(0, end, step)
    for server, name in enumerate(names):
        begin, took = one.began[one.server == server], one.took[one.server == server]
        if len(begin):
            sums = np.concatenate([[0.0], np.cumsum(took)])
            done = np.searchsorted(begin, edges)
            last = np.where(done > 0, np.maximum(0.0, (begin + took)[done - 1] - edges), 0.0)
            busy = np.diff(sums[done] - last)
            shares = np.clip(busy / step, 0, 1)
            yield from (
                (float(at), "agent.heartbeat", {"agent": name, "utilization": float(share)})
                for at, share in zip(edges[1:], shares, strict=True)
            )


def moments(said: list[Said], policy: Policy) -> Iterator[Moment]:
    """The ticks of some events, with the books as in the worker."""
    project, pane_us, tick_us = Project("q", policy), policy.time.pane_us, policy.time.tick_us
    for n, (at, kind, data) in enumerate(said):
        time_us = START_US + round(at * UNIT_S * SECOND)
        project.open[time_us // pane_us].append((time_us, "judge", f"{n:07}", kind, data, b"", 0, None))
    for now_us in range(START_US + tick_us, START_US + round(said[-1][0] * UNIT_S) * SECOND, tick_us):
        yield collect(project, now_us)


def findings(said: list[Said], restore: bool = False) -> list[Antipattern]:
    """What is called a bottleneck and cleared by this detector alone."""
    policy = Policy()
    stations = Stations(policy)
    detector, found = Bottleneck(policy, stations), list[Antipattern]()
    for moment in moments(said, policy):
        look(detector, moment)
        found += detector.judge(moment.tick_us)
        if restore:
            stored = orjson.loads(orjson.dumps([stations.dump(), detector.dump()]))
            stations = Stations(policy)
            detector = Bottleneck(policy, stations)
            stations.load(stored[0])
            detector.load(stored[1])
    return found


def look(detector: Bottleneck, moment: Moment) -> None:
    """One tick, up to the judgement."""
    for event in moment.events:
        if event[3] in detector.types:
            detector.observe(event)
    detector.look(moment)


def named(found: list[Antipattern]) -> list[str]:
    """The types that are called bottlenecks, in order."""
    return [str(one.evidence["agent_type"]) for one in found if one.type == "antipattern.detected"]


def rows() -> list[Row]:
    """Two tables: any networks, and some in which nobody has to wait."""
    tried = [_tried(seed) for seed in range(NETWORKS)]
    fired = [one for one in tried if one.named]
    worth = [one for one in tried if one.is_worth_it]
    calm = [_tried(1000 + seed, loads=(0.1, 0.4)) for seed in range(NETWORKS // 3)]
    rules = {rule: _share([one.rules[rule] == one.truth for one in tried]) for rule in tried[0].rules}
    in_worth = {rule: _share([one.rules[rule] == one.truth for one in fired]) for rule in tried[0].rules}
    again = {rule: _share([one.rules[rule] == one.best for one in fired]) for rule in tried[0].rules}
    return [
        Row(
            "networks", f"right where it fires ({len(fired)} of {NETWORKS}): done again", _right(fired), again, "≥ .95"
        ),
        Row("networks", "the same: in the long run", _share([one.named[0] == one.truth for one in fired]), in_worth),
        Row("networks", "fires", _share([bool(one.named) for one in tried]), {"trivial rules": 1.0}),
        Row(
            "networks",
            f"fires where the wait is longer than the work ({len(worth)})",
            _share([bool(one.named) for one in worth]),
            rules,
            note="beside: the rules' right answers over all networks",
        ),
        Row("calm networks", "fires", _share([bool(one.named) for one in calm]), {"trivial rules": 1.0}, "≤ .05"),
    ]


@dataclass(frozen=True)
class Tried:
    truth: str
    """In the long run."""
    best: str
    """In the same work, done again."""
    is_worth_it: bool
    named: list[str]
    rules: dict[str, str]


def _tried(seed: int, loads: tuple[float, float] = (0.5, 0.95)) -> Tried:
    network, random = drawn(seed, loads=loads), np.random.default_rng(10_000 + seed)
    stations = [visits(network, k, random, TASKS) for k in range(len(network.rate))]
    best = int(network.gain.argmax())
    waits = [float((one.began - one.came).mean()) for one in stations]
    busy = [float(one.took.sum() / one.came[-1] / c) for one, c in zip(stations, network.servers, strict=True)]
    rules = {"highest utilisation": f"s{int(np.argmax(busy))}", "longest waiting": f"s{int(np.argmax(waits))}"}
    worth = bool(network.queue[best] > 1.5 * network.load[best])
    saved = [_saved(one, int(c)) for one, c in zip(stations, network.servers, strict=True)]
    again = f"s{int(np.argmax(saved))}"
    return Tried(
        f"s{best}", again, worth, named(findings(events(stations, network.servers, beats=seed % 2 == 0))), rules
    )


def _saved(one: Visits, servers: int) -> float:
    """Tasks waiting less, on average, had there been one more."""
    more = served(one.came, one.took, servers + 1)
    return float((one.began - more.began).sum() / one.came[-1])


def _right(fired: list[Tried]) -> float:
    return _share([one.named[0] == one.best for one in fired])


def _share(which: list[bool]) -> float:
    return sum(which) / len(which) if which else math.nan
