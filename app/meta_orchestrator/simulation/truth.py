"""The team's own books: what really happened, whatever was reported and measured."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Truth:
    """Running totals. The books of a stretch of time are the difference of two copies.

    arrived, finished, abandoned, points, lead_s (sum over finished), regressions, harm (regressions weighted by risk),
    handoffs, handoff_failures, rounds, rounds_undecided, interventions, reworks, `worked_s.<activity>`.
    """

    totals: Counter[str] = field(default_factory=Counter)

    def count(self, name: str, amount: float = 1) -> None:
        self.totals[name] += amount  # type: ignore[assignment]  # a Counter holds floats as well

    def __getitem__(self, name: str) -> float:
        return self.totals[name]

    def copy(self) -> "Truth":
        return Truth(self.totals.copy())

    def since(self, earlier: "Truth") -> Mapping[str, float]:
        """What was added after the earlier copy."""
        return {name: total - earlier.totals[name] for name, total in sorted(self.totals.items())}

    @property
    def coordination_failures(self) -> float:
        """As CONTRACT §4.4 defines them, but from the books."""
        return self["handoff_failures"] + self["rounds_undecided"] + self["abandoned"]


class Meter:
    """The area under a level that moves in steps: busy time, or tasks in the system."""

    def __init__(self) -> None:
        self.level, self._area, self._at = 0, 0.0, 0.0

    def move(self, by: int, now: float) -> None:
        self._area, self._at, self.level = self.area(now), now, self.level + by

    def area(self, now: float) -> float:
        return self._area + self.level * (now - self._at)
