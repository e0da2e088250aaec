"""What the team can be told: the parameters of CONTRACT §5 with their meaning for a team."""

import re
from dataclasses import dataclass
from typing import Any, Self

from meta_orchestrator.messages.fields import Value

BASELINE: dict[str, Value] = {
    "consensus.frequency": "every_change",
    "consensus.threshold.minor": 0.5,
    "consensus.threshold.normal": 0.6,
    "consensus.threshold.major": 0.67,
    "consensus.threshold.critical": 0.75,
    "consensus.max_rounds": 3,
    "workflow.wip_limit": 4,
    "workflow.handoff_timeout_s": 120,
    "workflow.max_rework": 3,
    "workflow.max_handoffs": 20,
    "workflow.review_depth": 2,
    "quality.min_pass_rate": 0.9,
}


@dataclass(frozen=True)
class Configuration:
    """The parameters in force, typed. The team reads it afresh at every step, so a change acts on the next one."""

    frequency: str
    thresholds: dict[str, float]
    max_rounds: int
    wip_limit: int
    handoff_timeout_s: float
    max_rework: int
    max_handoffs: int
    review_depth: int
    min_pass_rate: float

    @classmethod
    def of(cls, config: dict[str, Any]) -> Self:
        """From {parameter: value} as `config.change` carries it; a KeyError names what is missing."""
        return cls(
            frequency=config["consensus.frequency"],
            thresholds={c: config[f"consensus.threshold.{c}"] for c in ("minor", "normal", "major", "critical")},
            max_rounds=config["consensus.max_rounds"],
            wip_limit=config["workflow.wip_limit"],
            handoff_timeout_s=config["workflow.handoff_timeout_s"],
            max_rework=config["workflow.max_rework"],
            max_handoffs=config["workflow.max_handoffs"],
            review_depth=config["workflow.review_depth"],
            min_pass_rate=config["quality.min_pass_rate"],
        )

    def is_voted_on(self, criticality: str, risk: float) -> bool:
        """Whether a change comes before the council at all."""
        if self.frequency == "critical_changes_only":
            return criticality in ("major", "critical")
        least_risk = self._argument("adaptive_threshold")
        return least_risk is None or risk >= least_risk

    @property
    def batch_s(self) -> float | None:
        """Seconds between two sittings of the council; None where each change is voted on at once."""
        return self._argument("timeboxed_batches")

    def _argument(self, form: str) -> float | None:
        match = re.fullmatch(rf"{form}\(([0-9.]+)\)", self.frequency)
        return float(match[1]) if match else None
