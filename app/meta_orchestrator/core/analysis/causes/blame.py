"""Whose own time has grown: the agent to look at first when something takes longer.

Everything that takes time is put in one unit, seconds of agent time by second: work, being busy, letting others wait.
What an agent spends waiting for others is taken off its time (explaining away), so that those who only wait for the
guilty one are not blamed. Agents are ranked by the lower end of the interval of their growth: by how much is due to
them for sure. So neither a large change of something tiny nor the noise of something large comes first.

The interval is robust (median and median absolute deviation, scaled to the normal), since the past holds other faults.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import expm1, sqrt

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Times = Mapping[str, Mapping[str, tuple[Numbers, Numbers]]]
Lengths = tuple[Numbers | None, Numbers | None]
Known = tuple[Numbers, Numbers]
"""Blocks of agents, shape (blocks, agents), and their lengths."""
LEAST_SPREAD = 0.1
"""Nobody is steadier than this (relative) from one block to the next: what is rounded or cut off may look constant."""
_MAD = 1.4826
"""Of normal values: standard deviation over median absolute deviation."""
_EFFICIENCY = 0.37
"""Of normal values: a median absolute deviation knows as much as a standard deviation of so many of them."""
_MEDIAN = 1.5707963
"""Of normal values: variance of the median over that of the mean (pi / 2)."""


@dataclass(frozen=True)
class Growth:
    """Of one agent's time: seconds by second, with its interval; the kind of time that grew most for sure."""

    agent: str
    kind: str
    before: float
    after: float
    low: float
    high: float


def blame(times: Times, lengths: Lengths = (None, None), z: float = 1.96) -> list[Growth]:
    """Agents by the growth of their own time that is sure, the largest first.

    times: kind of time → agent → (blocks before, blocks after), each a value by block, NaN where it is unknown.
    lengths: of these blocks; equal ones otherwise.
    """
    best: dict[str, Growth] = {}
    for kind, by_agent in times.items():
        for found in _growths(kind, by_agent, lengths, z):
            if found.agent not in best or found.low > best[found.agent].low:
                best[found.agent] = found
    return sorted(best.values(), key=lambda it: (-it.low, it.agent))


def _growths(
    kind: str, by_agent: Mapping[str, tuple[Numbers, Numbers]], lengths: Lengths, z: float
) -> Iterator[Growth]:
    """Agents of whom the same blocks are known are looked at together, in one calculation."""
    alike: dict[tuple[bytes, bytes], list[str]] = {}
    for agent, (before, after) in by_agent.items():
        alike.setdefault((np.isfinite(before).tobytes(), np.isfinite(after).tobytes()), []).append(agent)
    for agents in alike.values():
        known = [_known([by_agent[agent][side] for agent in agents], lengths[side]) for side in (0, 1)]
        if len(known[0][0]) < 2 or not len(known[1][0]):
            continue
        numbers = [column.tolist() for column in _grown(known[0], known[1], z)]
        for agent, usual, now, half in zip(agents, *numbers, strict=True):
            yield Growth(agent, kind, usual, now, now - usual - half, now - usual + half)


def _grown(past: Known, since: Known, z: float) -> tuple[Numbers, Numbers, Numbers]:
    """Both medians by agent, and half of the interval of their difference.

    The spread of a block is inverse to the root of its length.
    """
    before, length = past
    usual, now = np.median(before, 0), np.median(since[0], 0)
    spread = _MAD * np.median(np.abs(before - usual) * np.sqrt(length)[:, None], 0)
    spread = np.maximum(spread, LEAST_SPREAD * np.abs(usual) * np.sqrt(np.median(length)))
    width = _student(z, _EFFICIENCY * (len(before) - 1))
    return usual, now, width * spread * float(1 / since[1].sum() + _MEDIAN / length.sum()) ** 0.5


def _student(z: float, freedom: float) -> float:
    """The quantile of Student's t as far out as the normal one (Wallace 1959)."""
    u = z * (8 * freedom + 3) / (8 * freedom + 1)
    return sqrt(freedom * expm1(min(u * u / freedom, 700)))


def _known(alike: Sequence[Numbers], lengths: Numbers | None) -> Known:
    """The blocks that are known of these agents, and their lengths."""
    finite = np.isfinite(alike[0])
    return np.stack(alike, 1)[finite], (np.ones(len(finite)) if lengths is None else lengths)[finite]


def own(total: Mapping[str, Numbers], waits: Mapping[tuple[str, str], Numbers]) -> dict[str, Numbers]:
    """Each agent's time less what it waited for others: (who waits, for whom) → time by block. May be negative."""
    left = dict(total)
    for (agent, _), waited in waits.items():
        if agent in left:
            left[agent] = left[agent] - np.nan_to_num(waited)
    return left


def split(total: Numbers, callers: Sequence[Numbers]) -> list[Numbers]:
    """What several wait for at one agent, divided by how much each of them asks (all equally where nobody asks)."""
    asked = np.nansum(callers, axis=0)
    return [
        total * np.where(asked > 0, np.nan_to_num(one) / np.where(asked > 0, asked, 1), 1 / len(callers))
        for one in callers
    ]
