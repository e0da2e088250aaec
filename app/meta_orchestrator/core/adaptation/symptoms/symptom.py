"""Something that looks wrong, in numbers."""

from dataclasses import dataclass, field
from typing import Any

from meta_orchestrator.core.adaptation.symptoms.look import Look
from meta_orchestrator.core.moment import Moment


@dataclass(frozen=True)
class Symptom:
    """What is wrong and how sure that is.

    `metric` (a name of `history.RATIOS`) is what a remedy should mend, `gap` how far it is from its target (relative),
    `certainty` the probability that it is wrong at all, `samples` of the `needed` values were looked at. `expected` are
    relative changes under a remedy.
    """

    name: str
    reason: str
    metric: str = "development_velocity"
    gap: float = 1.0
    certainty: float = 1.0
    samples: int = 0
    needed: int = 0
    expected: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, int | float | str | None] = field(default_factory=dict)
    trigger: list[str] = field(default_factory=list)

    @property
    def strength(self) -> float:
        """0..1: a half where something is surely wrong, one for twice its target or more; none for what may be chance.

        That there is a trouble says more about its remedy than how great it is.
        """
        return (1 + min(max(self.gap, 0.0), 1.0)) / 2 * max(2 * self.certainty - 1, 0.0)


def seen(name: str, moment: Moment, found: Look, events: str, metric: str, reason: str, **more: Any) -> Symptom:
    """A symptom that rests on one look at the past; `events` says what was counted."""
    evidence: dict[str, int | float | str | None] = {
        metric: found.value,
        "target": found.target,
        events: found.samples,
        "looked_back_s": found.seconds,
    }
    return Symptom(
        name=name,
        reason=reason,
        metric=more.pop("mends", metric),
        gap=more.pop("gap", found.gap),
        certainty=found.certainty,
        samples=found.samples,
        needed=more.pop("needed", moment.policy.samples.rate),
        evidence=evidence | more.pop("evidence", {}),
        **more,
    )
