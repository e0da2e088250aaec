"""The common part of antipatterns that are "more of it than the project's own past explains".

A look compares the last `analysis.lookback_s` (longer where events are rare, up to `time.history_s`) with everything
before, at `analysis.alpha` over a look-back: there are `LOOKS` looks in one, each at its share. Cleared when the last
`analysis.clear_after_s` alone would not raise suspicion (p > `QUIET`), so it takes much more to be found than to
stay.
"""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, Generic, TypeVar

from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_AGENTS, NAMED_TASKS, Detector, cleared
from meta_orchestrator.core.analysis.antipatterns.shared.counted import LOOKS, PLENTY, QUIET
from meta_orchestrator.core.analysis.antipatterns.shared.excess import (
    Chance,
    Excess,
    Habits,
    Tally,
    added,
    began_us,
    culprits,
    dispersion,
    excess,
    tally,
)
from meta_orchestrator.core.analysis.antipatterns.shared.log import Log, Timed
from meta_orchestrator.core.analysis.antipatterns.shared.merged import merged
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import Antipattern, Evidence
from meta_orchestrator.policy import Policy

KEYS = 2_000
"""Habits that are remembered apart; beyond, all are halved and the small ones forgotten."""

R = TypeVar("R", bound=Timed)
N = TypeVar("N")


@dataclass(frozen=True)
class Look(Generic[R]):
    """What one look-back is and what it is compared with."""

    window: Sequence[R]
    chances: Sequence[Chance]
    past: int
    """Events of its kind before the window."""
    habits: Habits
    start_us: int
    recent_us: int
    """Start of the last while, which decides on clearing; longer where the look-back is."""
    tick_us: int

    @property
    def length_us(self) -> int:
        return self.tick_us - self.start_us


class Unusual(Detector, Generic[R, N]):
    """Looks, habits, and the state from found to cleared. Subclasses say what a chance is."""

    prior: ClassVar[Tally] = Tally(1, 1)
    needs_past: ClassVar[bool] = True
    """Whether nothing can be said before there are `min_events` of the past: what is custom in a team is not known."""

    def __init__(self, policy: Policy, log: Log[R]) -> None:
        super().__init__(policy)
        self.log = log
        self.log.learners.insert(0, self._learn)
        analysis = policy.analysis
        self._lookback_us = round(analysis.lookback_s * SECOND)
        self._clear_us = round(analysis.clear_after_s * SECOND)
        self._level = analysis.alpha / LOOKS
        self._past: dict[str, Tally] = {}
        """Habits from the records that left the log."""
        self._learnt = 0
        """How many of them counted."""
        self._next_us = 0
        self._looked_us = 0
        self._urgent = False
        """A hard limit was met since the last look."""
        self._ill: list[tuple[int, int | None]] = []
        """From when to when findings lasted: no part of the past that others are compared with."""

    @abstractmethod
    def counts(self, record: R) -> bool:
        """Is it one of the `min_events` that a look needs?"""

    @abstractmethod
    def null(self, past: Sequence[R], window: Sequence[R]) -> N:
        """The structural null, as the past teaches it."""

    @abstractmethod
    def chances(self, records: Iterable[R], null: N) -> list[Chance]:
        """The chances in some records."""

    @abstractmethod
    def evidence(self, look: Look[R]) -> Evidence:
        """Numbers of its own that a person can check."""

    @abstractmethod
    def over_limit(self, look: Look[R]) -> Antipattern | None:
        """A finding by the hard limit alone."""

    def default_habits(self, look_past: Sequence[Chance]) -> Habits:
        """What is believed before the project's own past is counted."""
        return Habits({}, self.prior)

    # ---- the verbs -----------------------------------------------------------------------------------------------

    def judge(self, tick_us: int) -> list[Antipattern]:
        self.log.turn()
        scheduled = tick_us >= self._next_us
        if not (scheduled or self._urgent) or not (self.active or self._is_news()):
            return []
        look = self._look(tick_us)
        found = (self._test(look) if scheduled else None), self.over_limit(look)
        if scheduled:
            self._next_us = tick_us + look.length_us // LOOKS
            self._looked_us = tick_us
        self._urgent = False
        return self._settle(look, merged(*found), scheduled)

    def _is_news(self) -> bool:
        """Has anything come since the last look? What comes to a tick is not older than the tick before."""
        return bool(self.log.records) and self.log.records[-1].time_us >= self._looked_us

    @property
    def next_look_us(self) -> int | None:
        return self._next_us if self.active else None

    def is_ill(self, time_us: int) -> bool:
        """Was it going on then?"""
        return any(start <= time_us and (end is None or time_us <= end) for start, end in self._ill)

    # ---- one look ------------------------------------------------------------------------------------------------

    def _look(self, tick_us: int) -> Look[R]:
        start_us = self._start_us(tick_us)
        window = [record for record in self.log.records if record.time_us > start_us]
        past = [record for record in self.log.records if record.time_us <= start_us and not self.is_ill(record.time_us)]
        null = self.null(past, window)
        length_us = self._clear_us * max(1, (tick_us - start_us) / self._lookback_us)
        return Look(
            window=window,
            chances=self.chances(window, null),
            past=sum(map(self.counts, past)) + self._learnt,
            habits=self._habits(self.chances(past, null)),
            start_us=start_us,
            recent_us=tick_us - round(length_us),
            tick_us=tick_us,
        )

    def _start_us(self, tick_us: int) -> int:
        """Where the window begins: `lookback_s` ago, earlier while it holds too little; after the last finding."""
        records, most = self.log.records, self.log.capacity * 3 // 4
        wanted = PLENTY * self.policy.analysis.min_events
        enough = list(islice(filter(self.counts, reversed(records)), wanted))
        start_us = tick_us - self._lookback_us
        if len(enough) >= self.policy.analysis.min_events:
            start_us = min(start_us, enough[-1].time_us - 1)
        least_us = [tick_us - self.policy.time.history_us]
        if len(records) > most:
            least_us.append(records[-most].time_us)
        if self._ill and not self.active:
            least_us.append(self._ill[-1][1] or 0)
        return max(start_us, *least_us)

    def _habits(self, past: Sequence[Chance]) -> Habits:
        """What the log's past and the absorbed one say together."""
        default = self.default_habits(past)
        habits = Habits(added(self._past, tally(past)), default.prior)
        return habits.scattered(dispersion(past, habits, default.dispersion))

    def _test(self, look: Look[R]) -> Antipattern | None:
        """The statistical finding of a look."""
        least = self.policy.analysis.min_events
        if sum(map(self.counts, look.window)) < least or (self.needs_past and look.past < least):
            return None
        found = excess(look.chances, look.habits)
        if found.p_value > self._level or found.observed < 2:
            return None
        subjects = culprits(look.chances, look.habits, found, QUIET, NAMED_AGENTS)
        since_us = began_us(look.chances, look.habits, found)
        return self._finding(look, subjects, since_us, found.share, _numbers(found))

    def _finding(
        self, look: Look[R], subjects: Sequence[tuple[str, ...]], since_us: int, severity: float, numbers: Evidence
    ) -> Antipattern:
        hits = [chance for chance in look.chances if chance.hits and chance.subject in subjects]
        named = tally(chance._replace(key=chance.cluster) for chance in hits)
        tasks = sorted(named, key=lambda task: (-named[task].hits, task))[:NAMED_TASKS]
        return Antipattern(
            kind=self.kind,
            agents=self.agents(subjects, look),
            tasks=tasks,
            since=format_time_us(since_us),
            severity=severity,
            evidence=numbers | {"lookback_s": look.length_us / SECOND} | self.evidence(look),
        )

    def agents(self, subjects: Sequence[tuple[str, ...]], look: Look[R]) -> list[str]:
        """Whom a finding names."""
        return sorted({agent for subject in subjects for agent in subject})

    # ---- from found to cleared -----------------------------------------------------------------------------------

    def _settle(self, look: Look[R], found: Antipattern | None, scheduled: bool) -> list[Antipattern]:
        if found:
            return self._go_on(look, found)
        if self.active and scheduled and self._quiet(look):
            over, self.active = cleared(self.active), None
            self._ill[-1] = (self._ill[-1][0], look.tick_us)
            return [over]
        return []

    def _go_on(self, look: Look[R], found: Antipattern) -> list[Antipattern]:
        if self.active:
            self.active = found.model_copy(update={"since": self.active.since})
            return []
        self.active = found
        oldest_us = self.log.records[0].time_us if self.log.records else look.start_us
        self._ill = [times for times in self._ill if (times[1] or 0) >= oldest_us] + [(look.start_us, None)]
        return [found]

    def _quiet(self, look: Look[R]) -> bool:
        """Would the last while alone raise no suspicion?"""
        recent = [chance for chance in look.chances if chance.time_us > look.recent_us]
        return excess(recent, look.habits).p_value > QUIET

    # ---- the past ------------------------------------------------------------------------------------------------

    def _learn(self, leaving: Sequence[R]) -> None:
        """Records leave the log: they become habit, unless something was wrong then."""
        healthy = [record for record in self.log.records if not self.is_ill(record.time_us)]
        leaving = [record for record in leaving if not self.is_ill(record.time_us)]
        chances = self.chances(leaving, self.null(healthy, []))
        self._learnt += sum(map(self.counts, leaving))
        self._past = added(self._past, tally(chances))
        if len(self._past) > KEYS:
            halves = {key: Tally(old.hits / 2, old.expected / 2) for key, old in self._past.items()}
            self._past = dict(sorted(halves.items(), key=lambda item: (-item[1].expected, item[0]))[: KEYS // 2])

    def dump(self) -> dict[str, Any]:
        return super().dump() | {
            "past": {key: list(old) for key, old in self._past.items()},
            "learnt": self._learnt,
            "next_us": self._next_us,
            "looked_us": self._looked_us,
            "urgent": self._urgent,
            "ill": [list(times) for times in self._ill],
        }

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        self._past = {key: Tally(*old) for key, old in dumped["past"].items()}
        self._next_us, self._looked_us = dumped["next_us"], dumped["looked_us"]
        self._urgent, self._learnt = dumped["urgent"], dumped["learnt"]
        self._ill = [(start, end) for start, end in dumped["ill"]]


def _numbers(found: Excess) -> Evidence:
    return {"observed": found.observed, "expected": found.expected, "p_value": found.p_value}
