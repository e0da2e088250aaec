"""What the analysis room costs at a tick, by the number of busy agents."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.timing import ROUNDS, START_US, Row
from meta_orchestrator.core.analysis.analyse import analyse
from meta_orchestrator.core.analysis.minds import Minds
from meta_orchestrator.core.collection.collect import collect
from meta_orchestrator.core.project import Project
from meta_orchestrator.drivers.garbage import look_seldom
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.policy import Policy

AGENTS = (100, 300, 1000)
TICKS = 180
"""An hour and a half of ticks of 30 s: what is done by the minute and by the hour is in it."""
WARM = 40
"""Ticks before the measured ones: the window is full and the sums of the first half hour are there."""
PROMISED_MS = 50.0
TYPES, VOTERS, PARTNERS = 8, 12, (1, 2, 3, 8)
"""Half way through, one type in eight begins to take longer and to fail: what is found must be explained too."""
ROOMS = ("causes", "drift", "trends", "antipatterns", "team")


def measure(_: int) -> list[Row]:
    """Milliseconds of CPU a tick of 30 s: each agent does a task, hands it on, is heard of and votes now and then."""
    look_seldom()
    rows: list[Row] = []
    for agents in AGENTS:
        least = np.min([_ticks(agents) for _ in range(ROUNDS)], axis=0)
        ticks, parts = least[0], dict(zip(ROOMS, least[1:], strict=True))
        worst = int(ticks.argmax())
        most = max(parts, key=lambda room: parts[room][worst])
        share = f"{most} {1e3 * parts[most][worst]:.1f}"
        rows += [
            (f"{agents} agents, median of {len(ticks)} ticks", f"{1e3 * np.median(ticks):.1f}", "ms", ""),
            (f"{agents} agents, worst tick", f"{1e3 * ticks[worst]:.1f}", "ms", f"of them {share}"),
        ]
    return rows


def _ticks(agents: int) -> NDArray[np.float64]:
    """Seconds of each measured tick, in all and by room: shape (1 + rooms, TICKS)."""
    policy = Policy()
    project, dice = Project("bench", policy), random.Random(1)  # noqa: S311 - a load, no secret
    parts: dict[str, list[float]] = {room: [] for room in ROOMS}
    _watch(project.minds, parts)
    took, tick_us, pane_us = [], policy.time.tick_us, policy.time.pane_us
    for number in range(WARM + TICKS):
        begin_us = START_US // tick_us * tick_us + number * tick_us
        for event in _events(number, begin_us, agents, dice):
            project.open[event[0] // pane_us].append(event)
        moment = collect(project, begin_us + tick_us)
        for spent in parts.values():
            spent.append(0.0)
        began = time.process_time()
        moment.findings = analyse(project.minds, moment)
        took.append(time.process_time() - began)
        project.books.keep_nothing()
    return np.array([took, *parts.values()])[:, WARM:]


def _watch(minds: Minds, parts: dict[str, list[float]]) -> None:
    """Each room's own share."""
    for room, spent in parts.items():
        watch = getattr(minds, room)
        verb = "observe" if room == "causes" else "judge"
        setattr(watch, verb, _timed(getattr(watch, verb), spent))


def _timed(work: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    def timed(*given: Any) -> Any:
        began = time.process_time()
        done = work(*given)
        spent[-1] += time.process_time() - began
        return done

    return timed


def _events(number: int, begin_us: int, agents: int, dice: random.Random) -> Iterator[Event]:
    """One tick's; names tell agents of different types apart."""
    for agent in range(agents):
        name, at_us = f"a{agent}", begin_us + dice.randrange(20 * SECOND)
        for n, (after_s, kind, data) in enumerate(_work(number, agent, agents, dice)):
            yield at_us + round(after_s * SECOND), name, f"{number} {n}", kind, data, b"", 0, None
    for vote in range(agents // VOTERS):
        for n, (kind, data) in enumerate(_round(f"{number}-{vote}", vote * VOTERS, dice)):
            yield begin_us + (n + 1) * SECOND, f"c{vote}", f"{number} {n}", kind, data, b"", 0, None


def _work(number: int, agent: int, agents: int, dice: random.Random) -> Iterator[tuple[float, str, dict[str, Any]]]:
    """Registered once, then by tick a task that is begun, checked, handed on and done; each minute a heartbeat."""
    name, task = f"a{agent}", f"t{number}-{agent}"
    other = f"a{(agent + dice.choice(PARTNERS)) % agents}"
    if number == 0:
        yield 0, "agent.registered", {"agent": name, "agent_type": f"type-{agent % TYPES}", "capacity": 2}
    if number % 2 == agent % 2:
        yield 0, "agent.heartbeat", {"agent": name, "utilization": dice.uniform(0.3, 0.9)}
    doing = {"task": task, "agent": name}
    is_bad = number >= WARM + TICKS // 2 and agent % TYPES == 0
    took_s = min(dice.lognormvariate(1, 0.8), 9) * (1 + is_bad)
    yield 0, "agent.task.started", doing | {"item": f"i{number // 4}-{agent}", "points": 1, "required_skills": ["x"]}
    failed = dice.random() < (0.2 if is_bad else 0.05)
    hand = {"handoff": task, "task": task, "from_agent": name, "to_agent": other}
    if failed:
        yield took_s / 3, "agent.handoff.failed", hand | {"cause": "timeout"}
    else:
        yield took_s / 3, "agent.handoff.completed", hand | {"wait_ms": 1000 * dice.expovariate(1)}
    if dice.random() < 0.1:
        yield took_s / 4, "agent.task.blocked", doing | {"waiting_for": [other]}
        yield took_s / 2, "agent.task.unblocked", doing
    if dice.random() < 0.1:
        yield took_s / 2, "agent.rework.requested", doing | {"requested_by": other, "attempt": 1}
    passed = dice.random() < 0.9
    checked = doing | {"agent": other, "check": "tests", "passed": passed, "regression": not passed}
    yield took_s / 2, "agent.quality.checked", checked
    yield took_s, "agent.task.finished", doing | {"outcome": "succeeded", "duration_ms": 1000 * took_s, "points": 1}


def _round(name: str, first: int, dice: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """A round of twelve."""
    voters = [f"a{first + n}" for n in range(VOTERS)]
    about = {"round": name, "item": name, "attempt": 1}
    yield "consensus.round.opened", about | {"criticality": "normal", "eligible": voters, "threshold": 0.5}
    for voter in voters:
        choice = "reject" if dice.random() < 0.15 else "approve"
        yield "consensus.vote.cast", {"round": name, "agent": voter, "choice": choice}
    yield "consensus.round.closed", about | {"outcome": "accepted", "latency_ms": 1000 * dice.lognormvariate(3, 0.5)}
