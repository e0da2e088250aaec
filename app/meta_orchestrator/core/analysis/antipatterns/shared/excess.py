"""Is there more of something than the project's own past explains?

A chance is an occasion on which the thing may happen; its structural expectation comes from a simple null model (who
hands on to whom, how many items there are). Projects have habits beyond it: an author and a reviewer return work to
one another by nature. So for each key (a pair of agents, a criticality) the past says how often it happened for each
time that the null model expected it, as a Gamma rate that is shrunk to the project's own. The count in a window is
then negative binomial: the uncertainty of the past is part of the test, so a short past cannot make the present look
guilty.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from meta_orchestrator.core.analysis.antipatterns.shared.tails import upper_tail

KEY_HITS = 1.0
"""The project's habit counts for a key as much as this many hits of its own."""


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
    """Variance per expected hit, in the past as now; 1 where hits come independently."""

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
        return replace(self, dispersion=dispersion)


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


def excess_of(window: Mapping[str, Tally], habits: Habits) -> Excess:
    """Sums by key against the habits: sum of Gamma-Poisson counts, matched by mean and variance.

    Hits of the past came in clusters as those of now do, so what is known of a rate is as much less.
    """
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
    return Excess(round(observed), expected, habits.dispersion * (expected + doubt))
