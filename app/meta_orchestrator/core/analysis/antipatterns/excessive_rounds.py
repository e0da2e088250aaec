"""excessive_rounds: small changes are voted on again and again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_AGENTS, NAMED_TASKS
from meta_orchestrator.core.analysis.antipatterns.shared.counted import Counted
from meta_orchestrator.core.analysis.antipatterns.shared.excess import Habits, Tally
from meta_orchestrator.core.analysis.antipatterns.shared.page import Page, most
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SMALL, Value, format_time_us
from meta_orchestrator.messages.outputs import Antipattern, Evidence
from meta_orchestrator.policy import Policy

LIMIT = "consensus.max_rounds"
MOST = 10
"""Attempts beyond count as this many: what a sender counts must not widen the test without end."""
LONGEST = 100
"""Attempts beyond are told apart no more."""
ENOUGH = 1_000
"""Items of importance after which the older ones count half: those of now are the measure."""


class ExcessiveRounds(Counted):
    """Repeated rounds (attempt > 1) on minor and normal items, more than the project's own past explains.

    Consensus is a cost that small changes are not worth. Each such item is a chance; the null is as many repeated
    rounds an item as in the past, by criticality; without a past, as many as major and critical items need in the
    same time. Rounds of one item depend on each other, so their scatter by item (`attempt` counts them) widens the
    test. False alarms: at most `analysis.alpha` in a look-back (measured at .01 over the first six hours of 390 teams:
    .0064, most where each item needs 1.5 repeated rounds: .022). Cleared: see `counted`. Beside it stands a hard limit:
    of these items (at least `analysis.min_events`) more than half reached `consensus.max_rounds`.
    Severity: the share of the repeated rounds that the past does not explain; for the hard limit that of the items.
    `tasks` are the items; `agents` those who were eligible to vote on them.
    """

    kind = "excessive_rounds"
    types = ("consensus.round.opened",)
    needs_past = False
    scatter = 2.0  # geometric, one in two repeated

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self._large = (0.0, 0.0, 0.0)
        """Of items of importance: repeated rounds, first rounds, squares of the repeated rounds of each."""
        self._first: int | None = None
        """The first page ever."""
        self._attempts: dict[int, Counter[int]] = {}
        """Page of the window → attempt → rounds on small items."""
        self.configure({})

    def configure(self, config: Mapping[str, Value]) -> None:
        self.max_rounds = self.limit(config, LIMIT)

    # ---- counting ----

    def observe(self, event: Event) -> None:
        data = event[4]
        if data["criticality"] in SMALL:
            self._small_round(event[0], data)
        else:
            self._large_round(min(data["attempt"], MOST) - 1)

    def _large_round(self, again: int) -> None:
        """Items of importance say what is normal until the small ones have a past."""
        repeated, first, squares = self._large
        self._large = (repeated + 1, first, squares + 2 * again - 1) if again else (repeated, first + 1, squares)
        if first > ENOUGH:
            self._large = (repeated / 2, first / 2, squares / 2)
        self._habits = None

    def _small_round(self, time_us: int, data: Mapping[str, Any]) -> None:
        """A first round brings an item, a repeated one a hit; squares are those of an item's hits, as they grow."""
        page, key, again = self.page(time_us), data["criticality"], min(data["attempt"], MOST) - 1
        self._attempts.setdefault(page.index, Counter())[min(data["attempt"], LONGEST)] += 1
        self._first = page.index if self._first is None else self._first
        if not again:
            page.chances += 1
            page.add(key, 1, 0)
        else:
            page.add(key, 0, 1)
            page.squares += 2 * again - 1
            page.base += 1
            page.mark(time_us, key, tuple(sorted(data["eligible"])[:NAMED_AGENTS]), data["item"])

    @property
    def beginning(self) -> Tally:
        repeated, first, _ = self._large
        return Tally(repeated + 0.5, first + 1.0)

    def spread(self, habits: Habits) -> float:
        """Of the repeated rounds of an item: E[n²] / E[n], less E[n], as a round finds it that was repeated.

        Before it is seen it is that of the items of importance, and not less than if each round were repeated with the
        same chance.
        """
        hits = sum(own.hits for own in self.past.tallies.values())
        mean = sum(own.hits * habits.rate(key) for key, own in self.past.tallies.items()) / hits if hits else 0.0
        few, (repeated, first, squares) = self.scatter_hits, self._large
        residuals = squares - repeated**2 / max(1.0, first)
        believed = max(1 + habits.level, (residuals + self.scatter * few) / (repeated + few))
        return self.past.dispersion(believed + mean, self.scatter_hits) - mean

    def learn(self, leaving: Sequence[Page]) -> None:
        """All but the first page ever: what had begun before is not repeated in it, so it would seem too good."""
        super().learn([page for page in leaving if page.index != self._first])

    # ---- looking ----

    def over_limit(self, tick_us: int) -> Antipattern | None:
        items, limit, attempts = round(self.chances), self.max_rounds, self._in_window()
        if not limit or limit < 2 or items < self.policy.analysis.min_events:
            return None
        spent = max((rounds for attempt, rounds in attempts.items() if attempt >= min(limit, LONGEST)), default=0)
        if 2 * spent <= items:
            return None
        marks = [mark for page in self.pages for mark in page.marks.values()]
        return Antipattern(
            kind=self.kind,
            agents=sorted({agent for mark in marks for agent in mark.agents})[:NAMED_AGENTS],
            tasks=most(marks)[:NAMED_TASKS],
            since=format_time_us(min(mark.first_us for mark in marks)),
            severity=min(1.0, spent / items),
            evidence={"items_at_limit": spent, "items": items, "max_rounds": limit},
        )

    def _in_window(self) -> Counter[int]:
        """Attempt → rounds on small items; what left the window is forgotten."""
        inside = {page.index for page in self.pages}
        self._attempts = {index: attempts for index, attempts in self._attempts.items() if index in inside}
        return sum(self._attempts.values(), Counter())

    def details(self) -> Evidence:
        now = sorted(self.sums(self.pages).items())
        return {
            "items": round(self.chances),
            "most_rounds": max(self._in_window(), default=0),
            "repeated": ", ".join(f"{key}: {one.hits:.0f}" for key, one in now),
        }

    def dump(self) -> dict[str, Any]:
        attempts = [[index, *pair] for index, attempts in self._attempts.items() for pair in attempts.items()]
        return super().dump() | {"large": self._large, "first": self._first, "attempts": attempts}

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        repeated, first, squares = dumped["large"]
        self._large = (repeated, first, squares)
        self._first, self._attempts = dumped["first"], {}
        for index, attempt, rounds in dumped["attempts"]:
            self._attempts.setdefault(index, Counter())[attempt] = rounds
