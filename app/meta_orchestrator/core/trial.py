"""A wish, the trial it was given, and what was learnt from it: the parts of the ledger that tell of one change.

Plain values only, as in the ledger, which holds them. Times are microseconds since the epoch.
"""

from dataclasses import dataclass, field
from typing import Any

from meta_orchestrator.messages.fields import Value


@dataclass
class Proposal:
    """A change that is wished for: it waits for an owner, or it is on trial under the same `id`.

    `metric` is what it should mend, `expected` relative changes, `evidence` the numbers that spoke for it.
    """

    id: str
    parameter: str
    from_: Value
    to: Value
    reason: str
    metric: str
    expected: dict[str, float]
    evidence: dict[str, int | float | str | None]
    trigger: list[str]


@dataclass
class Period:
    """A stretch of a switchback under one of its two values; `row` has the fields of History."""

    start_us: int
    end_us: int
    tried: bool
    """Whether the new value is in force in it, else the one from before."""
    from_us: int | None = None
    """What begins from here on is measured: the value was applied and the burn-in is over; None before that."""
    row: list[float] = field(default_factory=list)


@dataclass
class Trial:
    """The change that is being tried."""

    proposal: Proposal
    change: str
    version: int
    started_us: int
    review_us: int
    acknowledge_by_us: int
    settle_us: int
    """How long after it was applied what is aimed at still belongs to the value before."""
    lag_us: int
    """The same of how much gets done."""
    since_us: int
    """When the present conditions began, as far as a drift told: older rows are not what it is compared with."""
    published: dict[str, Any]
    """The data of its last `config.change`, to be published again word for word."""
    repeated: bool = False
    applied_us: int | None = None
    """When the change was first acknowledged."""
    answered_us: int | None = None
    """When its last `config.change` was acknowledged: of a switchback there are many."""
    said_us: int = 0
    """When that was published first."""
    periods: list[Period] = field(default_factory=list)
    """Of a switchback; a step has none."""
    place: int = 0
    """Which of them is in force."""
    changes: list[str] = field(default_factory=list)
    """The changes that put the new value in force again."""
    rejected: str | None = None
    """The orchestrator's reason."""
    ratings: dict[str, float] = field(default_factory=dict)
    """Agent → its last rating of the change, -1..1."""

    @property
    def latest(self) -> tuple[str, int]:
        """Its last `config.change`: (change, version)."""
        return self.published["change"], self.published["version"]

    @property
    def next_us(self) -> int:
        """When something about it is due next."""
        coming = [period.start_us for period in self.periods[self.place + 1 : self.place + 2]]
        return min([self.review_us, *coming]) if self.answered_us is not None else self.acknowledge_by_us


@dataclass
class Watch:
    """A change that was kept, for as long as it may still turn out to be harmful (`core/validation/late.py`)."""

    trial: Trial
    since_us: int
    until_us: int
    config: dict[str, Value]
    """What was in force then."""
    ticks: int
    """How many rows of History `before` sums up."""
    before: list[list[float]]
    """What the trial was compared with: History forgets it within the day."""


@dataclass
class Lesson:
    """What one trial measured, load taken out: the gain of one move in shares of the objective."""

    time_us: int
    parameter: str
    from_: Value
    to: Value
    ending: str
    gain: float
    sd: float
    symptoms: dict[str, float]
    """What was wrong then, 0..1: a remedy helps where its symptom is."""
