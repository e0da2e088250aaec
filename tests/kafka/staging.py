"""Causes of insights, staged as messages of the contract: a team at work for half a minute, with and without the fault.

Time is short, so the policy's is, too: a second stands for five minutes.
"""

import random
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

POLICY = """
[time]
pane_s = 1
tick_s = 1
window_s = 2
lateness_s = 2

[analysis]
lookback_s = 6
clear_after_s = 2
min_events = 20
drift_run_length = 200

[[escalation]]
metric = "handoff_failure_rate"
threshold = 0.5
for_s = 2
"""
UNTIL_S, FAULT_S = 40.0, 24.0
Said = tuple[float, str, dict[str, Any]]
"""(seconds from the start, type, data)"""


def handoffs(path: Iterable[str], task: str, at_s: float, step_s: float = 0.2) -> list[Said]:
    return [
        (
            at_s + step_s * n,
            "agent.handoff.completed",
            {"handoff": f"{task}#{n}", "task": task, "from_agent": a, "to_agent": b, "wait_ms": 5},
        )
        for n, (a, b) in enumerate(pairwise(path))
    ]


def task(name: str, agent: str, at_s: float, took_s: float, outcome: str = "succeeded") -> list[Said]:
    done = {"task": name, "agent": agent, "outcome": outcome, "duration_ms": 1000 * took_s}
    started = (at_s, "agent.task.started", {"task": name, "agent": agent})
    return [started, (at_s + took_s, "agent.task.finished", done)]


def wandering(chance: random.Random, rate: float = 12) -> list[Said]:
    """Tasks that go through the team by chance, and now and then come back by chance."""
    said = []
    for n in range(round(rate * UNTIL_S)):
        path = [chance.choice("abcdefgh")]
        while chance.random() < 0.55:
            path.append(chance.choice([agent for agent in "abcdefgh" if agent != path[-1]]))
        said += handoffs(path, f"t{n}", chance.uniform(0, UNTIL_S))
    return said


def looping(loop: str, chance: random.Random) -> list[Said]:
    return [
        said for n in range(12) for said in handoffs(loop * 5, f"loop-{n}", FAULT_S + chance.uniform(0, 8), step_s=0.15)
    ]


def ping_pong(chance: random.Random, faulty: bool) -> list[Said]:
    return wandering(chance) + (looping("xy", chance) if faulty else [])


def handoff_cycle(chance: random.Random, faulty: bool) -> list[Said]:
    return wandering(chance) + (looping("xyz", chance) if faulty else [])


def thrashing(chance: random.Random, faulty: bool) -> list[Said]:
    said = []
    for n in range(400):
        at_s, agent = chance.uniform(0, UNTIL_S), chance.choice("abcdef")
        drops = chance.random() < (0.6 if faulty and at_s > FAULT_S else 0.02)
        said += task(f"t{n}", agent, at_s, 0.3, "abandoned" if drops else "succeeded")
    return said


def excessive_rework(chance: random.Random, faulty: bool) -> list[Said]:
    said = []
    for n in range(400):
        at_s, agent, attempt = chance.uniform(0, UNTIL_S), chance.choice("abcdef"), 0
        share = 0.8 if faulty and at_s > FAULT_S else 0.1
        said += task(f"t{n}", agent, at_s, 1.0)
        while attempt < 3 and chance.random() < share:
            attempt += 1
            again = {"task": f"t{n}", "agent": agent, "requested_by": "r", "attempt": attempt}
            said.append((at_s + 0.2 * attempt, "agent.rework.requested", again))
    return said


def blocked(at_s: float, name: str, agent: str, other: str) -> Said:
    return at_s, "agent.task.blocked", {"task": name, "agent": agent, "waiting_for": [other]}


def deadlock(chance: random.Random, faulty: bool) -> list[Said]:
    said = []
    for n in range(300):
        at_s, (agent, other) = chance.uniform(0, UNTIL_S), chance.sample("abcdef", 2)
        said += [*task(f"t{n}", agent, at_s, 1.5), blocked(at_s + 0.1, f"t{n}", agent, other)]
        unblocked = {"task": f"t{n}", "agent": agent}
        said.append((at_s + 0.2 + chance.uniform(0, 0.5), "agent.task.unblocked", unblocked))
    if faulty:
        for agent, other in ("xy", "yx"):
            said += [task(f"t{agent}", agent, FAULT_S, 0.1)[0], blocked(FAULT_S + 0.1, f"t{agent}", agent, other)]
    return said


def stalled(chance: random.Random, faulty: bool) -> list[Said]:
    said = []
    for n in range(400):
        name, agent, at_s = f"t{n}", chance.choice("abcdef"), chance.uniform(0, UNTIL_S)
        took_s = chance.uniform(1.5, 3)
        said += task(name, agent, at_s, took_s)
        check = {"task": name, "agent": agent, "check": "c", "passed": True, "regression": False}
        said.append((at_s + took_s * chance.uniform(0.3, 0.7), "agent.quality.checked", check))
    return said + (task("hung", "x", FAULT_S, 0.1)[:1] if faulty else [])


VOTERS = "abcde"


def vote(name: str, item: str, at_s: float, attempt: int, against: Iterable[str] = ()) -> list[Said]:
    told = {"round": name, "item": item, "attempt": attempt}
    opened = {"criticality": "minor", "eligible": list(VOTERS), "threshold": 0.5}
    said: list[Said] = [(at_s, "consensus.round.opened", told | opened)]
    for voter in VOTERS:
        choice = "reject" if voter in against else "approve"
        said.append((at_s + 0.05, "consensus.vote.cast", {"round": name, "agent": voter, "choice": choice}))
    closed = {"outcome": "accepted", "latency_ms": 100}
    return [*said, (at_s + 0.1, "consensus.round.closed", told | closed)]


def excessive_rounds(chance: random.Random, faulty: bool) -> list[Said]:
    said = []
    for n in range(200):
        at_s, attempt = chance.uniform(0, UNTIL_S), 1
        share = 0.7 if faulty and at_s > FAULT_S else 0.1
        said += vote(f"r{n}.1", f"i{n}", at_s, 1)
        while attempt < 3 and chance.random() < share:
            attempt += 1
            said += vote(f"r{n}.{attempt}", f"i{n}", at_s + 0.2 * attempt, attempt)
    return said


def persistent_dissent(chance: random.Random, faulty: bool) -> list[Said]:
    """Everybody is against now and then; one against nearly everything."""
    said = []
    for n in range(240):
        against = [voter for voter in VOTERS if chance.random() < 0.1]
        if faulty and chance.random() < 0.8:
            against = [*against, "e"]
        said += vote(f"r{n}", f"i{n}", UNTIL_S * n / 240, 1, against[:2])
    return said


def failing(chance: random.Random, faulty: bool) -> list[Said]:
    """Handoffs that fail now and then; and most of the time."""
    said = []
    for n in range(1000):
        at_s = UNTIL_S * n / 1000
        ends = {"handoff": f"h{n}", "task": f"t{n}", "from_agent": "a", "to_agent": chance.choice("bcdef")}
        if chance.random() < (0.8 if faulty and at_s > FAULT_S else 0.1):
            said.append((at_s, "agent.handoff.failed", ends | {"cause": "rejected"}))
        else:
            said.append((at_s, "agent.handoff.completed", ends | {"wait_ms": 5}))
    return said


def pipeline(chance: random.Random, faulty: bool) -> list[Said]:
    """Coders, then testers: one, with whom the work piles up, or enough of them."""
    testers = 1 if faulty else 8
    said: list[Said] = [
        (0.0, "agent.registered", {"agent": f"{kind}{n}", "agent_type": kind, "skills": [kind]})
        for kind, count in (("coder", 4), ("tester", testers))
        for n in range(count)
    ]
    for n in range(450):
        at_s, coder, tester = chance.uniform(0, UNTIL_S), f"coder{n % 4}", f"tester{n % testers}"
        took_s = 0.6 * chance.uniform(0.5, 1.5) * (1 if not faulty else 1.5)
        ends = {"handoff": f"h{n}", "task": f"t{n}", "from_agent": coder, "to_agent": tester, "wait_ms": 5}
        said += [task(f"t{n}", coder, at_s, 1)[0], (at_s + 0.2, "agent.handoff.completed", ends)]
        said += task(f"t{n}", tester, at_s + 0.2, took_s)
    return said


PLAYS: dict[str, Callable[[random.Random, bool], list[Said]]] = {
    "ping_pong": ping_pong,
    "handoff_cycle": handoff_cycle,
    "thrashing": thrashing,
    "deadlock": deadlock,
    "excessive_rework": excessive_rework,
    "stalled": stalled,
    "excessive_rounds": excessive_rounds,
    "persistent_dissent": persistent_dissent,
    "failing": failing,
    "pipeline": pipeline,
}
"""What is injected; each is played by one project with the fault and one without."""


def play(name: str, faulty: bool) -> list[Said]:
    """All that is said in one project, in order."""
    return sorted(PLAYS[name](random.Random(name), faulty), key=lambda said: said[:2])
