"""What the state of projects and agents weighs."""

import gc
import tracemalloc

from bench.timing import START_US, Row
from meta_orchestrator.core.loop import Loop
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.policy import Policy

ROUNDS = 15
"""Ticks of 30 s that each team works before it is weighed: the window is full."""


def measure(_: int) -> list[Row]:
    """Bytes a project and an agent, after eight minutes of work (each agent ends a task and hands it on each 30 s)."""
    small, large = _weigh(projects=10, agents=10), _weigh(projects=10, agents=60)
    agent = (large - small) / 10 / 50
    stored = _stored(projects=1, agents=100)
    return [
        ("a project", f"{(small / 10 - 10 * agent) / 1e3:.1f}", "kB", ""),
        ("an agent", f"{agent / 1e3:.2f}", "kB", ""),
        ("stored at a tick, a project of 100 agents", f"{stored / 1e3:.1f}", "kB", ""),
    ]


def _weigh(projects: int, agents: int) -> float:
    gc.collect()
    tracemalloc.start()
    loop = _worked(projects, agents, store=True)
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del loop
    return float(size)


def _stored(projects: int, agents: int) -> float:
    loop = _worked(projects, agents, store=False)
    loop.rows()
    _work(loop, projects, agents, ROUNDS)
    return float(sum(len(value) for _, _, value in loop.rows()))


def _worked(projects: int, agents: int, store: bool) -> Loop:
    loop = Loop(Policy())
    for number in range(ROUNDS):
        _work(loop, projects, agents, number)
        if store:
            loop.rows()
    return loop


def _work(loop: Loop, projects: int, agents: int, number: int) -> None:
    """One tick of all teams."""
    begin_us = START_US + number * 30 * SECOND
    for project in range(projects):
        for agent in range(agents):
            for event in _events(begin_us + agent, f"a{agent}", f"a{(agent + 1) % agents}", f"{number}-{agent}"):
                loop.observe(f"p{project}", event, 0)
    while (tick_us := loop.due(begin_us + 30 * SECOND)) is not None:
        loop.decide(tick_us)


def _events(time_us: int, agent: str, other: str, name: str) -> list[Event]:
    task = {"task": name, "agent": agent}
    pair = {"handoff": name, "task": name, "from_agent": agent, "to_agent": other, "wait_ms": 5.0}
    done = task | {"outcome": "succeeded", "duration_ms": float(1000 + time_us % 977)}
    named = [("agent.task.started", task), ("agent.handoff.completed", pair), ("agent.task.finished", done)]
    return [(time_us + n, agent, f"{name}{n}", kind, data, b"{}", 0, None) for n, (kind, data) in enumerate(named)]
