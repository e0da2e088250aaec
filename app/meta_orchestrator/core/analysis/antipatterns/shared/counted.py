"""The common part of antipatterns that are "more of it than the project's own past explains", counted as sums.

A look compares the last `analysis.lookback_s` (longer where events are rare, up to `time.history_s`) with everything
before, at `analysis.alpha` over a look-back: there are `LOOKS` looks in one, each at its share. That others do now
what always was done is no finding. Cleared when the last `analysis.clear_after_s` alone would not raise suspicion (p >
`QUIET`) and it shows that it has stopped: few chances without a hit are no evidence of absence. Chances are added to
pages, sums of a sixth of a look-back. A page that leaves the window becomes habit, unless something was wrong then.
"""

import math
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_AGENTS, NAMED_TASKS, Detector, cleared
from meta_orchestrator.core.analysis.antipatterns.shared.culprits import culprits
from meta_orchestrator.core.analysis.antipatterns.shared.excess import Excess, Habits, Tally, excess_of
from meta_orchestrator.core.analysis.antipatterns.shared.merged import merged
from meta_orchestrator.core.analysis.antipatterns.shared.page import Page, most, most_often, summed
from meta_orchestrator.core.analysis.antipatterns.shared.past import Past
from meta_orchestrator.core.analysis.antipatterns.shared.turning import LEAST_FACTOR, began_us, has_stopped
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import Antipattern, Evidence
from meta_orchestrator.policy import Policy

LOOKS = 6
PLENTY = 3
"""A look-back is made longer until it holds so many times `min_events`: in a short one a fault is soon past."""
QUIET = 0.1
USUAL = 0.5
"""No more than habits let expect."""
_LEAST_HITS = 2


class Counted(Detector):
    """Pages, habits, looks, and the state from found to cleared. Subclasses add chances and hits."""

    prior: ClassVar[Tally] = Tally(1, 1)
    """What is believed of a project without a past: hits in structurally expected ones."""
    needs_past: ClassVar[bool] = True
    """Whether nothing is said before there are `min_events` of the past: what is custom in a team is not known."""
    known_from: ClassVar[float] = math.inf
    """Structurally expected hits in the past of a key from which it is judged alone, too."""
    turn: ClassVar[int] = 0
    """Ticks by which it begins to look later than others: each look takes time, so they take turns."""
    scatter: ClassVar[float] = 1.0
    """Variance over mean of hits by task, while the past cannot tell."""
    scatter_hits: ClassVar[float] = 5.0
    """Hits for which that counts beside what was seen: it takes many to know a variance."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        analysis = policy.analysis
        self.page_us = max(1, round(analysis.lookback_s * SECOND) // LOOKS)
        self.clear_us = round(analysis.clear_after_s * SECOND)
        self.hold_us = max(self.clear_us, LOOKS * self.page_us)
        """How long a hard limit that was met counts: where one is met again and again that is one finding."""
        self._level = analysis.alpha / LOOKS
        self.pages: deque[Page] = deque()
        """Of the window, oldest first; none is empty."""
        self.past = Past()
        self._habits: Habits | None = None
        self._next_us = self._looked_us = 0
        self.urgent = False
        """A hard limit was met at this tick."""
        self._ill: list[tuple[int, int | None]] = []
        """From when to when the last findings lasted: no part of the past that others are compared with."""
        self._found: tuple[float, list[str]] = 1.0, []
        """How many times the expected hits were found last, and whose keys these were; none are all keys."""

    def shown(self, agents: tuple[str, ...]) -> str:
        """Who takes part in a hit, as a person reads it."""
        return ", ".join(agents)

    @property
    def beginning(self) -> Tally:
        """What is believed before the past is counted."""
        return self.prior

    def spread(self, habits: Habits) -> float:
        """Variance over mean of hits: what was seen of it, beside what is believed of the kind."""
        return self.past.dispersion(self.scatter, self.scatter_hits)

    # ---- counting ----

    def page(self, time_us: int) -> Page:
        """The page of a time; what comes a little out of order falls into the last one."""
        index = time_us // self.page_us
        if not self.pages or self.pages[-1].index < index:
            self.pages.append(Page(index))
        return self.pages[-1]

    @property
    def chances(self) -> float:
        """In the window."""
        return sum(page.chances for page in self.pages)

    @property
    def is_known(self) -> bool:
        """Is there a past? Without one custom and fault cannot be told apart."""
        return self.past.chances >= self.policy.analysis.min_events

    @property
    def usual(self) -> float:
        """Hits for each chance in the past, whoever took part."""
        return min(1.0, self.habits.project.hits / max(1.0, self.past.chances))

    @property
    def habits(self) -> Habits:
        """What the past says."""
        if self._habits is None:
            habits = Habits(self.past.tallies, self.beginning)
            self._habits = habits.scattered(max(1.0, self.spread(habits)))
        return self._habits

    def excess(self, now: Mapping[str, Tally], chances: float) -> Excess:
        """What habits do not explain of these sums; nothing if it is no more of the chances than ever (p > `QUIET`):
        who works with whom changes over the months, and of newcomers habits know little.
        """
        by_habit = excess_of(now, self.habits)
        at_all = self.past.at_all(Tally(by_habit.observed, chances), self.beginning, self.habits.dispersion)
        return at_all if at_all.p_value > max(QUIET, by_habit.p_value) else by_habit

    def sums(self, pages: Iterable[Page]) -> dict[str, Tally]:
        """Key → hits and structurally expected ones of some pages."""
        return summed(pages)

    def is_ill(self, start_us: int, end_us: int) -> bool:
        """Was it going on at some time between?"""
        return any(begin < end_us and (end is None or start_us < end) for begin, end in self._ill)

    # ---- looking ----

    def judge(self, tick_us: int) -> list[Antipattern]:
        scheduled, urgent, self.urgent = tick_us >= self._next_us, self.urgent, False
        if not urgent and not (scheduled and (self.active or self._is_news())):
            return []
        found = None
        if scheduled:
            self._turn(tick_us)
            delay_us = 0 if self._looked_us else self.turn * self.policy.time.tick_us
            self._looked_us = tick_us
            self._next_us = delay_us + tick_us + max(self.page_us, self._length_us(tick_us) // LOOKS)
            found = self._test(tick_us)
        beyond = self.over_limit(tick_us)
        if self.active and scheduled and not beyond and self._is_over(found, tick_us):
            return self._end(self.active, tick_us)
        found = merged(found, beyond)
        return self._go_on(found, tick_us) if found else []

    def over_limit(self, tick_us: int) -> Antipattern | None:
        """A finding by a hard limit alone, where the kind has one."""
        return None

    def _is_news(self) -> bool:
        """Has anything come since the last look?"""
        return bool(self.pages) and (self.pages[-1].index + 1) * self.page_us > self._looked_us

    @property
    def next_look_us(self) -> int | None:
        return self._next_us if self.active else None

    def _turn(self, tick_us: int) -> None:
        """Pages leave the window: too old, or older than a look-back and not needed to have enough in it."""
        wanted = PLENTY * self.policy.analysis.min_events
        inside, newest = 0.0, deque[Page]()
        while self.pages and self._is_inside(self.pages[-1], tick_us, inside < wanted):
            newest.appendleft(self.pages.pop())
            inside += newest[0].chances
        leaving, self.pages = self.pages, newest
        self.learn([page for page in leaving if not self._was_ill(page)])

    def _is_inside(self, page: Page, tick_us: int, wanted: bool) -> bool:
        begin_us, end_us = page.index * self.page_us, (page.index + 1) * self.page_us
        if self._ill and not self.active and begin_us < (self._ill[-1][1] or 0):
            return False
        if end_us <= tick_us - self.policy.time.history_us:
            return False
        return wanted or end_us > tick_us - LOOKS * self.page_us

    def _was_ill(self, page: Page) -> bool:
        return self.is_ill(page.index * self.page_us, (page.index + 1) * self.page_us)

    def _length_us(self, tick_us: int) -> int:
        return tick_us - self.pages[0].index * self.page_us if self.pages else LOOKS * self.page_us

    def _test(self, tick_us: int) -> Antipattern | None:
        if self.chances < self.policy.analysis.min_events or (self.needs_past and not self.is_known):
            return None
        now = self.sums(self.pages)
        found, keys, own = self._surprise(now)
        if not keys:
            return None
        self._found = found.observed / found.expected if found.expected else LEAST_FACTOR, own
        marks = [mark for page in self.pages for mark in page.marks.values() if mark.key in keys]
        tasks = most(marks)
        return Antipattern(
            kind=self.kind,
            agents=sorted({agent for mark in marks for agent in mark.agents})[:NAMED_AGENTS],
            tasks=tasks[:NAMED_TASKS],
            since=format_time_us(self._began_us(keys)),
            severity=found.share,
            evidence=self._numbers(found, tick_us) | self.details() | {"tasks": len(tasks)},
        )

    def _surprise(self, now: Mapping[str, Tally]) -> tuple[Excess, list[str], list[str]]:
        """What is too much, whose it is, and the keys it was found in if not in all: first all of them together, then
        each alone that is known; they share the level."""
        found = self.excess(now, self.chances)
        known = {key: tally for key, tally in now.items() if self.habits.own(key).expected >= self.known_from}
        level = self._level / 2 if known else self._level
        if found.observed >= _LEAST_HITS and found.p_value <= level:
            return found, culprits(now, found, self.habits, QUIET, NAMED_AGENTS), []
        level /= max(1, len(known))
        guilty = {key: tally for key, tally in known.items() if self._is_guilty(key, tally, level)}
        return excess_of(guilty, self.habits), sorted(guilty), sorted(guilty)

    def _is_guilty(self, key: str, tally: Tally, level: float) -> bool:
        if tally.hits < _LEAST_HITS or tally.hits <= tally.expected * self.habits.rate(key):
            return False
        return excess_of({key: tally}, self.habits).p_value <= level

    def _numbers(self, found: Excess, tick_us: int) -> Evidence:
        return {
            "observed": found.observed,
            "expected": found.expected,
            "p_value": found.p_value,
            "lookback_s": self._length_us(tick_us) / SECOND,
        }

    def details(self) -> Evidence:
        """Numbers of its own that a person can check."""
        return {"chances": round(self.chances), "most_often": most_often(self.pages, self.shown)}

    def _began_us(self, keys: Sequence[str]) -> int:
        since_us = began_us(self.pages, self.habits, self._found[0], keys)
        return since_us if since_us is not None else self.pages[-1].index * self.page_us

    # ---- from found to cleared ----

    def _end(self, over: Antipattern, tick_us: int) -> list[Antipattern]:
        self.active = None
        self._ill[-1] = (self._ill[-1][0], tick_us)
        return [cleared(over)]

    def _go_on(self, found: Antipattern, tick_us: int) -> list[Antipattern]:
        if self.active:
            self.active = found.model_copy(update={"since": self.active.since})
            return []
        self.active = found
        start_us = self.pages[0].index * self.page_us if self.pages else tick_us
        self._ill = [times for times in self._ill if (times[1] or 0) > start_us] + [(start_us, None)]
        return [found]

    def _is_over(self, found: Antipattern | None, tick_us: int) -> bool:
        """Would the last while alone raise no suspicion, and does it show that it has stopped? If nothing at all has
        happened in it, it is over, too."""
        while_us = self.clear_us * max(1.0, self._length_us(tick_us) / (LOOKS * self.page_us))
        recent = [page for page in self.pages if (page.index + 1) * self.page_us > tick_us - while_us]
        if found or not recent:
            return not recent
        return self._p_value(recent) > QUIET and (self._has_stopped() or self._p_value(self.pages) > USUAL)

    def _p_value(self, pages: Collection[Page]) -> float:
        return self.excess(self.sums(pages), sum(page.chances for page in pages)).p_value

    def _has_stopped(self) -> bool:
        return has_stopped((self.sums([page]) for page in self.pages), self.habits, *self._found)

    # ---- the past ----

    def learn(self, leaving: Sequence[Page]) -> None:
        """Pages leave the window: they become habit."""
        if leaving:
            self.past.learn(leaving)
            self._habits = None

    def dump(self) -> dict[str, Any]:
        return super().dump() | {
            "pages": [page.dump() for page in self.pages],
            **self.past.dump(),
            "times": [self._next_us, self._looked_us],
            "ill": [list(times) for times in self._ill],
            "found": self._found,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        self.pages = deque(map(Page.load, dumped["pages"]))
        self.past = Past.load(dumped)
        self._next_us, self._looked_us = dumped["times"]
        self._ill = [(start, end) for start, end in dumped["ill"]]
        factor, keys = dumped["found"]
        self._found = factor, keys
        self._habits = None
