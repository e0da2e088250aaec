"""What left the window: how often the thing happened for each key, and how its hits scatter."""

from collections.abc import Iterable
from typing import Any

from meta_orchestrator.core.analysis.antipatterns.shared.excess import NOTHING, Excess, Habits, Tally, excess_of
from meta_orchestrator.core.analysis.antipatterns.shared.page import Page

KEYS = 1_000
"""Habits that are remembered apart; beyond, all are halved and the small ones forgotten."""
DIGITS = 4
"""Decimals of sums that are kept: what is stored stays small."""

EVERYBODY = ""

_PLENTY = 200.0
"""Expected hits after which the older ones count half: the first ones knew little of what to expect."""


class Past:
    """Sums of pages."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        """Key → hits and structurally expected ones."""
        self.chances = 0.0
        self._squares = self._base = 0.0

    def dispersion(self, believed: float, hits: float) -> float:
        """Variance over mean of hits: what was seen of it, beside what is believed for so many hits."""
        return (self._squares + believed * hits) / (self._base + hits)

    def at_all(self, now: Tally, believed: Tally, dispersion: float) -> Excess:
        """Hits of now in so many chances, against those in all chances of the past, whoever took part."""
        hits = sum(tally.hits for tally in self.tallies.values())
        past = {EVERYBODY: Tally(hits, self.chances)}
        return excess_of({EVERYBODY: now}, Habits(past, believed, dispersion))

    def learn(self, pages: Iterable[Page]) -> None:
        """Pages more; of the keys those are kept for which there is room, and of which most is known."""
        for page in pages:
            self._learn(page)
        if len(self.tallies) > KEYS:
            halves = {key: Tally(old.hits / 2, old.expected / 2) for key, old in self.tallies.items()}
            self.tallies = dict(sorted(halves.items(), key=lambda item: (-item[1].expected, item[0]))[: KEYS // 2])
            self.chances /= 2

    def _learn(self, page: Page) -> None:
        for key, (hits, expected) in page.tallies.items():
            old = self.tallies.get(key, NOTHING)
            self.tallies[key] = Tally(round(old.hits + hits, DIGITS), round(old.expected + expected, DIGITS))
        self.chances += page.chances
        self._squares, self._base = self._squares + page.squares, self._base + page.base
        if self._base > _PLENTY:
            self._squares, self._base = self._squares / 2, self._base / 2

    def dump(self) -> dict[str, Any]:
        return {
            "past": {key: list(old) for key, old in self.tallies.items()},
            "sums": [self.chances, self._squares, self._base],
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> "Past":
        past = cls()
        past.tallies = {key: Tally(*old) for key, old in dumped["past"].items()}
        past.chances, past._squares, past._base = dumped["sums"]
        return past
