"""Days on which nothing is wrong: how often each antipattern is found nevertheless, beside the promise.

The simulated team of the scenario `nothing_wrong`. Days on which it got tangled up or an operator had to cut a circle
are none of these for deadlock: they are counted apart. Only the simulation, collection and antipatterns run. The long
table, with progress and each finding: `python -m judge.days 1000`.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator

import simpy

from judge.row import Row, text
from judge.watching import detected
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.outputs import Antipattern
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
    return tallied(runs(DAYS, seed=0))


Run = tuple[int, list[Antipattern], float]
"""Days, what was found in them, real circles."""


def runs(days: int, seed: int) -> Iterator[Run]:
    """Teams with seeds of their own, each at work for `RUN_DAYS`."""
    for begin in range(0, days, RUN_DAYS):
        run = min(RUN_DAYS, days - begin)
        events, totals = team_at_work(seed + begin, run)
        yield run, detected(events, POLICY), totals["deadlocks"]


def tallied(done: Iterable[Run]) -> list[Row]:
    found, tangles, days = Counter[str](), 0.0, 0
    for run, findings, circles in done:
        found.update(one.kind for one in findings)
        days, tangles = days + run, tangles + circles
    return [_row(kind, found[kind], days, tangles) for kind in ANTIPATTERNS]


def told(done: Iterable[Run]) -> Iterator[Run]:
    """Each run as it ends, with its findings and how much CPU has gone."""
    days = 0
    for run in done:
        days += run[0]
        print(f"{days} days, {time.process_time():.0f} s of CPU, {run[2]:.0f} real circles", flush=True)
        for one in run[1]:
            print("   ", one.kind, one.since, one.agents, one.tasks, one.evidence, flush=True)
        yield run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m judge.days", description=__doc__)
    parser.add_argument("days", type=int, nargs="?", default=DAYS)
    parser.add_argument("--seed", type=int, default=0, help="of the first team; the next one's is RUN_DAYS more")
    asked = parser.parse_args()
    for row in tallied(told(runs(asked.days, asked.seed))):
        print(row.what, text(row.ours), row.mark, row.note, sep="  ", flush=True)


def _row(kind: str, times: int, days: int, tangles: float) -> Row:
    """The promise: alpha in a look-back. A deadlock that was one is no false alarm; a bottleneck may be one."""
    promise = POLICY.analysis.alpha * DAY_S / POLICY.analysis.lookback_s
    notes = {
        "deadlock": f"{tangles:.0f} real circles in {days} days",
        "bottleneck": "coders are the station with the most waiting in this team: no false alarm in itself",
    }
    note = notes.get(kind, f"{times} in {days} days")
    return Row("clean days", f"{kind} a day", times / days, {"never": 0.0}, f"<= {promise:.2f}", note)


if __name__ == "__main__":
    main()
