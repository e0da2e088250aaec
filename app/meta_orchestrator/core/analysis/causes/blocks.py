"""The past of many agents in little room: sums in blocks whose length grows with their age.

The youngest blocks are ticks. An exponential histogram of time (Datar, Gionis, Indyk & Motwani 2002, "Maintaining
stream statistics over sliding windows", §3): at most `PER_LEVEL` blocks of each length; one more, and the two oldest of
them become one of twice the length. So any moment of the past lies at the edge of a block to within about a third of
its age, with some thirty blocks for two weeks.
"""

import zlib
from base64 import b85decode, b85encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.causes.fields import AGENT, CAUSES, CRITICALITIES, ROUND
from meta_orchestrator.core.analysis.causes.names import Names, Numbering

Table = NDArray[np.float32]
PER_LEVEL = 3
OTHERS = ""
"""Who is not told apart: agents beyond the limit, and those whom nobody named."""


@dataclass(frozen=True, eq=False)
class Block:
    """Sums of (start, end]: `agents` has shape (names, AGENT), `causes` (CAUSES,), `rounds` (CRITICALITIES, ROUND)."""

    start_us: int
    end_us: int
    seconds: float
    """At work."""
    level: int
    names: tuple[str, ...]
    agents: Table
    causes: Table
    rounds: Table
    packed: list[str] = field(default_factory=list)
    """What `dump` writes of the tables, once it has been asked for."""

    def joined(self, later: "Block", most: int) -> "Block":
        """Both as one, with at most so many names."""
        names, agents = joined((self, later))
        names, agents = capped(names, agents, most)
        return Block(
            self.start_us,
            later.end_us,
            self.seconds + later.seconds,
            self.level + 1,
            names,
            agents,
            self.causes + later.causes,
            self.rounds + later.rounds,
        )

    def pack(self) -> str:
        """Text that costs a byte or two a number; a closed block never changes, so it is made once."""
        if not self.packed:
            numbers = np.concatenate([self.agents.ravel(), self.causes, self.rounds.ravel()])
            self.packed.append(b85encode(zlib.compress(numbers.astype("<f4").tobytes(), 1)).decode())
        return self.packed[0]


def names_of(blocks: Iterable[Block]) -> tuple[str, ...]:
    """All names of some blocks, in the order in which they are met."""
    return tuple(dict.fromkeys([name for block in blocks for name in block.names]))


def joined(blocks: Sequence[Block]) -> tuple[tuple[str, ...], Table]:
    """All names of some blocks and their sums, shape (names, AGENT)."""
    names = names_of(blocks)
    place = {name: n for n, name in enumerate(names)}
    sums = np.zeros((len(names), len(AGENT)), np.float32)
    for block in blocks:
        sums[[place[name] for name in block.names]] += block.agents
    return names, sums


def capped(names: tuple[str, ...], sums: Table, most: int) -> tuple[tuple[str, ...], Table]:
    """The busiest agents by name; all others together."""
    if len(names) <= most:
        return names, sums
    weight = sums[:, 0].copy()
    weight[[n for n, name in enumerate(names) if name == OTHERS]] = -1
    order = np.argsort(-weight, kind="stable")
    kept = np.sort(order[: most - 1])
    rest = sums[order[most - 1 :]].sum(0, keepdims=True)
    return (*(names[n] for n in kept), OTHERS), np.concatenate([sums[kept], rest]).astype(np.float32)


class Blocks:
    """Closed blocks, oldest first."""

    def __init__(self, most_agents: int, horizon_us: int) -> None:
        self.most_agents, self.horizon_us = most_agents, horizon_us
        self.closed: list[Block] = []

    def add(self, block: Block) -> None:
        """One more; those that are too many are joined, those that are too old forgotten."""
        self.closed.append(block)
        level = block.level
        while (places := [n for n, it in enumerate(self.closed) if it.level == level])[PER_LEVEL:]:
            first, second = places[:2]
            self.closed[first : second + 1] = [self.closed[first].joined(self.closed[second], self.most_agents)]
            level += 1
        self.closed = [it for it in self.closed if it.end_us > block.end_us - self.horizon_us]

    def dump(self) -> dict[str, Any]:
        numbering = Numbering()
        blocks = [
            [it.start_us, it.end_us, it.seconds, it.level, numbering.of(it.names), it.pack()] for it in self.closed
        ]
        return {"names": numbering.names(), "blocks": blocks}

    def load(self, dumped: dict[str, Any]) -> None:
        names = Names(dumped["names"])
        self.closed = [
            _unpacked(start_us, end_us, seconds, level, names.of(numbers), text)
            for start_us, end_us, seconds, level, numbers, text in dumped["blocks"]
        ]


def _unpacked(start_us: int, end_us: int, seconds: float, level: int, names: tuple[str, ...], text: str) -> Block:
    numbers = np.frombuffer(zlib.decompress(b85decode(text)), "<f4").astype(np.float32)
    many = len(names) * len(AGENT)
    agents, causes, rounds = np.split(numbers, [many, many + len(CAUSES)])
    tables = agents.reshape(len(names), len(AGENT)), causes, rounds.reshape(len(CRITICALITIES), len(ROUND))
    return Block(start_us, end_us, seconds, level, names, *tables, [text])
