"""Outputs as a reader of the topics gets them."""

from typing import Any

import orjson

from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.fields import MINUTE_US
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
    Proposal,
    Shift,
    Trial,
)

WIP = "workflow.wip_limit"
T0 = 1_700_000_040_000_000


def record(data: Output, minute: int = 0, project: str = "checkout") -> dict[str, Any]:
    parsed: dict[str, Any] = orjson.loads(CloudEvent(project, T0 + minute * MINUTE_US, data).to_json())
    return parsed


def change(
    version: int, from_: int, to: int, kind: Any = "trial", trial: str | None = "p1", **more: Any
) -> ConfigChange:
    return ConfigChange(
        change=f"change-{version}",
        version=version,
        kind=kind,
        changes=[Shift(parameter=WIP, from_=from_, to=to)],
        config={WIP: to, "consensus.max_rounds": 3},
        reason="Agents wait for work.",
        trigger=more.pop("trigger", []),
        expected={},
        trial=trial,
        **more,
    )


def decision(
    verdict: Any, name: str = "d1", proposal: str = "p1", from_: int = 4, to: int = 5, **more: Any
) -> Decision:
    return Decision(
        decision=name,
        verdict=verdict,
        proposal=Proposal(id=proposal, parameter=WIP, from_=from_, to=to),
        explanation=f"It was {verdict}.",
        evidence={},
        **more,
    )


def trial(proposal: str = "p1") -> Trial:
    return Trial(id=proposal, design="step", review_at="2023-11-14T23:00:00Z")


def antipattern(over: bool = False, agents: tuple[str, ...] = ("ada", "ben")) -> Antipattern:
    made = AntipatternCleared if over else Antipattern
    since = "2023-11-14T22:00:00Z"
    return made(
        kind="ping_pong", agents=list(agents), tasks=["t1"], since=since, severity=0.5, evidence={"observed": 7}
    )


def drift(direction: Any = "up") -> Drift:
    since = "2023-11-14T22:00:00Z"
    return Drift(
        metric="handoff_failure_rate",
        direction=direction,
        before=0.1,
        after=0.4,
        since=since,
        detector="x",
        evidence={},
    )


def escalation(over: bool = False) -> Escalation:
    made = EscalationCleared if over else Escalation
    since = "2023-11-14T22:00:00Z"
    return made(condition="fails", metric="handoff_failure_rate", threshold=0.3, since=since, action="notify")


def snapshot(phase: Any = "steady", version: int = 0, failures: float | None = None) -> MetricsSnapshot:
    return MetricsSnapshot(
        consensus_latency_p95_ms=None,
        consensus_success_rate=None,
        dissent_rate=None,
        agent_utilization={},
        handoff_failure_rate=failures,
        handoff_failure_causes={},
        development_velocity=0,
        quality_regression_rate=None,
        coordination_failures=0,
        rework_percentage=None,
        manual_interventions=0,
        counts={"agent.heartbeat": 3},
        late_events=0,
        config_version=version,
        phase=phase,
    )
