"""What the product does for a team of another making than its own simulation (`judge.pullers`), by `replay -`.

Each fault begins after two hours of a day; the team that obeys beside the one that is left alone, on the same luck of
each task. The gain is that of points less what went wrong: a regression as a whole task, since it was none, a call as a
point, a failed handoff or an undecided round as a fifth of one. By hand: the best value that the main remedy could be
set to when the fault begins, known from hindsight.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

import orjson
import simpy

from judge.pullers import Config, Pullers, World
from judge.row import Figure, Row
from meta_orchestrator.messages.fields import SECOND, format_time_us

FAULT_S, DAY_S, TICK_S = 7200, 86_400, 30
START_US = 1_767_600_000 * SECOND
SEEDS = (1, 2)
WEIGHTS = {"points": 1.0, "regressions": -2.8, "calls": -1.0, "failures": -0.2}
ACKNOWLEDGES_AFTER_S = 4


@dataclass(frozen=True)
class Case:
    """A team whose settings suit its world until that changes, and what a person would try then."""

    name: str
    config: Config
    before: World
    after: dict[str, Any]
    remedy: str
    values: Sequence[Any]


WIP, PLACES = "workflow.wip_limit", range(1, 11)
VOTES = ("every_change", "adaptive_threshold(0.3)", "adaptive_threshold(0.5)", "critical_changes_only")
CASES = (
    Case("nothing wrong", {}, World(), {}, WIP, PLACES),
    Case(
        "slow votes",
        {"consensus.frequency": "every_change"},
        World(vote_s=15),
        {"vote_s": 75.0, "approval": 0.8},
        "consensus.frequency",
        VOTES,
    ),
    Case("slow handoffs", {}, World(), {"latency_s": 95.0}, "workflow.handoff_timeout_s", range(60, 901, 60)),
    Case("too few places", {WIP: 2}, World(outside_s=60), {"outside_s": 900.0, "switching": 0.05}, WIP, PLACES),
    Case(
        "too many places",
        {WIP: 7},
        World(outside_s=500, switching=0.02),
        {"outside_s": 150.0, "switching": 0.3},
        WIP,
        PLACES,
    ),
    Case(
        "little review",
        {"workflow.review_depth": 1},
        World(defects=0.15),
        {"defects": 0.6},
        "workflow.review_depth",
        range(5),
    ),
    Case("a slow agent", {}, World(), {"slow": {"coder-0": 3.0}}, WIP, PLACES),
)


class Alone:
    """Nobody watches."""

    def tell(self, lines: list[bytes]) -> list[dict[str, Any]]:
        return []


class Watched:
    """`replay -` beside it, in lock-step."""

    def __init__(self, folder: str) -> None:
        policy = Path(folder) / "policy.toml"
        policy.write_text('[parameters]\nmode = "enforce"\n')
        command = [sys.executable, "-m", "meta_orchestrator", "replay", "-", "--policy", str(policy)]
        self._running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own
        self._said, self._heard = cast(IO[bytes], self._running.stdin), cast(IO[bytes], self._running.stdout)

    def tell(self, lines: list[bytes]) -> list[dict[str, Any]]:
        """The changes of the configuration that were made by the last line, a clock.tick."""
        self._said.write(b"\n".join(lines) + b"\n")
        self._said.flush()
        changes: list[dict[str, Any]] = []
        for line in self._heard:
            if b'"clock.ticked"' in line:
                return changes
            if b'"config.change"' in line:
                changes.append(orjson.loads(line)["data"])
        raise EOFError(f"replay ended with {self._running.wait()}")

    def end(self) -> None:
        self._running.communicate()


def day(case: Case, seed: int, watcher: Alone | Watched, **by_hand: Any) -> Counter[str]:
    """What a team did from its fault on; `by_hand` is set then."""
    env, numbers, lines = simpy.Environment(), count(), list[bytes]()

    def say(kind: str, data: Config, **more: str) -> None:
        about = {"specversion": "1.0", "id": f"e{next(numbers)}", "source": "pullers", "type": kind}
        time = format_time_us(START_US + round(env.now * SECOND))
        lines.append(orjson.dumps(about | more | {"time": time, "data": data}))

    def obey(change: dict[str, Any]) -> Generator[simpy.Event, Any, None]:
        yield env.timeout(ACKNOWLEDGES_AFTER_S)
        team.obey(change["version"], change["config"], change["change"])

    team = Pullers(env, partial(say, project="strangers"), seed, case.config, replace(case.before))
    before = Counter[str]()
    for second in range(TICK_S, DAY_S + 1, TICK_S):
        env.run(until=second)
        say("clock.tick", {})
        for change in watcher.tell(lines):
            env.process(obey(change))
        lines.clear()
        if second == FAULT_S:
            vars(team.world).update(case.after)
            team.config |= by_hand
            before = Counter(team.counts)
    return Counter({name: team.counts[name] - before[name] for name in team.counts})


def alone(case: Case, **by_hand: Any) -> Counter[str]:
    return _total(day(case, seed, Alone(), **by_hand) for seed in SEEDS)


def watched(case: Case) -> Counter[str]:
    return _total(_watched(case, seed) for seed in SEEDS)


def _watched(case: Case, seed: int) -> Counter[str]:
    with TemporaryDirectory() as folder:
        watcher = Watched(folder)
        found = day(case, seed, watcher)
        watcher.end()
    return found


def _total(days: Iterable[Counter[str]]) -> Counter[str]:
    return sum(days, Counter())


def utility(counts: Counter[str]) -> float:
    return sum(weight * counts[name] for name, weight in WEIGHTS.items())


def rows() -> list[Row]:
    return [_row(case) for case in CASES]


def _row(case: Case) -> Row:
    left, ours = alone(case), watched(case)
    best = max(case.values, key=lambda value: utility(alone(case, **{case.remedy: value})))
    gains = [utility(it) / utility(left) - 1 for it in (ours, alone(case, **{case.remedy: best}))]
    told = ", ".join(f"{name} {left[name]:,} → {ours[name]:,}" for name in WEIGHTS)
    by_hand: dict[str, Figure] = {"left alone": "0", f"{case.remedy} = {best} by hand": f"{gains[1]:+.1%}"}
    return Row("stranger", case.name, f"{gains[0]:+.1%}", by_hand, "≥ 0", told)
