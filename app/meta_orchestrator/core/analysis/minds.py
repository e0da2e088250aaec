"""What the analysis has learnt about one project, as explicit values, with the mark of what made them."""

from typing import Any

import numpy as np
from river import __version__ as river_version

from meta_orchestrator.core.analysis.antipatterns.watch import AntipatternWatch
from meta_orchestrator.core.analysis.causes.watch import CauseWatch
from meta_orchestrator.core.analysis.drift.watch import DriftWatch
from meta_orchestrator.core.analysis.escalation import Conditions
from meta_orchestrator.core.analysis.staffing.team import TeamWatch
from meta_orchestrator.core.analysis.trends.watch import TrendWatch
from meta_orchestrator.messages.cloudevent import digest
from meta_orchestrator.policy import Policy

STATE = 7
"""Raised whenever what `dump` writes changes its meaning."""


class Minds:
    """Estimators of one project. They can be lost: drift is learnt again from History, the rest from what comes."""

    def __init__(self, policy: Policy) -> None:
        self.fingerprint = fingerprint(policy)
        self.rebuilt = False
        """Thrown away on loading, since settings or libraries had changed: to be logged by whoever loaded them."""
        self.drift = DriftWatch(policy)
        self.antipatterns = AntipatternWatch(policy)
        self.team = TeamWatch(policy, self.antipatterns.stations)
        self.conditions = Conditions(policy)
        self.causes = CauseWatch(policy)
        self.trends = TrendWatch(policy)
        self.said: dict[str, str] = {}
        """Metric that drifted, or kind of an antipattern → id of the insight that said so last."""

    def next_deadline_us(self) -> int | None:
        """When a project in which nothing happens must be looked at again; None while nothing is going on."""
        looks = self.antipatterns.next_look_us, self.conditions.next_look_us
        return min((look_us for look_us in looks if look_us is not None), default=None)

    def dump(self) -> dict[str, Any]:
        """JSON values only."""
        return {
            "fingerprint": self.fingerprint,
            "drift": self.drift.dump(),
            "antipatterns": self.antipatterns.dump(),
            "team": self.team.dump(),
            "conditions": self.conditions.dump(),
            "causes": self.causes.dump(),
            "trends": self.trends.dump(),
            "said": self.said,
        }

    @classmethod
    def load(cls, policy: Policy, dumped: dict[str, Any]) -> "Minds":
        """The same minds again; empty ones with `rebuilt` set where other settings or libraries made them."""
        minds = cls(policy)
        if dumped.get("fingerprint") != minds.fingerprint:
            minds.rebuilt = True
            return minds
        minds.drift.load(dumped["drift"])
        minds.antipatterns.load(dumped["antipatterns"])
        minds.team.load(dumped["team"])
        minds.conditions.load(dumped["conditions"])
        minds.causes.load(dumped["causes"])
        minds.trends.load(dumped["trends"])
        minds.said = dict(dumped["said"])
        return minds


def fingerprint(policy: Policy) -> str:
    """Of all that gives the estimators their meaning."""
    settings = policy.model_dump(mode="json", include={"time", "analysis", "escalation", "targets"})
    return digest("minds", STATE, settings, np.__version__, river_version)
