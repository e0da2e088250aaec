"""From the sums of before and after to what is said: who and what explains a difference, in numbers and a sentence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.causes.blame import Growth, blame
from meta_orchestrator.core.analysis.causes.blocks import OTHERS, Block, joined, names_of
from meta_orchestrator.core.analysis.causes.fields import (
    AGENT_AT,
    BY_AGENT,
    BY_CAUSE,
    BY_CRITICALITY,
    BY_TIME,
    CAUSES,
    CRITICALITIES,
    ROUND_AT,
    Parts,
)
from meta_orchestrator.core.analysis.causes.shares import Part, Side, named, paces, parts, scatter_of
from meta_orchestrator.messages.outputs import Evidence

Numbers = NDArray[np.float64]
WORDS = {
    "agent": "agent {}",
    "agent_type": "the type {}",
    "cause": "failing by {}",
    "criticality": "what is {}",
}
NAMED = 3
"""Causes that a finding names at the most."""


@dataclass(frozen=True)
class Cause:
    """`kind` is agent, agent_type, cause (of failed handoffs) or criticality."""

    kind: str
    name: str
    part: Part

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Sides:
    """The blocks before something began and those since, and each agent's type."""

    before: Sequence[Block]
    after: Sequence[Block]
    types: Mapping[str, str]


def causes(sides: Sides, metric: str, alpha: float) -> list[Cause]:
    """Who explains more of the change of a metric than their size does, the largest share first.

    Each dimension names somebody wrongly with probability `alpha` at the most. A type is named where no agent of it is.
    """
    found = _by_agent(sides, metric, alpha) + _by_cause(sides, metric, alpha) + _by_criticality(sides, metric, alpha)
    return sorted(found, key=lambda it: (-it.part.share, it.kind, it.name))[:NAMED]


def evidence(found: Sequence[Cause]) -> Evidence:
    """`cause_1` … with its share of the change and the 95 % interval of that."""
    flat: Evidence = {}
    for n, cause in enumerate(found, 1):
        part = cause.part
        flat |= {
            f"cause_{n}": str(cause),
            f"cause_{n}_share": part.share,
            f"cause_{n}_low": part.low,
            f"cause_{n}_high": part.high,
            f"cause_{n}_mix": part.mix / part.contribution if part.contribution else 0.0,
        }
    return flat


def told(found: Sequence[Cause]) -> str:
    """The sentence about them."""
    if not found:
        return "No agent, type, cause or criticality explains more of it than its size does."
    first, *others = (f"{WORDS[cause.kind].format(cause.name)} {_share(cause)}" for cause in found)
    return "; ".join([first[0].upper() + first[1:], *others]) + "."


def slower(sides: Sides, metric: str, alpha: float) -> list[Growth]:
    """Whose own time has grown, where that is what makes the metric worse; `alpha` as in `causes`."""
    if metric not in BY_TIME:
        return []
    names = names_of([*sides.before, *sides.after])
    lengths = [np.array([block.seconds for block in blocks]) for blocks in (sides.before, sides.after)]
    columns = {"working": AGENT_AT["busy_s"], "letting others wait": AGENT_AT["awaited_s"]}
    place = {name: n for n, name in enumerate(names)}
    tables = [np.array([_rates(block, place) for block in blocks]) for blocks in (sides.before, sides.after)]
    times = {
        kind: {name: (tables[0][:, n, column], tables[1][:, n, column]) for n, name in enumerate(names) if name}
        for kind, column in columns.items()
    }
    z = NormalDist().inv_cdf(1 - alpha / max(len(names) * len(columns), 1))
    return [it for it in blame(times, (lengths[0], lengths[1]), z) if it.low > 0][:NAMED]


def evidence_of_time(found: Sequence[Growth]) -> Evidence:
    """`slower_1` … with the seconds of its time by second that are more than before, and their interval."""
    flat: Evidence = {}
    for n, it in enumerate(found, 1):
        flat |= {
            f"slower_{n}": f"agent {it.agent}, {it.kind}",
            f"slower_{n}_s_per_s": it.after - it.before,
            f"slower_{n}_low": it.low,
            f"slower_{n}_high": it.high,
        }
    return flat


def told_of_time(found: Sequence[Growth]) -> str:
    if not found:
        return ""
    it = found[0]
    more = f"{60 * (it.after - it.before):.1f} min an hour ({60 * it.low:.1f} to {60 * it.high:.1f})"
    return f"Of agent {it.agent}'s time, {it.kind} has grown by {more}."


def _rates(block: Block, place: Mapping[str, int]) -> Numbers:
    """Sums of a block by second, each name in its place."""
    sums = np.zeros((len(place), len(AGENT_AT)))
    sums[[place[name] for name in block.names]] = block.agents
    return sums / max(block.seconds, 1e-9)


def _share(cause: Cause) -> str:
    part = cause.part
    much = "more than all" if part.share > 1 else f"{part.share:.0%}"
    text = f"explains {much} of it ({part.low:.0%} to {part.high:.0%})"
    return text + " by a change of who does the work" if abs(part.mix) > abs(part.contribution) / 2 else text


def _by_agent(sides: Sides, metric: str, alpha: float) -> list[Cause]:
    made = BY_AGENT.get(metric)
    names = names_of([*sides.before, *sides.after])
    if made is None or not names:
        return []
    before, after = (_agents_of(blocks, names, made) for blocks in (sides.before, sides.after))
    scatter = _scatter(sides.before, made)
    agents = [Cause("agent", names[it.place], it) for it in _named(before, after, made, scatter, alpha)]
    agents = [it for it in agents if it.name != OTHERS]
    kinds = sorted(set(sides.types.values()))
    owner = np.array([kinds.index(sides.types[name]) if name in sides.types else len(kinds) for name in names])
    grouped = [_grouped(side, owner, len(kinds) + 1, made) for side in (before, after)]
    guilty = {sides.types.get(it.name) for it in agents}
    types = [it for it in _named(grouped[0], grouped[1], made, scatter, alpha) if it.place < len(kinds)]
    return agents + [Cause("agent_type", kinds[it.place], it) for it in types if kinds[it.place] not in guilty]


def _by_cause(sides: Sides, metric: str, alpha: float) -> list[Cause]:
    """Of the failed handoffs: which cause there was more of, by ended handoff."""
    if metric not in BY_CAUSE:
        return []
    made = Parts("", None, "pace")
    both = []
    for blocks in (sides.before, sides.after):
        ended = sum(float(block.agents[:, AGENT_AT["handoffs_ended"]].sum()) for block in blocks)
        failed = np.array([block.causes for block in blocks], np.float64).sum(0)
        both.append(Side(failed, np.full(len(CAUSES), ended)))
    return [Cause("cause", CAUSES[it.place], it) for it in _named(both[0], both[1], made, 1.0, alpha)]


def _by_criticality(sides: Sides, metric: str, alpha: float) -> list[Cause]:
    made = BY_CRITICALITY.get(metric)
    if made is None:
        return []
    both = []
    for blocks in (sides.before, sides.after):
        sums = np.array([block.rounds for block in blocks], np.float64).sum(0)
        squares = sums[:, ROUND_AT[made.squares]] if made.squares else None
        both.append(Side(sums[:, ROUND_AT[made.numerator]], sums[:, ROUND_AT[made.denominator or ""]], squares))
    found = _named(both[0], both[1], made, 1.0, alpha)
    return [Cause("criticality", CRITICALITIES[it.place], it) for it in found]


def _named(before: Side, after: Side, made: Parts, scatter: float, alpha: float) -> list[Part]:
    """Groups that are in use on either side, taken apart and tested."""
    used = np.flatnonzero(before.denominators + after.denominators > 0)
    if made.law == "pace":
        used = np.flatnonzero(before.numerators + after.numerators > 0)
    first, second = _only(before, used), _only(after, used)
    found = paces(first, second, scatter) if made.law == "pace" else parts(first, second, made.law, scatter)
    return [_at(part, int(used[part.place])) for part in named(found, alpha)]


def _at(part: Part, place: int) -> Part:
    return Part(place, *list(vars(part).values())[1:])


def _only(side: Side, used: NDArray[np.intp]) -> Side:
    squares = side.squares[used] if side.squares is not None else None
    return Side(side.numerators[used], side.denominators[used], squares)


def _agents_of(blocks: Sequence[Block], names: tuple[str, ...], made: Parts) -> Side:
    """The sums of a metric by agent, in the order of `names`."""
    place = {name: n for n, name in enumerate(names)}
    known, found = joined(blocks)
    sums = np.zeros((len(names), found.shape[1]))
    sums[[place[name] for name in known]] = found
    numerators = sums[:, AGENT_AT[made.numerator]] / made.unit
    if made.denominator is None:
        return Side(numerators, np.full(len(names), sum(block.seconds for block in blocks)))
    squares = sums[:, AGENT_AT[made.squares]] if made.squares else None
    return Side(numerators, sums[:, AGENT_AT[made.denominator]] / made.unit, squares)


def _grouped(side: Side, owner: NDArray[np.intp], groups: int, made: Parts) -> Side:
    """Sums by group; the time at work is the same for all."""

    def summed(values: Numbers) -> Numbers:
        return np.bincount(owner, weights=values, minlength=groups).astype(np.float64)

    whole = np.full(groups, side.denominators[0]) if made.denominator is None else summed(side.denominators)
    return Side(summed(side.numerators), whole, summed(side.squares) if side.squares is not None else None)


def _scatter(blocks: Sequence[Block], made: Parts) -> float:
    """Of the whole project, from block to block."""

    def column(name: str) -> Numbers:
        return np.array([block.agents[:, AGENT_AT[name]].sum(dtype=np.float64) for block in blocks]) / made.unit

    if made.denominator is None:
        seconds = np.array([block.seconds for block in blocks])
        return max(scatter_of(column(made.numerator), seconds, made.law), _size(column, made))
    squares = column(made.squares) if made.squares else None
    return scatter_of(column(made.numerator), column(made.denominator), made.law, squares)


def _size(column: Callable[[str], Numbers], made: Parts) -> float:
    """What one event adds to a count: points come by the task."""
    finished = float(column("finished").sum())
    return float(column("points").sum()) / finished if made.numerator == "points" and finished else 1.0
