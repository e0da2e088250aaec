"""The team's own books: what really happened, whatever was reported and measured. `evaluate` judges by them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from meta_orchestrator.messages.fields import Criticality

HARM: dict[Criticality, float] = {"minor": 0.5, "normal": 1.0, "major": 2.0, "critical": 4.0}
"""What an escaped regression costs, in regressions of a normal change."""
WEIGHTS = {"velocity": 0.4, "quality": 0.3, "risk": 0.2, "utilization": 0.1}
"""Of the utility's terms: close to the standard profile's (`policy/judgement.py`), whose coordination and risk are one
here; not equal to them, so a controller is not judged by the very formula that it steers by."""
PRODUCTIVE = ("plan", "code", "review", "test")
"""Work that moves a change on; not votes, switches between tasks, handing over once more, or doing it again."""
DAY_S, HOUR_S = 86_400.0, 3_600.0


class Meter:
    """The area under a level that moves in steps: busy time, tasks in the system, capacity that is there."""

    def __init__(self) -> None:
        self.level, self._area, self._at = 0, 0.0, 0.0

    def move(self, by: int, now: float) -> None:
        self._area, self._at, self.level = self.area(now), now, self.level + by

    def area(self, now: float) -> float:
        return self._area + self.level * (now - self._at)


@dataclass(frozen=True)
class Span:
    """The books of a stretch of time. Rates a day are those of the team's own day, whatever its scale."""

    seconds: float
    totals: Mapping[str, float]
    demand: float = 1.0
    """Points a day that a healthy team is asked for: the unit of velocity in the utility."""
    scale: float = 1.0

    def __getitem__(self, name: str) -> float:
        return self.totals.get(name, 0.0)

    @property
    def velocity(self) -> float:
        """Points a day."""
        return self["points"] * DAY_S * self.scale / self.seconds

    @property
    def coordination_failures(self) -> float:
        """As CONTRACT §4.4 defines them, but from the books."""
        return self["handoff_failures"] + self["rounds_undecided"] + self["abandoned"]

    @property
    def interventions(self) -> float:
        return self["interventions"]

    @property
    def regressions(self) -> float:
        """Defects that showed themselves in production."""
        return self["regressions"]

    @property
    def utilization(self) -> float:
        """Share of the capacity that was there and busy, with whatever."""
        return self._share(name for name in self.totals if name.startswith("worked_s."))

    @property
    def productive(self) -> float:
        """Share of the capacity that was there and moved changes on."""
        return self._share(f"worked_s.{name}" for name in PRODUCTIVE)

    @property
    def terms(self) -> dict[str, float]:
        """The utility's terms: velocity in units of the healthy demand, the others as shares, all the more the better.

        Quality and risk are x / (x + trouble): of all that came out, the share that was no trouble. Utilization counts
        productive time only: a team that is busy voting is not well used.
        """
        done = self["finished"]
        trouble = self.coordination_failures + self.interventions
        return {
            "velocity": self.velocity / self.demand,
            "quality": done / (done + self["harm"]) if done else 0.0,
            "risk": done / (done + trouble) if done else 0.0,
            "utilization": self.productive,
        }

    @property
    def utility(self) -> float:
        """One number for how well the team does: the weighted sum of its terms."""
        return sum(WEIGHTS[name] * value for name, value in self.terms.items())

    def _share(self, names: Iterable[str]) -> float:
        capacity_s = self["capacity_s"]
        return sum(self[name] for name in names) / capacity_s if capacity_s else 0.0


@dataclass
class Truth:
    """Running totals, and a copy of them at each full hour of the team's and wherever a run has paused.

    arrived, turned_away (the backlog was full), finished, abandoned, left, points, lead_s (sum over left), regressions,
    harm (regressions weighted by `HARM`), handoffs, handoff_failures, rounds, rounds_undecided, interventions,
    deadlocks, reworks, capacity_s (of the agents that were there), `worked_s.<activity>`.
    """

    demand: float = 1.0
    scale: float = 1.0
    totals: Counter[str] = field(default_factory=Counter)
    capacity: Meter = field(default_factory=Meter)
    marks: dict[float, Mapping[str, float]] = field(default_factory=dict)
    """Seconds, to the millisecond → totals by then."""

    def count(self, name: str, amount: float = 1) -> None:
        self.totals[name] += amount  # type: ignore[assignment]  # a Counter holds floats as well

    def __getitem__(self, name: str) -> float:
        return self.totals[name]

    def at(self, now: float) -> Mapping[str, float]:
        """All totals by now."""
        return dict(self.totals) | {"capacity_s": self.capacity.area(now)}

    def mark(self, now: float) -> None:
        self.marks[round(now, 3)] = self.at(now)

    def span(self, start_s: float, end_s: float) -> Span:
        """The books between two marks; ValueError names a time that is none."""
        totals = _difference(self._marked(end_s), self._marked(start_s))
        return Span(end_s - start_s, totals, self.demand, self.scale)

    def since(self, earlier: tuple[float, Mapping[str, float]], now: float) -> Span:
        """The books since `(then, truth.at(then))`."""
        return Span(now - earlier[0], _difference(self.at(now), earlier[1]), self.demand, self.scale)

    def hours(self) -> list[Span]:
        """From mark to mark, so hour by hour: as a plot wants them."""
        return [self.span(start, end) for start, end in pairwise(self.marks)]

    def _marked(self, at_s: float) -> Mapping[str, float]:
        try:
            return self.marks[round(at_s, 3)]
        except KeyError:
            raise ValueError(f"{at_s} s is neither a full hour nor the end of a run") from None


def _difference(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {name: total - before.get(name, 0.0) for name, total in sorted(after.items())}
