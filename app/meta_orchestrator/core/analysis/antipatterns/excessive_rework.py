"""excessive_rework: work is sent back to be done again, and again."""

from collections.abc import Mapping
from typing import Any

from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_AGENTS, NAMED_TASKS
from meta_orchestrator.core.analysis.antipatterns.shared.excess import Tally
from meta_orchestrator.core.analysis.antipatterns.shared.per_work import PerWork, Work
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import Value, format_time_us
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy

LIMIT = "workflow.max_rework"
REWORK = "agent.rework.requested"
MOST = 10
"""Attempts beyond count as this many: what a sender counts must not widen the test without end."""


class ExcessiveRework(PerWork):
    """Requests to do work again, more than the project's own past explains, or beyond the limit.

    Rework is part of quality: reviews find something. Too much of it means that it does not converge. A task that an
    agent starts or finishes is a chance; the null is that it gets as many requests for each as in its own past, shrunk
    to the project's habit. Requests for one task depend on each other, so their scatter by task (`attempt` counts
    them) widens the test. False alarms: at most `analysis.alpha` in a look-back. Cleared: see `counted`.
    Beside it stands a hard limit: more than one attempt at a task beyond `workflow.max_rework`; by one beyond it an
    orchestrator finds out that the limit is reached. It holds for a look-back.
    Severity: the share of the requests that the past does not explain; for the hard limit half of attempts / limit.
    """

    kind = "excessive_rework"
    types = (REWORK,)
    prior = Tally(1, 5)

    def __init__(self, policy: Policy, work: Work | None = None) -> None:
        super().__init__(policy, work)
        self._requests: list[Event] = []
        self._beyond: dict[str, tuple[int, str, int]] = {}
        """Task beyond the limit → (when last, the agent that must redo it, attempts)."""
        self.configure({})

    def configure(self, config: Mapping[str, Value]) -> None:
        self.most = self.limit(config, LIMIT)

    def observe(self, event: Event) -> None:
        self._requests.append(event)

    def look(self, moment: Moment) -> None:
        self.count_work(moment)
        for event in self._requests:
            self._request(event)
        self._requests = []

    def _request(self, event: Event) -> None:
        time_us, data = event[0], event[4]
        self.hit(time_us, data["agent"], (data["agent"],), data["task"], min(data["attempt"], MOST))
        if self.most and data["attempt"] > self.most + 1:
            self._beyond[data["task"]] = (time_us, data["agent"], data["attempt"])
            self.urgent = True

    def over_limit(self, tick_us: int) -> Antipattern | None:
        self._beyond = {task: one for task, one in self._beyond.items() if one[0] > tick_us - self.hold_us}
        worst = sorted(self._beyond.items(), key=lambda item: (-item[1][2], item[0]))[:NAMED_TASKS]
        if not worst or not self.most:
            return None
        return Antipattern(
            kind=self.kind,
            agents=sorted({agent for _, (_, agent, _) in worst})[:NAMED_AGENTS],
            tasks=[task for task, _ in worst],
            since=format_time_us(min(time_us for _, (time_us, _, _) in worst)),
            severity=min(1.0, worst[0][1][2] / (2 * self.most)),
            evidence={"attempts": worst[0][1][2], "max_rework": self.most, "tasks_beyond_limit": len(self._beyond)},
        )

    def dump(self) -> dict[str, Any]:
        return super().dump() | {"beyond": {task: list(one) for task, one in self._beyond.items()}}

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        self._beyond = {task: (when, agent, attempts) for task, (when, agent, attempts) in dumped["beyond"].items()}
