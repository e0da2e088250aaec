"""What is kept of a look-back's sixth: sums by key, and a few names that a person can look up."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

TASKS = 10
"""Tasks that are named for one mark."""
MARKS = 40
"""Marks of a page; hits beyond are counted, not named."""


class Mark(NamedTuple):
    """Who takes part in some hits."""

    key: str
    agents: tuple[str, ...]
    tasks: dict[str, int]
    """Task → its hits."""

    @property
    def hits(self) -> int:
        return sum(self.tasks.values())


@dataclass(slots=True)
class Page:
    """`tallies`: key → [hits, structurally expected hits]; `squares` over `base` is how much hits scatter by task."""

    index: int
    chances: float = 0.0
    """Occasions on which it may happen."""
    tallies: dict[str, list[float]] = field(default_factory=dict)
    squares: float = 0.0
    base: float = 0.0
    first_us: int | None = None
    """The first hit."""
    marks: dict[str, Mark] = field(default_factory=dict)

    def add(self, key: str, expected: float, hits: float) -> None:
        sums = self.tallies.get(key)
        if sums is None:
            self.tallies[key] = [hits, expected]
        else:
            sums[0] += hits
            sums[1] += expected

    def mark(self, time_us: int, key: str, agents: tuple[str, ...], task: str) -> None:
        """Name who took part in a hit."""
        if self.first_us is None or time_us < self.first_us:
            self.first_us = time_us
        name = "\n".join((key, *agents))
        mark = self.marks.get(name)
        if mark is None:
            if len(self.marks) == MARKS:
                return
            mark = self.marks[name] = Mark(key, agents, {})
        if task in mark.tasks or len(mark.tasks) < TASKS:
            mark.tasks[task] = mark.tasks.get(task, 0) + 1

    def dump(self) -> list[Any]:
        marks = [list(mark) for mark in self.marks.values()]
        return [self.index, self.chances, self.tallies, self.squares, self.base, self.first_us, marks]

    @classmethod
    def load(cls, dumped: list[Any]) -> "Page":
        index, chances, tallies, squares, base, first_us, marks = dumped
        page = cls(index, chances, tallies, squares, base, first_us)
        for key, agents, tasks in marks:
            page.marks["\n".join((key, *agents))] = Mark(key, tuple(agents), tasks)
        return page
