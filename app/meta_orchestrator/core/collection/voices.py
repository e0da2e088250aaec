"""How much one agent's word counts in what decides.

Metrics are as the contract defines them, whoever reports. But the rows of History, from which changes are wished for
and judged, give each agent a limited weight: of what was reported within the last hour or so, about twice its fair part
at the most. Fair is one part of as many as there are voices of weight beside its own: where one stage of a pipeline
finishes all work, that others gave some up now and then makes it no crowd, and all it says counts. So one agent that
reports ever so much of something moves a rate a little, and never a change alone. And what an agent says against a task
that nobody knows counts for nothing.

An agent's word is what it sends under its own name as `source`; where a source is no agent (a gateway), the events of
an agent are those that name it.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.collection.books import Books
from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Finish, Moment
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
ENDED, FAILED, FINISHED, ABANDONED, POINTS, REGRESSED, REWORKED = range(len(FIELDS))
HALF_S = 3600.0
"""What was reported counts half after this time."""
FEWEST = 4
"""Agents that report something; of fewer, one more or less is most of them."""
FREE = 3.0
"""So many reports count in full in any case: of a few events one agent may well have had most."""
FORGOTTEN = 0.01


def weigh(
    row: Counts, heard: Mapping[str, list[float]], moment: Moment, seconds: float, share: float
) -> dict[str, list[float]]:
    """Limit each agent's weight in the row of a tick; returns what has counted of each agent lately.

    `seconds` have passed since `heard` was returned; `share` is what a member of a large team may have of something.
    """
    said = _tally(moment)
    names = [*heard, *(name for name in said if name not in heard)]
    lately = np.zeros((len(names), len(FIELDS)))
    if heard:
        lately[: len(heard)] = np.array(list(heard.values())) * 0.5 ** (seconds / HALF_S)
    if said:
        place = {name: number for number, name in enumerate(names)}
        speakers, spoken = [place[name] for name in said], np.array(list(said.values()))
        now, known = spoken[:, : len(FIELDS)], spoken[:, : len(FIELDS)] - spoken[:, len(FIELDS) :]
        weights = _weights(lately, speakers, now, share)
        _scale(row, now.sum(axis=0), (weights * known).sum(axis=0))
        lately[speakers] += weights * now
    counted = zip(names, np.round(lately, 3).tolist(), strict=True)
    return {name: counts for name, counts in counted if max(counts) > FORGOTTEN}


def _tally(moment: Moment) -> dict[str, list[float]]:
    """What each agent says, and behind it how much of that is hearsay; finished tasks in bulk, for there are many."""
    books = moment.books
    said = defaultdict[str, list[float]](lambda: [0.0] * (2 * len(FIELDS)))
    for finish, times in moment.finishes.items():
        _finished(said[finish.source if finish.source in books.agents else finish.agent], finish, times)
    for type_, count in _COUNTS.items():
        for event in moment.told.get(type_, ()):
            source, data = event[1], event[4]
            agent = source if source in books.agents else data.get("agent") or data["from_agent"]
            count(said[agent], event, books)
    return said


def _weights(lately: Counts, speakers: list[int], now: Counts, share: float) -> Counts:
    """Of each agent that says something now, how much of it counts, shape of `now`, 0..1.

    An agent may have the part s of a field, which is s / (1 - s) of what the others have; what has counted lately is
    taken off.
    """
    everybody = lately.copy()
    everybody[speakers] += now
    total, voices = everybody.sum(axis=0), (everybody > FORGOTTEN).sum(axis=0)
    most = np.maximum(share, 2 / np.maximum(1 + _others(everybody, speakers), FEWEST))
    free = np.full(len(FIELDS), FREE)
    free[POINTS] *= total[POINTS] / max(total[FINISHED], 1.0)
    limit = most / (1 - most) * (total - everybody[speakers]) + free
    left = np.clip((limit - lately[speakers]) / np.maximum(now, FORGOTTEN), 0.0, 1.0)
    return np.where(voices < FEWEST, 1.0, left)


def _others(everybody: Counts, speakers: list[int]) -> Counts:
    """How many voices there are beside each speaker's, by weight: (sum x)² / sum x² (Hill, Ecology 1973, order 2).

    Its own is left out, so nobody makes the others fewer by being loud.
    """
    own, squares = everybody[speakers], np.square(everybody)
    rest: Counts = np.maximum(everybody.sum(axis=0) - own, 0.0)
    spread: Counts = np.maximum(squares.sum(axis=0) - squares[speakers], FORGOTTEN**2)
    return rest * rest / spread


def _scale(row: Counts, whole: Counts, counted: Counts) -> None:
    """Of each field what counts."""
    factors = np.where(whole > 0, counted / np.maximum(whole, FORGOTTEN), 1.0)
    for names, factor in zip(FIELDS.values(), factors, strict=True):
        for name in names:
            row[INDEX[name]] *= factor


def _handed(counts: list[float], event: Event, books: Books) -> None:
    counts[ENDED] += 1
    if "cause" in event[4]:
        counts[FAILED] += 1


def _finished(counts: list[float], finish: Finish, times: int) -> None:
    """Steps, which have no points, are in no rate."""
    if finish.points:
        counts[FINISHED] += times
        if finish.outcome == "succeeded":
            counts[POINTS] += times * finish.points
        elif finish.outcome == "abandoned":
            counts[ABANDONED] += times


def _checked(counts: list[float], event: Event, books: Books) -> None:
    if event[4]["regression"]:
        counts[REGRESSED] += 1
        counts[len(FIELDS) + REGRESSED] += _is_hearsay(event, books)


def _reworked(counts: list[float], event: Event, books: Books) -> None:
    counts[REWORKED] += 1
    counts[len(FIELDS) + REWORKED] += _is_hearsay(event, books)


def _is_hearsay(event: Event, books: Books) -> bool:
    """An agent speaks of a task that nobody knows."""
    task = event[4]["task"]
    return event[1] in books.agents and task not in books.tasks and not books.successes.knows(task, event[0])


_COUNTS: dict[str, Callable[[list[float], Event, Books], None]] = {
    "agent.handoff.completed": _handed,
    "agent.handoff.failed": _handed,
    "agent.quality.checked": _checked,
    "agent.rework.requested": _reworked,
}
