"""Is there more of something than the project's own past explains?

A chance is an occasion on which the thing may happen; its structural expectation comes from a simple null model (who
hands on to whom, how many items there are). Projects have habits beyond it: an author and a reviewer return work to
one another by nature. So for each key (a pair of agents, a criticality) the past says how often it happened for each
time that the null model expected it, as a Gamma rate that is shrunk to the project's own. The count in a window is
then negative binomial: the uncertainty of the past is part of the test, so a short past cannot make the present look
guilty.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from meta_orchestrator.core.analysis.antipatterns.shared.tails import upper_tail

KEY_HITS = 1.0
"""The project's habit counts for a key as much as this many hits of its own."""

_LEAST_FACTOR = 1.5

_ENOUGH = 5.0
"""Expected hits from which a dispersion is believed."""


class Chance(NamedTuple):
    time_us: int
    cluster: str
    """The task or item that it belongs to: what happens within one is not independent."""
    key: str
    expected: float
    """Hits under the structural null."""
    hits: int
    subject: tuple[str, ...]
    """Who is to be named if there are too many."""


class Tally(NamedTuple):
    hits: float
    expected: float


NOTHING = Tally(0, 0)


@dataclass(frozen=True)
class Habits:
    """What a past says: rates of hits per expected hit, by key, and how much they scatter."""

    past: Mapping[str, Tally]
    prior: Tally
    """What is believed of a project without a past: `hits` in `expected`."""
    dispersion: float = 1.0
    """Variance per expected hit; 1 where hits come independently."""

    @cached_property
    def project(self) -> Tally:
        """All keys together, the prior included."""
        hits = self.prior.hits + sum(tally.hits for tally in self.past.values())
        return Tally(hits, self.prior.expected + sum(tally.expected for tally in self.past.values()))

    @cached_property
    def level(self) -> float:
        """The project's habit: hits for each structurally expected one."""
        return self.project.hits / self.project.expected

    def own(self, key: str) -> Tally:
        return self.past.get(key, NOTHING)

    @cached_property
    def weight(self) -> float:
        """What the project's habit counts for a key, in expected hits."""
        return KEY_HITS / self.level

    def rate(self, key: str) -> float:
        """The habit of a key."""
        own = self.own(key)
        return (KEY_HITS + own.hits) / (self.weight + own.expected)

    def scattered(self, dispersion: float) -> "Habits":
        return Habits(self.past, self.prior, dispersion)


@dataclass(frozen=True)
class Excess:
    """Observed against expected hits of a window."""

    observed: int
    expected: float
    variance: float

    @property
    def p_value(self) -> float:
        return upper_tail(self.observed, self.expected, self.variance)

    @property
    def share(self) -> float:
        """The part of what was observed that the past does not explain, 0..1."""
        return max(0.0, 1 - self.expected / self.observed) if self.observed else 0.0

    def without(self, observed: int, expected: float) -> "Excess":
        """The rest, with the variance in proportion."""
        rest = max(0.0, self.expected - expected)
        return Excess(self.observed - observed, rest, self.variance * rest / self.expected if self.expected else 0.0)


def tally(chances: Iterable[Chance]) -> dict[str, Tally]:
    """Sums by key."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for chance in chances:
        sums[chance.key][0] += chance.hits
        sums[chance.key][1] += chance.expected
    return {key: Tally(*pair) for key, pair in sums.items()}


def added(one: Mapping[str, Tally], other: Mapping[str, Tally]) -> dict[str, Tally]:
    """Both pasts as one."""
    total = dict(one)
    for key, more in other.items():
        old = total.get(key, NOTHING)
        total[key] = Tally(old.hits + more.hits, old.expected + more.expected)
    return total


def excess(window: Iterable[Chance], habits: Habits) -> Excess:
    """The window against the habits."""
    return excess_of(tally(window), habits)


def excess_of(window: Mapping[str, Tally], habits: Habits) -> Excess:
    """Sums by key against the habits: sum of Gamma-Poisson counts, matched by mean and variance."""
    observed = expected = doubt = shared = 0.0
    past, project_weight = habits.past, habits.weight
    for key, now in window.items():
        own = past.get(key, NOTHING)
        weight = project_weight + own.expected
        rate = (KEY_HITS + own.hits) / weight
        observed += now.hits
        expected += now.expected * rate
        doubt += now.expected**2 * rate / weight  # of the key's own rate
        shared += now.expected * project_weight / weight
    doubt += shared**2 * habits.level / habits.project.expected  # of the project's
    return Excess(round(observed), expected, habits.dispersion * expected + doubt)


def dispersion(chances: Iterable[Chance], habits: Habits, otherwise: float) -> float:
    """Variance of hits by cluster, over their expectation; `otherwise` where too little was expected to tell."""
    clusters: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for chance in chances:
        clusters[chance.cluster][0] += chance.hits
        clusters[chance.cluster][1] += chance.expected * habits.rate(chance.key)
    total = sum(expected for _, expected in clusters.values())
    squares = sum((hits - expected) ** 2 for hits, expected in clusters.values())
    return max(1.0, squares / total) if total >= _ENOUGH else otherwise


def culprits(window: Iterable[Chance], habits: Habits, found: Excess, level: float, most: int) -> list[tuple[str, ...]]:
    """The fewest subjects without whom the rest of the window is unremarkable (p > `level`), worst first."""
    sums: dict[tuple[str, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for chance in window:
        sums[chance.subject][0] += chance.hits
        sums[chance.subject][1] += chance.expected * habits.rate(chance.key)
    named: list[tuple[str, ...]] = []
    for subject, (hits, expected) in sorted(sums.items(), key=lambda item: (item[1][1] - item[1][0], item[0])):
        if len(named) == most or (named and found.p_value > level) or hits <= expected:
            break
        named.append(subject)
        found = found.without(round(hits), expected)
    return named


def began_us(window: Iterable[Chance], habits: Habits, found: Excess) -> int:
    """The first hit after the likeliest change point: the lowest sum of log-likelihood ratios of so much more."""
    factor = max(_LEAST_FACTOR, found.observed / found.expected if found.expected else _LEAST_FACTOR)
    level, lowest, since_us = 0.0, 0.0, None
    for chance in window:
        if chance.hits and since_us is None:
            since_us = chance.time_us
        level += chance.hits * math.log(factor) - chance.expected * habits.rate(chance.key) * (factor - 1)
        if level < lowest:
            lowest, since_us = level, None
    return since_us or 0
