"""What is kept of a look-back's sixth: sums by key, and a few names that a person can look up."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from meta_orchestrator.core.analysis.antipatterns.shared.excess import Tally

TASKS = 10
"""Tasks that are named for one mark."""
MARKS = 40
"""Marks of a page; hits beyond are counted, not named."""


class Mark(NamedTuple):
    """Who takes part in some hits."""

    key: str
    agents: tuple[str, ...]
    first_us: int
    """When they did first."""
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
    marks: dict[str, Mark] = field(default_factory=dict)
    named: dict[str, int] = field(default_factory=dict)
    """Task → its hits in all marks."""

    def add(self, key: str, expected: float, hits: float) -> None:
        sums = self.tallies.get(key)
        if sums is None:
            self.tallies[key] = [hits, expected]
        else:
            sums[0] += hits
            sums[1] += expected

    def mark(self, time_us: int, key: str, agents: tuple[str, ...], task: str) -> None:
        """Name who took part in a hit."""
        name = "\n".join((key, *agents))
        mark = self.marks.get(name)
        if mark is None:
            if len(self.marks) == MARKS:
                return
            mark = self.marks[name] = Mark(key, agents, time_us, {})
        if task in mark.tasks or len(mark.tasks) < TASKS:
            mark.tasks[task] = mark.tasks.get(task, 0) + 1
            self.named[task] = self.named.get(task, 0) + 1

    def dump(self) -> list[Any]:
        marks = [list(mark) for mark in self.marks.values()]
        return [self.index, self.chances, self.tallies, self.squares, self.base, marks]

    @classmethod
    def load(cls, dumped: list[Any]) -> "Page":
        index, chances, tallies, squares, base, marks = dumped
        page = cls(index, chances, tallies, squares, base)
        for key, agents, first_us, tasks in marks:
            page.marks["\n".join((key, *agents))] = Mark(key, tuple(agents), first_us, tasks)
            for task, hits in tasks.items():
                page.named[task] = page.named.get(task, 0) + hits
        return page


def summed(pages: Iterable[Page]) -> dict[str, Tally]:
    """Key → hits and structurally expected ones of some pages."""
    sums: dict[str, list[float]] = {}
    for page in pages:
        for key, (hits, expected) in page.tallies.items():
            total = sums.get(key)
            if total is None:
                sums[key] = [hits, expected]
            else:
                total[0] += hits
                total[1] += expected
    return {key: Tally(*total) for key, total in sums.items()}


def most(marks: Iterable[Mark]) -> list[str]:
    """Tasks by hits, most first."""
    times: dict[str, int] = {}
    for mark in marks:
        for task, hits in mark.tasks.items():
            times[task] = times.get(task, 0) + hits
    return sorted(times, key=lambda task: (-times[task], task))


def most_often(pages: Iterable[Page], shown: Callable[[tuple[str, ...]], str]) -> str:
    """The three who took part in most hits."""
    times: dict[str, int] = {}
    for page in pages:
        for mark in page.marks.values():
            name = shown(mark.agents)
            times[name] = times.get(name, 0) + mark.hits
    worst = sorted(times.items(), key=lambda item: (-item[1], item[0]))[:3]
    return ", ".join(f"{name}: {hits}" for name, hits in worst)
