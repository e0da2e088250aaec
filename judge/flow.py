"""Real event logs of people at work: A-B-A counted as a person would, loops found in the log and not in it shuffled.

The path is the product's: convert, then the rooms of collection and antipatterns as replay runs them. These logs span
years with a handful of events a day, so one policy for all of them counts weeks where that of machines counts minutes.
"""

import csv
import gzip
import io
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import orjson

from judge.data import data
from judge.row import Row
from judge.watching import detected
from meta_orchestrator.convert import convert
from meta_orchestrator.core.analysis.antipatterns.shared.moves import TYPES, Moves
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.journal import read_line

LOGS = {"BPIC 2013 closed": "06_bpic2013_closed.xes.gz", "helpdesk": "helpdesk.xes.gz", "receipt": "receipt.csv"}
POLICY = Policy.model_validate(
    {
        "time": {"pane_s": 60, "tick_s": 60, "window_s": 60, "history_s": 365 * 86_400},
        "analysis": {"lookback_s": 14 * 86_400, "clear_after_s": 7 * 86_400},
    }
)
NOBODY = {"", "unknown", "empty", "none", "null", "nan"}
PERMUTATIONS = 1_000
FDR = 0.05

Cases = dict[str, list[str | None]]
"""Case → who did its events, in the order of time; None: nobody is named."""


# ---- the raw log, read by nothing of ours ----


def raw(path: Path) -> Cases:
    """Cases straight from the file."""
    return _of_csv(path) if path.suffix == ".csv" else _of_xes(path)


def _of_xes(path: Path) -> Cases:
    cases: Cases = {}
    with gzip.open(path) as file:
        for _, trace in ET.iterparse(file):  # noqa: S314 - logs of one's own machine
            if trace.tag.endswith("trace"):
                events = [_attributes(event) for event in trace if event.tag.endswith("event")]
                name = _attributes(trace)["concept:name"]
                cases[name] = _by_time((event["time:timestamp"], event.get("org:resource")) for event in events)
                trace.clear()
    return cases


def _attributes(element: ET.Element) -> dict[str, str]:
    return {child.get("key", ""): child.get("value", "") for child in element}


def _of_csv(path: Path) -> Cases:
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    with path.open() as file:
        for row in csv.DictReader(file):
            found[row["case:concept:name"]].append((row["time:timestamp"], row["org:resource"]))
    return {name: _by_time(events) for name, events in found.items()}


def _by_time(events: Iterable[tuple[str, str | None]]) -> list[str | None]:
    ordered = sorted(events, key=lambda event: datetime.fromisoformat(re.sub(r"Z$", "+00:00", event[0])))
    return [None if who is None or who.strip().lower() in NOBODY else who for _, who in ordered]


def returns(agents: Sequence[str | None]) -> int:
    """Handoffs of a case that undo the one before: A-B-A, each agent's consecutive events as one."""
    passed = [(a, b) for a, b in pairwise(agents) if a != b and a is not None and b is not None]
    return sum(one == other[::-1] for one, other in pairwise(passed))


# ---- ours ----


def converted(path: Path) -> list[bytes]:
    out = io.BytesIO()
    convert("csv" if path.suffix == ".csv" else "xes", path, out)
    return out.getvalue().splitlines()


def counted(lines: list[bytes]) -> int:
    """A-B-A by the book of moves that the detectors read."""
    moves, found = Moves(), 0
    for number, line in enumerate(lines, 1):
        _, event, _ = read_line(line, number)
        move = moves.read(event) if event[3] in TYPES else None
        found += move is not None and move.before == (move.to_agent,)
    return found


def found(lines: Iterable[bytes]) -> list[Antipattern]:
    """What the antipatterns' room says of a log."""
    read = (read_line(line, number) for number, line in enumerate(lines, 1))
    return detected((event for project, event, _ in read if project is not None), POLICY)


# ---- shuffled ----


def agents_shuffled(lines: list[bytes], seed: int) -> list[bytes]:
    """Who does the steps is dealt anew over the whole log: cases, times and how busy everybody is stay."""
    steps = [orjson.loads(line) for line in lines]
    works = [step for step in steps if step["type"] == "agent.task.started"]
    names = [work["data"]["agent"] for work in works]
    random.Random(seed).shuffle(names)
    return _with_agents(steps, {work["data"]["task"]: name for work, name in zip(works, names, strict=True)})


def time_shuffled(lines: list[bytes], seed: int) -> list[bytes]:
    """Each case's steps are done by the same people, in any order."""
    steps, chance = [orjson.loads(line) for line in lines], random.Random(seed)
    dealt: dict[str, str] = {}
    works = sorted((s["data"] for s in steps if s["type"] == "agent.task.started"), key=lambda work: work["item"])
    for _, group in groupby(works, key=lambda work: work["item"]):
        case = list(group)
        names = [work["agent"] for work in case]
        chance.shuffle(names)
        dealt |= {work["task"]: name for work, name in zip(case, names, strict=True)}
    return _with_agents(steps, dealt)


def _with_agents(steps: list[dict], dealt: dict[str, str]) -> list[bytes]:
    """The log anew: steps by those who were dealt them, handoffs between, rework left out."""
    made, last, number = [], {}, Counter()
    for step in steps:
        task = step.get("data", {}).get("task", "")
        if step["type"] == "agent.task.started":
            case, agent = step["data"]["item"], dealt[task]
            before, last[case] = last.get(case), agent
            if before and before != agent and "unknown" not in (before, agent):
                number[case] += 1
                made.append(_handoff(step, case, number[case], before, agent))
        if step["type"] in ("agent.task.started", "agent.task.finished"):
            agent = dealt.get(task, last.get(task, step["data"]["agent"]))
            step["data"]["agent"] = agent
            made.append(step)
        elif step["type"] == "clock.tick":
            made.append(step)
    return [orjson.dumps(step) for step in made]


def _handoff(step: dict, case: str, number: int, giver: str, taker: str) -> dict:
    ends = {"handoff": f"{case}#h{number}", "task": case, "from_agent": giver, "to_agent": taker, "wait_ms": 0}
    return step | {"type": "agent.handoff.completed", "id": f"{case}#h{number}", "data": ends}


# ---- what a permutation supports ----


def supported(cases: Cases, seed: int = 0) -> tuple[set[str], float]:
    """Cases with more A-B-A than names dealt at random over the whole log explain, Benjamini-Hochberg at `FDR`; and the
    p-value of all returns of the log together.

    p of a case: among all permuted cases of its length the share with as many returns.
    """
    chance = random.Random(seed)
    lengths: defaultdict[int, Counter[int]] = defaultdict(Counter)
    names, totals = [name for agents in cases.values() for name in agents], Counter[int]()
    for _ in range(PERMUTATIONS):
        chance.shuffle(names)
        dealt, total = iter(names), 0
        for agents in cases.values():
            found = returns([next(dealt) for _ in agents])
            lengths[len(agents)][found] += 1
            total += found
        totals[total] += 1
    p_values = {name: _tail(lengths[len(agents)], returns(agents)) for name, agents in cases.items()}
    ordered = sorted(p_values, key=lambda name: (p_values[name], name))
    passed = [rank for rank, name in enumerate(ordered, 1) if p_values[name] <= FDR * rank / len(ordered)]
    return set(ordered[: max(passed, default=0)]), _tail(totals, sum(map(returns, cases.values())))


def _tail(counts: Counter[int], least: int) -> float:
    return (1 + sum(n for value, n in counts.items() if value >= least)) / (1 + counts.total())


# ---- the table ----


def rows() -> list[Row]:
    return [row for name, file in LOGS.items() for row in judge(name, data("eventlogs", file))]


def judge(name: str, path: Path) -> list[Row]:
    cases, lines = raw(path), converted(path)
    brute, ours = sum(map(returns, cases.values())), counted(lines)
    said = found(lines)
    alone, at_limit, whole = claims(said)
    backed, chance = supported(cases)
    both = len(alone & backed)
    return [
        Row(name, "A-B-A", ours, {"brute force on the raw log": brute}, brute, "exact" if ours == brute else "differs"),
        Row(
            name,
            "ping_pong: cases by themselves",
            len(alone),
            {"a permutation supports": len(backed)},
            "",
            _share(both, alone, backed),
        ),
        Row(
            name,
            "ping_pong: cases at the limit",
            len(at_limit),
            {},
            "",
            f"{len(at_limit & backed)} of them are supported",
        ),
        Row(
            name,
            "ping_pong: of the whole log",
            whole,
            {},
            "",
            f"a permutation has as many returns with p = {chance:.3g}",
        ),
        Row(name, "findings", len(said), {}, "", _kinds(said)),
        _shuffled(name, "agents", agents_shuffled(lines, 1), lines),
        _shuffled(name, "time", time_shuffled(lines, 1), lines),
    ]


def claims(said: list[Antipattern]) -> tuple[set[str], set[str], int]:
    """What ping_pong says: cases whose own returns are unlikely, cases at their limit, findings about the whole log."""
    alone, at_limit, whole = set[str](), set[str](), 0
    for one in said:
        if one.kind == "ping_pong":
            e_value = float(one.evidence.get("e_value") or 0)  # 1: only the limit speaks
            (alone if e_value > 1 else at_limit if e_value else set()).update(one.tasks or [])
            whole += "p_value" in one.evidence
    return alone, at_limit - alone, whole


def _share(both: int, named: set[str], backed: set[str]) -> str:
    return f"{both} of {len(named)} named are supported, {both} of {len(backed)} supported are named"


def _shuffled(name: str, what: str, lines: list[bytes], real: list[bytes]) -> Row:
    said = found(lines)
    lookbacks = _span_s(real) / POLICY.analysis.lookback_s
    promised = f"<= {POLICY.analysis.alpha * lookbacks:.1f} a kind"
    return Row(name, f"findings, {what} shuffled", len(said), {}, promised, _kinds(said) or "none")


def _span_s(lines: list[bytes]) -> float:
    first, last = orjson.loads(lines[0])["time"], orjson.loads(lines[-2])["time"]
    return (parse_time_us(last) - parse_time_us(first)) / 1e6


def _kinds(said: list[Antipattern]) -> str:
    return ", ".join(f"{kind} {times}" for kind, times in sorted(Counter(one.kind for one in said).items()))
