"""Who hands on to whom by custom."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

PAIRS = 4_000
"""Pairs of agents that are remembered; beyond, all counts are halved and the small ones forgotten."""

_SMOOTHING = 1.0
"""Handoffs by custom of the whole project that are added to those of each agent."""


class Custom:
    """A matrix of handoffs, read as a Markov chain: where an agent hands on to, wherever the task came from."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, float]] = {}
        self._from: dict[str, float] = defaultdict(float)
        self._to: dict[str, float] = defaultdict(float)
        self._heard = 0.0
        self._pairs = 0

    def add(self, from_agent: str, to_agent: str, handoffs: float = 1.0) -> None:
        row = self._rows.setdefault(from_agent, {})
        self._pairs += to_agent not in row
        row[to_agent] = row.get(to_agent, 0.0) + handoffs
        self._from[from_agent] += handoffs
        self.hear_of(to_agent, handoffs)

    def hear_of(self, to_agent: str, handoffs: float = 1.0) -> None:
        """Someone handed on to that agent; who it was is left open."""
        self._to[to_agent] += handoffs
        self._heard += handoffs

    def share(self, from_agent: str, to_agent: str, less: Mapping[str, int]) -> float:
        """P(the next handoff of `from_agent` goes to `to_agent`), smoothed by where the whole project hands on to.

        less: handoffs by `from_agent` that are left out, by target.
        """
        own = self._rows.get(from_agent, {}).get(to_agent, 0.0) - less.get(to_agent, 0)
        total = self._from.get(from_agent, 0.0) - sum(less.values())
        everywhere = self._to.get(to_agent, 0.0) / (self._heard or 1.0)
        return (own + _SMOOTHING * everywhere) / (total + _SMOOTHING)

    def copy(self) -> "Custom":
        return Custom.load(self.dump())

    def halved(self) -> "Custom":
        """Forgetting in bulk, where there are too many pairs: what is left of a single handoff is dropped."""
        if self._pairs <= PAIRS:
            return self
        return Custom.load((a, b, n / 2) for a, b, n in self.dump() if n > 1).halved()

    def dump(self) -> list[Any]:
        return [(a, b, n) for a, row in self._rows.items() for b, n in row.items()]

    @classmethod
    def load(cls, dumped: Iterable[Any]) -> "Custom":
        custom = cls()
        for from_agent, to_agent, handoffs in dumped:
            custom.add(from_agent, to_agent, handoffs)
        return custom
