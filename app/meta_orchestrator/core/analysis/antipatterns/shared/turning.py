"""When it began, and whether it has stopped: turning points by sums of log-likelihood ratios, page by page.

The one level is the usual one, the other so many times as much as was found (Page, Biometrika 41, 1954).
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from meta_orchestrator.core.analysis.antipatterns.shared.excess import Habits, Tally
from meta_orchestrator.core.analysis.antipatterns.shared.page import Page

STOPPED = math.log(100)
"""So much more likely must the usual level be than the found one, since some time after it was found."""
LEAST_FACTOR = 1.5


def began_us(pages: Iterable[Page], habits: Habits, factor: float, keys: Sequence[str]) -> int | None:
    """The first hit after the likeliest beginning of so much more: the lowest sum. None where none came after it."""
    factor = max(LEAST_FACTOR, factor)
    level, lowest, since_us = 0.0, 0.0, None
    for page in pages:
        hit_us = min((mark.first_us for mark in page.marks.values() if mark.key in keys), default=None)
        since_us = hit_us if since_us is None else since_us
        for key in keys:
            hits, expected = page.tallies.get(key, (0.0, 0.0))
            level += hits * math.log(factor) - expected * habits.rate(key) * (factor - 1)
        if level < lowest:
            lowest, since_us = level, None
    return since_us


def has_stopped(sums: Iterable[Mapping[str, Tally]], habits: Habits, factor: float, keys: Collection[str] = ()) -> bool:
    """Of sums page by page, whether the usual level is clearly likelier since the best moment to say so; no keys are
    all."""
    level = 0.0
    for one in sums:
        theirs = {key: one[key] for key in keys or one if key in one}
        hits = sum(tally.hits for tally in theirs.values())
        expected = sum(tally.expected * habits.rate(key) for key, tally in theirs.items())
        gain = expected * (factor - 1) - hits * math.log(factor)
        level = max(0.0, level + gain / habits.dispersion)
    return level >= STOPPED
