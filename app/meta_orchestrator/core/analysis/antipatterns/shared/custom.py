"""Who hands on to whom by custom."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

PAIRS = 2_000
"""Pairs of agents that are remembered; beyond, all counts are halved and the small ones forgotten."""

_SMOOTHING = 1.0
"""Handoffs by custom of the whole project that are added to those of each agent."""

Rows = dict[str, dict[str, int]]
"""From agent → to agent → handoffs."""


class Custom:
    """A matrix of handoffs, read as a Markov chain: where an agent hands on to, wherever the task came from."""

    def __init__(self) -> None:
        self.rows: Rows = {}
        self._from: dict[str, int] = defaultdict(int)
        self._to: dict[str, int] = defaultdict(int)
        self._heard = 0
        self._pairs = 0

    def add(self, from_agent: str, to_agent: str, handoffs: int = 1) -> None:
        """Learn who hands on to whom; that `to_agent` is handed on to must be heard of apart."""
        row = self.rows.setdefault(from_agent, {})
        self._pairs += to_agent not in row
        row[to_agent] = row.get(to_agent, 0) + handoffs
        self._from[from_agent] += handoffs

    def hear_of(self, to_agent: str, handoffs: int = 1) -> None:
        """Someone handed on to that agent; who it was is left open. Negative: that was no custom."""
        self._to[to_agent] += handoffs
        self._heard += handoffs

    def share(self, from_agent: str, to_agent: str, less: Mapping[str, int]) -> float:
        """P(the next handoff of `from_agent` goes to `to_agent`), smoothed by where the whole project hands on to.

        less: handoffs by `from_agent` that are left out, by target.
        """
        own, total = self.rows.get(from_agent, {}).get(to_agent, 0), self._from.get(from_agent, 0)
        if less:
            own, total = max(0, own - less.get(to_agent, 0)), max(0, total - sum(less.values()))
        everywhere = self._to.get(to_agent, 0) / (self._heard or 1)
        return (own + _SMOOTHING * everywhere) / (max(own, total) + _SMOOTHING)

    def is_full(self) -> bool:
        return self._pairs > PAIRS

    def halved(self) -> "Custom":
        """Forgetting in bulk, where there are too many pairs, as often as it takes: half a handoff is dropped."""
        halvings = 1
        while sum([handoffs >> halvings > 0 for _, _, handoffs in pairs(self.rows)]) > PAIRS:
            halvings += 1
        less = Custom()
        for from_agent, to_agent, handoffs in pairs(self.rows):
            if handoffs >> halvings:
                less.add(from_agent, to_agent, handoffs >> halvings)
                less.hear_of(to_agent, handoffs >> halvings)
        return less

    @classmethod
    def load(cls, rows: Mapping[str, Any]) -> "Custom":
        custom = cls()
        for from_agent, to_agent, handoffs in pairs(rows):
            custom.add(from_agent, to_agent, handoffs)
            custom.hear_of(to_agent, handoffs)
        return custom


def pairs(rows: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[str, str, int]]:
    for from_agent, row in rows.items():
        for to_agent, handoffs in row.items():
            yield from_agent, to_agent, handoffs
