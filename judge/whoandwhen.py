"""Who&When (Zhang et al. 2025), algorithm-generated: which agent made the mistake of a failed run?

Each turn is a step of the run's item, done by its speaker; what starts with `exitcode:` is a check of the step before
it, so who says such things is a tool that checks and does no steps. At the end the item is found to be wrong. The
runs go through the product's own books of causes, which divide the blame.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from judge.data import data
from judge.row import Row
from meta_orchestrator.core.analysis.causes.fields import AGENT_AT
from meta_orchestrator.core.analysis.causes.sums import Sums
from meta_orchestrator.core.collection.history import History
from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.policy import Policy

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
    """Who has the largest share, the earliest of equals."""
    moment = Moment("run", 30 * SECOND, Policy(), Ledger(), History(SECOND), events=list(events(run, turns)))
    for it in moment.events:
        moment.told.setdefault(it[3], []).append(it)
    block = Sums().block(moment, most_agents=100)
    assert block  # noqa: S101 - every run has turns
    return block.names[int(block.agents[:, AGENT_AT["regressed"]].argmax())]


def events(run: dict[str, Any], turns: list[Turn]) -> Iterator[Event]:
    """The run in the words of the contract, a second a turn."""
    tools, item, step = {speaker for speaker, text in turns if EXIT.match(text)}, run["question_ID"], None
    for n, (speaker, text) in enumerate(turns):
        found = EXIT.match(text)
        if speaker not in tools:
            step = f"{item}/{n}"
            yield event(n, "agent.task.started", task=step, agent=speaker, item=item, points=0)
            yield event(
                n, "agent.task.finished", task=step, agent=speaker, outcome="succeeded", duration_ms=0, points=0
            )
        elif found and step:
            passed = found[1] == "0"
            yield event(
                n, "agent.quality.checked", task=step, agent=speaker, check="run", passed=passed, regression=False
            )
    yield event(
        len(turns), "agent.quality.checked", task=item, agent="judge", check="answer", passed=False, regression=True
    )


def event(second: int, kind: str, **values: Any) -> Event:
    return (second * SECOND, "run", f"{kind}-{second}", kind, values, b"", 0, None)


def read(path: Path) -> tuple[dict[str, Any], list[Turn]]:
    run = json.loads(path.read_text())
    return run, [(turn["name"], turn["content"]) for turn in run["history"]]
