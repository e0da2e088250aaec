"""One valid example of every message, by type: a team's first hours. `schemas/examples/` is made of them."""

from typing import Any

import orjson

from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.fields import format_time_us, parse_time_us
from meta_orchestrator.messages.inputs import TOPIC_OF
from meta_orchestrator.messages.outputs import (
    AgentMetrics,
    Antipattern,
    AntipatternCleared,
    ConfigChange,
    Coverage,
    Decision,
    Drift,
    Escalation,
    EscalationCleared,
    Guard,
    Measured,
    MetricsSnapshot,
    Output,
    Proposal,
    Shift,
    TeamRecommended,
)

PROJECT = "checkout"
START = "2026-03-02T09:00:00Z"
TICK = "2026-03-02T10:30:00Z"
_CHANGE = "5f2c9a7d10b84e63a1c0d9e8f7b6a594"
_TRIAL = "c3a1f0e9d8b7465a9e2d1c0b4f5a6e7d"
_BASELINE: dict[str, int | float | str] = {
    "consensus.frequency": "every_change",
    "consensus.max_rounds": 3,
    "workflow.handoff_timeout_s": 120,
    "workflow.wip_limit": 4,
}

INPUT_DATA: dict[str, dict[str, Any]] = {
    "agent.registered": {"agent": "ada", "agent_type": "developer", "skills": ["python", "kafka"], "capacity": 2},
    "agent.deregistered": {"agent": "ada"},
    "agent.heartbeat": {"agent": "ada", "utilization": 0.75, "agent_type": "developer", "queue_depth": 3},
    "agent.task.started": {
        "task": "task-17",
        "agent": "ada",
        "item": "story-4",
        "criticality": "major",
        "required_skills": ["python"],
        "points": 3,
    },
    "agent.task.finished": {
        "task": "task-17",
        "agent": "ada",
        "outcome": "succeeded",
        "duration_ms": 754000,
        "points": 3,
        "cost": 0.42,
    },
    "agent.task.blocked": {
        "task": "task-17",
        "agent": "ada",
        "waiting_for": ["ben"],
        "waiting_for_tasks": ["task-12"],
        "reason": "the schema is not agreed yet",
    },
    "agent.task.unblocked": {"task": "task-17", "agent": "ada"},
    "agent.handoff.started": {"handoff": "handoff-8", "task": "task-17", "from_agent": "ada", "to_agent": "ben"},
    "agent.handoff.completed": {
        "handoff": "handoff-8",
        "task": "task-17",
        "from_agent": "ada",
        "to_agent": "ben",
        "wait_ms": 41000,
    },
    "agent.handoff.failed": {
        "handoff": "handoff-9",
        "task": "task-18",
        "from_agent": "ben",
        "to_agent": "cleo",
        "cause": "missing_context",
        "wait_ms": 120000,
        "detail": "no acceptance criteria",
    },
    "agent.rework.requested": {
        "task": "task-17",
        "agent": "ada",
        "requested_by": "cleo",
        "reason": "the retry is not idempotent",
        "attempt": 1,
    },
    "agent.quality.checked": {
        "task": "task-17",
        "agent": "ada",
        "check": "unit tests",
        "passed": True,
        "regression": False,
    },
    "agent.feedback": {"agent": "ada", "change": _CHANGE, "rating": 0.5, "comment": "fewer votes, same outcome"},
    "consensus.round.opened": {
        "round": "round-31",
        "item": "story-4",
        "criticality": "normal",
        "eligible": ["ada", "ben", "cleo"],
        "threshold": 0.6,
        "attempt": 1,
        "risk": 0.4,
    },
    "consensus.vote.cast": {"round": "round-31", "agent": "ben", "choice": "approve", "confidence": 0.8},
    "consensus.round.closed": {
        "round": "round-31",
        "item": "story-4",
        "outcome": "accepted",
        "latency_ms": 95000,
        "attempt": 1,
        "final": True,
    },
    "orchestrator.registered": {"orchestrator": "conductor-1", "supports": _BASELINE},
    "config.applied": {"change": _CHANGE, "version": 1},
    "config.rejected": {"change": _CHANGE, "version": 1, "reason": "a release is under way"},
    "operator.intervened": {"operator": "maria", "kind": "unblock", "task": "task-17", "reason": "handoff_stuck"},
    "control.freeze": {"until": "2026-03-02T18:00:00Z", "reason": "release day", "owner": "maria"},
    "control.override": {
        "parameter": "workflow.wip_limit",
        "value": 2,
        "until": "2026-03-04T09:00:00Z",
        "reason": "new people on the team",
        "owner": "maria",
    },
    "control.rollback": {"change": _CHANGE, "reason": "votes are missed", "owner": "maria"},
    "control.approve": {"proposal": _TRIAL, "owner": "maria"},
    "control.decline": {"proposal": _TRIAL, "owner": "maria", "reason": "not this week"},
    "clock.tick": {},
}

_SHIFT = Shift(parameter="consensus.frequency", from_="every_change", to="critical_changes_only")
_EXPECTED = {"consensus_latency_p95_ms": -0.4}
_ANTIPATTERN: dict[str, Any] = {
    "kind": "handoff_cycle",
    "agents": ["ada", "ben", "cleo"],
    "tasks": ["task-17"],
    "since": "2026-03-02T10:12:40Z",
    "severity": 0.6,
    "evidence": {"cycles": 4, "window_s": 300},
}
_ESCALATION: dict[str, Any] = {
    "condition": "handoffs_fail",
    "metric": "handoff_failure_rate",
    "threshold": 0.3,
    "since": "2026-03-02T10:24:00Z",
    "action": "notify",
}
OUTPUT_DATA: tuple[Output, ...] = (
    ConfigChange(
        change=_CHANGE,
        version=1,
        kind="trial",
        changes=[_SHIFT],
        config={**_BASELINE, "consensus.frequency": "critical_changes_only"},
        reason="Rounds take 214 s (p95) and nearly all are accepted: vote on major and critical changes only.",
        trigger=["0c6a0f5b3f0a4e0e9a7f6f5a4b3c2d1e"],
        expected=_EXPECTED,
        review_at="2026-03-02T11:00:00Z",
        rollback_if=[Guard(metric="quality_regression_rate", worse_than=0.08)],
        trial=_TRIAL,
    ),
    Decision(
        decision="7d6c5b4a39281706f5e4d3c2b1a09f8e",
        verdict="kept",
        proposal=Proposal(id=_TRIAL, parameter=_SHIFT.parameter, from_=_SHIFT.from_, to=_SHIFT.to),
        change=_CHANGE,
        version=1,
        explanation="Voting on critical changes only was kept: rounds are 38 % faster and no more regressions came.",
        evidence={"p_better": 0.97},
        measured={
            "consensus_latency_p95_ms": Measured(before=214000, after=133000, interval=(-96000, -61000)),
            "quality_regression_rate": Measured(before=0.04, after=0.041, interval=(-0.012, 0.014)),
        },
        p_better=0.97,
        samples={"before": 88, "after": 41},
        context={"phase": "trial", "agents": 9},
        expected=_EXPECTED,
    ),
    Drift(
        metric="consensus_latency_p95_ms",
        direction="up",
        before=131000,
        after=214000,
        since="2026-03-02T10:08:10Z",
        detector="page_hinkley",
        evidence={"samples": 62},
    ),
    Antipattern(**_ANTIPATTERN),
    AntipatternCleared(**_ANTIPATTERN),
    Escalation(**_ESCALATION),
    EscalationCleared(**_ESCALATION),
    TeamRecommended(
        add=["reviewer"],
        remove=[],
        coverage={"review": Coverage(demand=1.4, supply=1)},
        expected={"development_velocity": 0.12},
    ),
    MetricsSnapshot(
        consensus_latency_p95_ms=214000,
        consensus_success_rate=0.95,
        dissent_rate=0.11,
        agent_utilization={"developer": 0.82, "reviewer": 0.97},
        handoff_failure_rate=0.18,
        handoff_failure_causes={"missing_context": 3, "timeout": 1},
        development_velocity=36,
        quality_regression_rate=None,
        coordination_failures=4,
        rework_percentage=12.5,
        manual_interventions=1,
        counts={"agent.heartbeat": 90, "agent.task.finished": 8, "consensus.round.closed": 22},
        late_events=2,
        config_version=1,
        phase="trial",
    ),
    AgentMetrics(agent="ada", task_latency_p95_ms=None, utilization=0.75, handoff_failure_rate=0.1, dissent_rate=None),
)


def examples() -> dict[str, dict[str, Any]]:
    """Type → its example, a CloudEvent in structured mode."""
    inputs = {kind: _input(kind, number, data) for number, (kind, data) in enumerate(INPUT_DATA.items())}
    tick_us = parse_time_us(TICK)
    outputs = {data.type: orjson.loads(CloudEvent(PROJECT, tick_us, data).to_json()) for data in OUTPUT_DATA}
    return {**inputs, **outputs}


def _input(kind: str, number: int, data: dict[str, Any]) -> dict[str, Any]:
    second_us = parse_time_us(START) + number * 1_000_000
    envelope = {
        "specversion": "1.0",
        "id": f"example-{number:02d}",
        "source": "team/conductor-1",
        "type": kind,
        "time": format_time_us(second_us),
        "project": PROJECT,
        "datacontenttype": "application/json",
        "data": data,
    }
    return {name: value for name, value in envelope.items() if name != "project" or kind in TOPIC_OF}
