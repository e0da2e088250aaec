"""How each agent has voted for about a day, as sums; small, and enough to compare agents."""

import math
from dataclasses import dataclass, field
from typing import Any

from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.collection.rounds import MILLION
from meta_orchestrator.core.moment import Moment

PLENTY = 500
"""Decided rounds that a half holds before it may become old: where votes are rare, a day holds too few."""
CLEARLY = 1.5
"""So many times the expected votes against, and a CUSUM for twice as many tells when they began."""
_TWICE = round(MILLION * math.log(2))
_MOST_ROUNDS = 3.0
"""Rounds an item that are believed to repeat each other at the most."""


@dataclass(slots=True)
class Habit:
    """One agent's votes in rounds with a majority, and those against it. `expected` and its variance are those of a
    permutation within each round, in millionths.
    """

    votes: int = 0
    against: int = 0
    expected_ppm: int = 0
    variance_ppm: int = 0

    @property
    def expected(self) -> float:
        return self.expected_ppm / MILLION

    @property
    def numbers(self) -> tuple[float, float, float, float]:
        """(votes, against, expected, variance)."""
        return self.votes, self.against, self.expected, self.variance_ppm / MILLION

    def add(self, votes: int, against: int, expected_ppm: int, variance_ppm: int) -> None:
        self.votes += votes
        self.against += against
        self.expected_ppm += expected_ppm
        self.variance_ppm += variance_ppm

    def packed(self) -> list[int]:
        return [self.votes, self.against, self.expected_ppm, self.variance_ppm]


@dataclass(slots=True)
class Half:
    """Votes of some time: by agent, and how many rounds were closed, were decided, and repeated an earlier one."""

    start_us: int = 0
    closed: int = 0
    decided: int = 0
    repeated: int = 0
    habits: dict[str, Habit] = field(default_factory=dict)

    def dump(self) -> list[Any]:
        habits = {name: habit.packed() for name, habit in self.habits.items()}
        return [self.start_us, self.closed, self.decided, self.repeated, habits]

    @classmethod
    def load(cls, dumped: list[Any]) -> "Half":
        start_us, closed, decided, repeated, habits = dumped
        return cls(start_us, closed, decided, repeated, {name: Habit(*packed) for name, packed in habits.items()})


class Ballots:
    """Two halves; the older one is dropped when the newer one has lasted half of the history and holds enough."""

    def __init__(self, history_us: int) -> None:
        self.history_us = history_us
        self.old, self.new = Half(), Half()
        self.latest: dict[str, Habit] = {}
        """The votes of this tick."""
        self.heard = 0
        """Votes ever."""
        self.last_us = 0
        """When somebody voted last."""
        self._rise: dict[str, tuple[int, int]] = {}
        """Agent → (CUSUM for twice as many votes against as expected, in millionths of a nat; where it last was 0)."""

    def read(self, moment: Moment) -> None:
        """The votes of the slots that closed at this tick."""
        self.latest = {}
        history, tick_us = moment.history, moment.tick_us
        if history.ticks[-1:] != [tick_us] or not history.rows[-1, INDEX["votes"]]:
            return
        if tick_us - self.new.start_us >= self.history_us // 2 and self.new.decided >= PLENTY:
            self.turn(tick_us)
        row, new, since_us = history.rows[-1], self.new, tick_us - moment.policy.time.tick_us
        new.start_us = new.start_us or since_us
        new.closed += int(row[INDEX["rounds_closed"]])
        new.decided += int(row[INDEX["rounds_decided"]])
        new.repeated += int(row[INDEX["rounds_repeated"]])
        self.last_us = tick_us
        for slot in moment.window.slots:
            if slot.end_us > since_us:
                for name, sums in slot.agents.items():
                    if sums.sided:
                        numbers = sums.sided, sums.minority, sums.minority_expected, sums.minority_variance
                        self._add(name, numbers, slot.end_us)

    def turn(self, tick_us: int) -> None:
        """What was new is old, what was old is forgotten."""
        self.old, self.new = self.new, Half(tick_us)
        known = self.old.habits
        self._rise = {name: rise for name, rise in self._rise.items() if name in known}

    def forget(self, agent: str) -> None:
        """It begins anew: what it did before was found, and is over."""
        self.old.habits.pop(agent, None)
        self.new.habits.pop(agent, None)
        self._rise.pop(agent, None)

    def all(self) -> dict[str, Habit]:
        """Both halves together."""
        total: dict[str, Habit] = {}
        for half in (self.old, self.new):
            for name, habit in half.habits.items():
                total.setdefault(name, Habit()).add(*habit.packed())
        return total

    def knows(self, agent: str) -> bool:
        return agent in self.old.habits or agent in self.new.habits

    def since_us(self, agent: str, habit: Habit) -> int:
        """The likeliest beginning of more votes against (Page 1954); of only a little more all that is known."""
        if habit.against < CLEARLY * habit.expected:
            return self.old.start_us or self.new.start_us
        return self._rise[agent][1]

    @property
    def rounds_an_item(self) -> float:
        """Votes on an item that comes again are no news about an agent: so many count as one."""
        closed = self.old.closed + self.new.closed
        items = closed - self.old.repeated - self.new.repeated
        return min(max(1.0, closed / max(items, 1)), _MOST_ROUNDS)

    def _add(self, name: str, numbers: tuple[int, int, int, int], end_us: int) -> None:
        for habits in (self.latest, self.new.habits):
            habit = habits.get(name)
            if habit is None:
                habits[name] = Habit(*numbers)
            else:
                habit.add(*numbers)
        self.heard += numbers[0]
        level, since_us = self._rise.get(name, (0, end_us))
        level = max(0, level + numbers[1] * _TWICE - numbers[2])
        self._rise[name] = (level, since_us if level else end_us)

    def dump(self) -> dict[str, Any]:
        rise = [[name, *rise] for name, rise in self._rise.items()]
        return {
            "halves": [self.old.dump(), self.new.dump()],
            "heard": self.heard,
            "last_us": self.last_us,
            "rise": rise,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        self.old, self.new = (Half.load(half) for half in dumped["halves"])
        self.heard, self.last_us = dumped["heard"], dumped["last_us"]
        self._rise = {name: (level, since_us) for name, level, since_us in dumped["rise"]}
