"""Valid data of every type, of few names so that they meet again."""

from typing import Any

from hypothesis import strategies as st

from tests.oracle.reading import KNOWN

AGENTS = ("ada", "ben", "cleo", "zoë")
Line = dict[str, Any]

agents = st.sampled_from(AGENTS)
amounts = st.sampled_from((0, 1, 7, 10, 12.5, 90_000, 754_321.25, 1e-3, 3_600_000))
shares = st.sampled_from((0, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1))
criticality = st.sampled_from(("minor", "normal", "major", "critical"))
words = st.sampled_from(("", "later", "so is es"))
values = st.sampled_from((1, 2, 3, 4, 0.5, 0.6, 120, "every_change", "critical_changes_only", "timeboxed_batches(60)"))
parameters = st.sampled_from(
    ("workflow.wip_limit", "workflow.max_handoffs", "consensus.frequency", "consensus.threshold.minor", "my.own")
)
points = st.sampled_from((0, 0.0, 1, 2, 3.5, 8))
tasks = st.integers(1, 6).map("task-{}".format)
handoffs = st.integers(1, 5).map("handoff-{}".format)
rounds = st.integers(1, 4).map("round-{}".format)
proposals = st.sampled_from(("c3a1f0e9d8b7465a9e2d1c0b4f5a6e7d", "nobody's"))


def record(optional: dict[str, Any] | None = None, **required: Any) -> st.SearchStrategy[Line]:
    """Data with its optional fields left out, null or there."""
    return st.fixed_dictionaries(
        required, optional={name: st.none() | value for name, value in (optional or {}).items()}
    )


def _choice(*names: str) -> st.SearchStrategy[str]:
    return st.sampled_from(names)


_HANDOFF: Any = {"handoff": handoffs, "task": tasks, "from_agent": agents, "to_agent": agents}
DATA: dict[str, st.SearchStrategy[Line]] = {
    "agent.registered": record(
        {"skills": st.lists(_choice("python", "kafka"), max_size=2), "capacity": st.integers(1, 3)},
        agent=agents,
        agent_type=_choice("developer", "reviewer"),
    ),
    "agent.deregistered": record(agent=agents),
    "agent.heartbeat": record(
        {"agent_type": _choice("developer", "tester"), "queue_depth": amounts}, agent=agents, utilization=shares
    ),
    "agent.task.started": record(
        {"item": tasks, "criticality": criticality, "required_skills": st.just(["python"]), "points": points},
        task=tasks,
        agent=agents,
    ),
    "agent.task.finished": record(
        {"points": points, "cost": amounts},
        task=tasks,
        agent=agents,
        outcome=_choice("succeeded", "succeeded", "failed", "abandoned"),
        duration_ms=amounts,
    ),
    "agent.task.blocked": record(
        {"waiting_for_tasks": st.lists(tasks, max_size=2), "reason": words},
        task=tasks,
        agent=agents,
        waiting_for=st.lists(agents, max_size=2),
    ),
    "agent.task.unblocked": record(task=tasks, agent=agents),
    "agent.handoff.started": record(**_HANDOFF),
    "agent.handoff.completed": record(wait_ms=amounts, **_HANDOFF),
    "agent.handoff.failed": record(
        {"wait_ms": amounts, "detail": words},
        cause=_choice("timeout", "rejected", "missing_context", "unavailable", "error", "other"),
        **_HANDOFF,
    ),
    "agent.rework.requested": record(
        {"reason": words}, task=tasks, agent=agents, requested_by=agents, attempt=st.integers(1, 3)
    ),
    "agent.quality.checked": record(
        task=tasks, agent=agents, check=_choice("lint", "tests"), passed=st.booleans(), regression=st.booleans()
    ),
    "agent.feedback": record({"comment": words}, agent=agents, change=proposals, rating=st.sampled_from((-1, 0, 0.5))),
    "consensus.round.opened": record(
        {"risk": shares},
        round=rounds,
        item=tasks,
        criticality=criticality,
        eligible=st.lists(agents, max_size=3),
        threshold=shares,
        attempt=st.integers(1, 3),
    ),
    "consensus.vote.cast": record(
        {"confidence": shares}, round=rounds, agent=agents, choice=_choice("approve", "reject", "abstain")
    ),
    "consensus.round.closed": record(
        {"final": st.booleans()},
        round=rounds,
        item=tasks,
        outcome=_choice("accepted", "accepted", "rejected", "no_quorum", "timed_out"),
        latency_ms=amounts,
        attempt=st.integers(1, 3),
    ),
    "orchestrator.registered": record(
        orchestrator=_choice("conductor-1", "conductor-2"),
        supports=st.dictionaries(parameters, values, max_size=3),
    ),
    "config.applied": record(change=proposals, version=st.integers(0, 3)),
    "config.rejected": record(change=proposals, version=st.integers(0, 3), reason=words),
    "operator.intervened": record(
        {"task": tasks, "reason": _choice("deadlock", "no_agreement", "other")},
        operator=_choice("maria"),
        kind=_choice("unblock", "reassign", "override", "restart", "other"),
    ),
    "control.freeze": record(until=st.just("@until"), reason=words, owner=_choice("maria")),
    "control.override": record(
        parameter=parameters, value=values, until=st.just("@until"), reason=words, owner=_choice("maria")
    ),
    "control.rollback": record(to_version=st.integers(0, 2), reason=words, owner=_choice("maria"))
    | record(change=proposals, reason=words, owner=_choice("maria")),
    "control.approve": record({"reason": words}, proposal=proposals, owner=_choice("maria")),
    "control.decline": record({"reason": words}, proposal=proposals, owner=_choice("maria")),
    "aaa.new": record(agent=agents),
    "zzz.new": record({"task": tasks}),
    "control.dance": record({"agent": agents}),
}
"""Every type of CONTRACT §3, and three that it does not know. `@until` becomes a time later on."""

assert set(DATA) >= KNOWN
