"""What the loop said of a project: findings and decisions, put together by what they are about."""

from collections import Counter
from dataclasses import dataclass

from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.outputs import (
    Antipattern,
    AntipatternCleared,
    ConfigChange,
    Decision,
    Drift,
    Escalation,
    EscalationCleared,
    MetricsSnapshot,
    Output,
    TeamRecommended,
)

MOST = 2_000
"""Findings and decisions that are kept; beyond that they are only counted."""


@dataclass
class Noted:
    """One finding, however often it came."""

    first: CloudEvent
    times: int = 0
    last_us: int = 0
    severity: float = 0.0


class Outcome:
    def __init__(self) -> None:
        self.findings: dict[tuple[str, ...], Noted] = {}
        self.decisions: list[CloudEvent] = []
        """All but the refused."""
        self.refused: dict[tuple[str, ...], Noted] = {}
        """(parameter, refused by) → the first such decision and how many there were."""
        self.verdicts: Counter[str] = Counter()
        self.config: ConfigChange | None = None
        """The last change."""
        self.snapshots = 0
        self.valued: Counter[str] = Counter()
        """Rate → snapshots in which it had a value."""
        self.left_out = 0

    def add(self, event: CloudEvent) -> None:
        """One output."""
        data = event.data
        if isinstance(data, MetricsSnapshot):
            self._snapshot(data)
        elif isinstance(data, Decision):
            self._decision(event, data)
        elif isinstance(data, ConfigChange):
            self.config = data
        elif subject := _subject(data):
            self._note(self.findings, subject, event, data.severity if isinstance(data, Antipattern) else 0.0)

    def _snapshot(self, data: MetricsSnapshot) -> None:
        self.snapshots += 1
        for name in RATES:
            self.valued[name] += getattr(data, name) is not None

    def _decision(self, event: CloudEvent, data: Decision) -> None:
        self.verdicts[data.verdict] += 1
        if data.refused_by is not None:
            self._note(self.refused, (data.proposal.parameter or "-", data.refused_by), event, 0.0)
        elif len(self.decisions) < MOST:
            self.decisions.append(event)
        else:
            self.left_out += 1

    def _note(
        self, table: dict[tuple[str, ...], Noted], key: tuple[str, ...], event: CloudEvent, severity: float
    ) -> None:
        if key not in table and len(table) >= MOST:
            self.left_out += 1
            return
        noted = table.setdefault(key, Noted(event))
        noted.times += 1
        noted.last_us = event.time_us
        if severity > noted.severity:
            noted.first, noted.severity = event, severity


RATES = (
    "consensus_latency_p95_ms",
    "consensus_success_rate",
    "dissent_rate",
    "handoff_failure_rate",
    "quality_regression_rate",
    "rework_percentage",
)


def _subject(data: Output) -> tuple[str, ...] | None:
    """What makes two findings the same; None for what is none, or only says that one is over."""
    if isinstance(data, AntipatternCleared | EscalationCleared):
        return None
    if isinstance(data, Antipattern):
        return (data.kind, *data.agents)
    if isinstance(data, Drift):
        return (data.type, data.metric, data.agent or "", data.direction)
    if isinstance(data, Escalation):
        return (data.type, data.condition)
    if isinstance(data, TeamRecommended):
        return (data.type, *data.add, "-", *data.remove)
    return None
