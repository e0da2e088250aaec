"""How symptoms look at the past: as little of it as is enough."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.evidence import Estimate, Rows, share
from meta_orchestrator.messages.fields import SECOND

Side = Literal["above", "below"]


@dataclass(frozen=True)
class Look:
    """A share, and how it stands to its target."""

    found: Estimate | None
    target: float
    side: Side
    """The side on which it would be wrong."""
    seconds: float
    """How far back it looks."""

    @property
    def value(self) -> float:
        return self.found.value if self.found else 0.0

    @property
    def samples(self) -> int:
        return round(self.found.samples) if self.found else 0

    @property
    def certainty(self) -> float:
        """The probability that it is on the wrong side of its target."""
        if self.found is None:
            return 0.5
        above = self.found.certainty_above(self.target)
        return above if self.side == "above" else 1 - above

    @property
    def gap(self) -> float:
        """How far on the wrong side, relative to the target."""
        away = self.value - self.target if self.side == "above" else self.target - self.value
        return away / self.target if self.target > 0 else away

    @property
    def is_wrong(self) -> bool:
        return self.found is not None and self.gap > 0


def look(moment: Moment, part: str, whole: str, target: float, side: Side = "above") -> Look:
    """The share of `part` in `whole` (fields of History)."""
    return look_at(moment, lambda rows: share(rows[:, INDEX[part]], rows[:, INDEX[whole]]), target, side)


def look_at(moment: Moment, measure: Callable[[Rows], Estimate | None], target: float, side: Side = "above") -> Look:
    """The window first, then twice as far back and so on.

    Up to `adaptation.look_s` while it is unclear, up to `time.history_s` while there are too few values; never past
    the last change, since that was another configuration.
    """
    policy = moment.policy
    span_us, longest_us = policy.time.window_us, _reach_us(moment)
    while True:
        span_us = min(span_us, longest_us)
        rows = moment.history.between(moment.tick_us - span_us, moment.tick_us)
        found = Look(measure(rows) if len(rows) else None, target, side, span_us / SECOND)
        clear = max(found.certainty, 1 - found.certainty) >= policy.trial.guard_at
        enough = found.samples >= policy.samples.rate
        if span_us >= longest_us or (enough and (clear or found.seconds >= policy.adaptation.look_s)):
            return found
        span_us *= 2


def _reach_us(moment: Moment) -> int:
    """How far back the present configuration reaches, work in progress left out, but one window at the least."""
    longest_us, past = moment.policy.time.history_us, moment.ledger.past
    if past:
        longest_us = moment.tick_us - past[-1].time_us - round(moment.policy.trial.settle_s * SECOND)
    return min(max(longest_us, moment.policy.time.window_us), moment.policy.time.history_us)
