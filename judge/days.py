"""Days on which nothing is wrong: how often each antipattern is found nevertheless, beside the promise.

The simulated team of the scenario `nothing_wrong`. Days on which it got tangled up or an operator had to cut a circle
are none of these for deadlock: they are counted apart. JUDGE_DAYS=1000 in the environment for the long table.
"""

import os
from collections import Counter

import simpy

from judge.row import Row
from judge.watching import detected
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.policy import ANTIPATTERNS, Policy
from meta_orchestrator.simulation.scenarios import SCENARIOS

DAYS = int(os.environ.get("JUDGE_DAYS", "30"))
RUN_DAYS = 10
"""One team works so long; its first day is the past of the others."""
DAY_S = 86_400
POLICY = Policy()


def team_at_work(seed: int, days: float) -> tuple[list[Event], Counter[str]]:
    """(events in order, the team's own counts)."""
    env, events = simpy.Environment(), list[Event]()

    def publish(kind: str, data: dict[str, object], source: str) -> None:
        number = len(events)
        events.append((round(env.now * SECOND), source, f"{number:09d}", kind, data, b"", number, None))

    team = SCENARIOS["nothing_wrong"].team(env, publish, seed)
    env.run(until=days * DAY_S)
    return events, team.truth.totals


def rows() -> list[Row]:
    found, tangles, days = Counter[str](), 0.0, 0
    while days < DAYS:
        run = min(RUN_DAYS, DAYS - days)
        events, totals = team_at_work(days, run)
        found.update(one.kind for one in detected(events, POLICY))
        days, tangles = days + run, tangles + totals["deadlocks"]
    return [_row(kind, found[kind], days, tangles) for kind in ANTIPATTERNS]


def _row(kind: str, times: int, days: int, tangles: float) -> Row:
    """The promise: alpha in a look-back. A deadlock that was one is no false alarm; a bottleneck may be one."""
    promise = POLICY.analysis.alpha * DAY_S / POLICY.analysis.lookback_s
    notes = {
        "deadlock": f"{tangles:.0f} real circles in {days} days",
        "bottleneck": "coders are the station with the most waiting in this team: no false alarm in itself",
    }
    note = notes.get(kind, f"{times} in {days} days")
    return Row("clean days", f"{kind} a day", times / days, {"never": 0.0}, f"<= {promise:.2f}", note)
