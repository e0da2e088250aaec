"""Who&When (Zhang et al. 2025), algorithm-generated: which agent made the mistake of a failed run?

Each turn is a step of the run's item, done by its speaker; what starts with `exitcode:` is a check of the step before
it, so who says such things is a tool that checks and does no steps. At the end the item is found to be wrong. The
runs go through the product's replay, whose books of causes divide the blame.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from judge.data import data
from judge.row import Row
from meta_orchestrator.core.analysis.causes.blocks import joined
from meta_orchestrator.core.analysis.causes.fields import AGENT_AT
from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.policy import Policy

PROJECT, START_US = "run", 1_767_600_000 * SECOND
EXIT = re.compile(r"exitcode: (\d+)")
Turn = tuple[str, str]
"""Speaker and text."""


def rows() -> list[Row]:
    paths = sorted(data("agent_traces", "who_and_when", "algorithm_generated").glob("*.json"))
    right: Counter[str] = Counter()
    for path in paths:
        run, turns = read(path)
        speakers = [speaker for speaker, _ in turns]
        named = {
            "ours": blamed(run, turns),
            "most frequent": Counter(speakers).most_common(1)[0][0],
            "last speaker": speakers[-1],
            "first speaker": speakers[0],
        }
        right.update(rule for rule, agent in named.items() if agent == run["mistake_agent"])
    shares = {rule: right[rule] / len(paths) for rule in ("most frequent", "last speaker", "first speaker")}
    note = (
        f"{len(paths)} runs; steps and failed checks count, what was said is not read; mark: best published, all runs"
    )
    return [Row("Who&When", "agent to blame", right["ours"] / len(paths), shares, 0.535, note)]


def blamed(run: dict[str, Any], turns: list[Turn]) -> str:
    """Who has the largest share, the earliest of equals: the run is replayed, and the sums that explain a regression
    are read. An insight needs more than one run.
    """
    replay = Replay(Policy(), lambda line: None)
    replay.run(lines(run, turns))
    if replay.bad:
        raise AssertionError(f"bad records: {replay.bad}")
    names, sums = joined(replay.loop.projects[PROJECT].minds.causes.blocks.closed)
    return names[int(sums[:, AGENT_AT["regressed"]].argmax())]


def lines(run: dict[str, Any], turns: list[Turn]) -> Iterator[bytes]:
    """The run as a journal, a second a turn."""
    tools, item, step = {speaker for speaker, text in turns if EXIT.match(text)}, run["question_ID"], None
    for n, (speaker, text) in enumerate(turns):
        found = EXIT.match(text)
        if speaker not in tools:
            step = f"{item}/{n}"
            done = {"task": step, "agent": speaker, "points": 0}
            yield line(n, "agent.task.started", done | {"item": item})
            yield line(n, "agent.task.finished", done | {"outcome": "succeeded", "duration_ms": 0})
        elif found and step:
            yield line(n, "agent.quality.checked", check(step, speaker, "run", found[1] == "0", regression=False))
    yield line(len(turns), "agent.quality.checked", check(item, "judge", "answer", passed=False, regression=True))
    yield line(len(turns) + 600, "clock.tick", {})


def check(task: str, agent: str, name: str, passed: bool, regression: bool) -> dict[str, Any]:
    return {"task": task, "agent": agent, "check": name, "passed": passed, "regression": regression}


def line(second: int, kind: str, about: dict[str, Any]) -> bytes:
    time = format_time_us(START_US + second * SECOND)
    envelope = {"specversion": "1.0", "id": f"{kind} {second}", "source": "run", "type": kind, "time": time}
    return orjson.dumps(envelope | {"project": PROJECT, "data": about})


def read(path: Path) -> tuple[dict[str, Any], list[Turn]]:
    run = json.loads(path.read_text())
    return run, [(turn["name"], turn["content"]) for turn in run["history"]]
