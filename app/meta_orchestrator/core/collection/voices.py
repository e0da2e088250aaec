"""How much one agent's word counts in what decides.

Metrics are as the contract defines them, whoever reports. But the rows of History, from which changes are wished for
and judged, give each agent a limited weight: of what was reported within the last hour or so, about twice its fair part
at the most. So one agent that reports ever so much of something moves a rate a little, and never a change alone. And
what an agent says against a task that nobody knows counts for nothing.

An agent's word is what it sends under its own name as `source`; where a source is no agent (a gateway), the events of
an agent are those that name it.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.collection.books import Books
from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.messages.event import Event

Counts: TypeAlias = NDArray[np.float64]
"""In the order of FIELDS."""
FIELDS: dict[str, tuple[str, ...]] = {
    "ended": ("handoffs_ended",),
    "failed": ("handoffs_failed", "handoffs_timed_out"),
    "finished": ("tasks_finished", "tasks_worked"),
    "abandoned": ("tasks_abandoned",),
    "points": ("points",),
    "regressed": ("tasks_regressed",),
    "reworked": ("tasks_reworked",),
}
"""What is counted → the fields of History that are weighted by it."""
PLACE = {name: place for place, name in enumerate(FIELDS)}
HALF_S = 3600.0
"""What was reported counts half after this time."""
FEWEST = 4
"""Agents that report something; of fewer, one more or less is most of them."""
FREE = 3.0
"""So many reports count in full in any case: of a few events one agent may well have had most."""
FORGOTTEN = 0.01


def weigh(
    row: Counts, heard: Mapping[str, list[float]], events: list[Event], books: Books, seconds: float, share: float
) -> dict[str, list[float]]:
    """Limit each agent's weight in the row of a tick; returns what has counted of each agent lately.

    `seconds` have passed since `heard` was returned; `share` is what a member of a large team may have of something.
    """
    said, known = _tally(events, books)
    lately = _lately(heard, seconds)
    if said:
        weights = _weights(lately, said, share)
        whole, counted = sum(said.values()), sum(weights[agent] * known[agent] for agent in said)
        factors = np.where(whole > 0, counted / np.maximum(whole, FORGOTTEN), 1.0)
        for name, place in PLACE.items():
            for field in FIELDS[name]:
                row[INDEX[field]] *= factors[place]
        lately |= {agent: lately.get(agent, 0.0) + weights[agent] * counts for agent, counts in said.items()}
    return {agent: [round(float(count), 3) for count in counts] for agent, counts in lately.items()}


def _tally(events: list[Event], books: Books) -> tuple[dict[str, Counts], dict[str, Counts]]:
    """What each agent says, and how much of it is not hearsay."""
    said: dict[str, Counts] = {}
    known: dict[str, Counts] = {}
    for event in events:
        count = _COUNTS.get(event[3])
        if count is None:
            continue
        data, is_agent = event[4], event[1] in books.agents
        agent = event[1] if is_agent else data.get("agent") or data["from_agent"]
        if agent not in said:
            said[agent], known[agent] = np.zeros(len(FIELDS)), np.zeros(len(FIELDS))
        hearsay = is_agent and event[3] in _AGAINST and not _is_known(data["task"], event[0], books)
        for name, value in count(data, books):
            said[agent][PLACE[name]] += value
            known[agent][PLACE[name]] += 0.0 if hearsay else value
    return said, known


def _lately(heard: Mapping[str, list[float]], seconds: float) -> dict[str, Counts]:
    """What was heard fades; of whom nothing has been heard for long is forgotten."""
    keep = 0.5 ** (seconds / HALF_S)
    lately = {agent: keep * np.array(counts) for agent, counts in heard.items()}
    return {agent: counts for agent, counts in lately.items() if counts.sum() > FORGOTTEN}


def _weights(lately: Mapping[str, Counts], said: Mapping[str, Counts], share: float) -> dict[str, Counts]:
    """Of each agent that says something now, how much of it counts, shape (len(FIELDS),), 0..1.

    An agent may have the part s of a field, which is s / (1 - s) of what the others have; what has counted lately is
    taken off.
    """
    nothing = np.zeros(len(FIELDS))
    everybody = {agent: lately.get(agent, nothing) + said.get(agent, nothing) for agent in [*lately, *said]}
    table = np.array(list(everybody.values()))
    total, voices = table.sum(axis=0), (table > FORGOTTEN).sum(axis=0)
    most = np.maximum(share, 2 / np.maximum(voices, FEWEST))
    free = np.full(len(FIELDS), FREE)
    free[PLACE["points"]] *= total[PLACE["points"]] / max(total[PLACE["finished"]], 1.0)
    weights = {}
    for agent, counts in said.items():
        limit = most / (1 - most) * (total - everybody[agent]) + free
        left = np.clip((limit - lately.get(agent, nothing)) / np.maximum(counts, FORGOTTEN), 0.0, 1.0)
        weights[agent] = np.where(voices < FEWEST, 1.0, left)
    return weights


def _is_known(task: str, time_us: int, books: Books) -> bool:
    return task in books.tasks or books.successes.knows(task, time_us)


def _handed(data: dict[str, Any], books: Books) -> list[tuple[str, float]]:
    return [("ended", 1.0), ("failed", float("cause" in data))]


def _finished(data: dict[str, Any], books: Books) -> list[tuple[str, float]]:
    """Steps, which have no points, are in no rate."""
    task, points = books.tasks.get(data["task"]), data.get("points")
    if points is None:
        points = task.points if task and task.points is not None else 1.0
    if not points:
        return []
    succeeded, abandoned = (data["outcome"] == outcome for outcome in ("succeeded", "abandoned"))
    return [("finished", 1.0), ("abandoned", float(abandoned)), ("points", points * succeeded)]


def _checked(data: dict[str, Any], books: Books) -> list[tuple[str, float]]:
    return [("regressed", 1.0)] if data["regression"] else []


def _reworked(data: dict[str, Any], books: Books) -> list[tuple[str, float]]:
    return [("reworked", 1.0)]


_COUNTS: dict[str, Callable[[dict[str, Any], Books], list[tuple[str, float]]]] = {
    "agent.handoff.completed": _handed,
    "agent.handoff.failed": _handed,
    "agent.task.finished": _finished,
    "agent.quality.checked": _checked,
    "agent.rework.requested": _reworked,
}
_AGAINST = ("agent.quality.checked", "agent.rework.requested")
"""What is said against a task."""
