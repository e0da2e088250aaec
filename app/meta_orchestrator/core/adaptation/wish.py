"""What a rule would like to change, before anything limits it."""

from dataclasses import dataclass, field

from meta_orchestrator.messages.fields import Value


@dataclass(frozen=True)
class Wish:
    """One parameter's move and what speaks for it.

    `to` is None where no further value exists. `metric` (a name of `history.RATIOS`) is what the change should mend,
    `gap` how far the thing that is wrong is from its target (relative), `certainty` the probability that it is wrong at
    all, `samples` of the `needed` values were looked at. `expected` are relative changes.
    """

    parameter: str
    to: Value | None
    reason: str
    metric: str = "development_velocity"
    gap: float = 1.0
    certainty: float = 1.0
    samples: int = 0
    needed: int = 0
    expected: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, int | float | str | None] = field(default_factory=dict)
    trigger: list[str] = field(default_factory=list)
