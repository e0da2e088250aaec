"""Was a decision right? The run's own team is led to the moment of the decision once more, and goes on from there with
the change and without it: same arrivals, same defects, same luck.

CONTRACT §7: kept and not worse, or rolled back and not better, beyond .5 % of the team's utility and its 95 % interval;
neither, with an interval wider than ±2 %, is unclear.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from meta_orchestrator.drivers.evaluation.intervals import Interval, of_blocks
from meta_orchestrator.drivers.evaluation.runs import Config, Decided, Run, scheduled
from meta_orchestrator.simulation.truth import HOUR_S, Span

MARGIN = 0.005
"""Of the utility: less than this is no difference."""
VAGUE = 0.02
"""An interval wider than plus or minus this, around nothing, tells nothing."""
BLOCK_H = 4
"""Hours of a block of the batch means: longer than a change stays in the team."""
Finding = Literal["right", "wrong", "unclear"]


@dataclass(frozen=True)
class Judged:
    """A decision and what it was worth."""

    scenario: str
    arm: str
    seed: int
    decided: Decided
    gain: Interval
    """Of the change, relative to the utility without it."""

    @property
    def finding(self) -> Finding:
        beyond = max(MARGIN, self.gain.half)
        if self.gain.half > VAGUE and abs(self.gain.value) <= beyond:
            return "unclear"
        harmful = self.gain.value < -beyond if self.decided.verdict == "kept" else self.gain.value > beyond
        return "wrong" if harmful else "right"


def judge(run: Run, decided: Decided, hours: int) -> Judged:
    """The `hours` after the decision, with and without."""
    with_, without = (_after(run, decided, config, hours) for config in (decided.with_, decided.without))
    differences = [one.utility - other.utility for one, other in zip(with_, without, strict=True)]
    usual = sum(span.utility for span in without) / len(without)
    return Judged(run.scenario, run.arm, run.seed, decided, of_blocks(differences, usual, BLOCK_H))


def _after(run: Run, decided: Decided, config: Config, hours: int) -> Sequence[Span]:
    """The hours from the next full one on: what is under way at the decision is the same in both."""
    past = [(at_s, applied) for at_s, applied in run.applied if at_s < decided.at_s]
    start_h = int(decided.at_s // HOUR_S) + 1
    timetable = [*past, (decided.at_s, config)]
    return scheduled(run.scenario, run.seed, start_h + hours, timetable).hours[start_h:]
