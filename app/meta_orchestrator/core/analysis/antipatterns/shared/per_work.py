"""The common part of antipatterns that are counted against the work that an agent does."""

from collections import Counter
from collections.abc import Iterable

from meta_orchestrator.core.analysis.antipatterns.shared.counted import Counted
from meta_orchestrator.core.analysis.antipatterns.shared.excess import NOTHING, Tally
from meta_orchestrator.core.analysis.antipatterns.shared.page import Page
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.policy import Policy

STARTED, FINISHED = "agent.task.started", "agent.task.finished"
OTHERS = "*"
"""The key of agents of whom no work is known; so that what they do has an expectation, too."""


class Work:
    """How often each agent has started or finished a task in the events of a tick; counted once for all who ask."""

    def __init__(self) -> None:
        self._tick_us: int | None = None
        self._counts: Counter[str] = Counter()

    def of(self, moment: Moment) -> Counter[str]:
        if moment.tick_us != self._tick_us:
            self._tick_us = moment.tick_us
            self._counts = Counter([event[4]["agent"] for event in moment.told.get(STARTED, ())])
            for finish, times in moment.finishes.items():
                self._counts[finish.agent] += times
        return self._counts


class PerWork(Counted):
    """A chance is a task that an agent starts or finishes; hits are counted by agent."""

    scatter = 2.0
    known_from = 50.0

    def __init__(self, policy: Policy, work: Work | None = None) -> None:
        super().__init__(policy)
        self.work = work or Work()

    def count_work(self, moment: Moment) -> None:
        """The chances of a tick."""
        counts = self.work.of(moment)
        if counts:
            page = self.page(moment.tick_us - 1)
            total = counts.total()
            page.chances += total
            page.add(OTHERS, total, 0)
            for agent, done in counts.items():
                page.add(agent, done, 0)

    def sums(self, pages: Iterable[Page]) -> dict[str, Tally]:
        """An agent's work in these pages, and at least its usual part of all: what happens now may be due to work
        that it began long before.
        """
        sums = super().sums(pages)
        past = self.past.tallies
        everybody, usual = sums.get(OTHERS, NOTHING).expected, past.get(OTHERS, NOTHING).expected or 1.0
        return {
            key: Tally(hits, max(expected, everybody * past[key].expected / usual if key in past else 0.0))
            for key, (hits, expected) in sums.items()
        }

    def hit(self, time_us: int, agent: str, agents: tuple[str, ...], task: str, size: int = 1) -> None:
        """It happened once more; to this task, as the size-th time. A count of clusters scatters by E[n²] / E[n]."""
        page = self.page(time_us)
        key = agent if agent in page.tallies or agent in self.past.tallies else OTHERS
        page.add(key, 0, 1)
        page.squares += 2 * size - 1
        page.base += 1
        page.mark(time_us, key, agents, task)
