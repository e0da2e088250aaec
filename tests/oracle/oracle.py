"""The metrics of CONTRACT §4.4 and §8, by brute force: for every tick, everything from the first event on.

Nothing here is fast, nothing is kept from one tick to the next, and nothing is shared with the product.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.oracle.past import MINUTE, agents_of, handoff_ends, known_of, points, round_closes, successes, work
from tests.oracle.reading import KNOWN, Event, Scope, Settings, read

HEARTBEAT_HOLDS = LIVE_FOR = 10 * MINUTE
BY_OPERATORS = (
    "operator.intervened",
    "control.override",
    "control.rollback",
    "control.approve",
    "control.decline",
)
Fields = dict[str, Any]


@dataclass
class Expected:
    """(project, tick_us) → data of its snapshot; (project, tick_us, agent) → of its metrics.agent; bad lines."""

    snapshots: dict[tuple[str, int], Fields]
    agents: dict[tuple[str, int, str], Fields]
    bad: list[int]


def expect(lines: list[Fields], settings: Settings) -> Expected:
    """All metrics that a file must give."""
    reading = read(lines, settings)
    expected = Expected({}, {}, reading.bad)
    for project, scope in reading.scopes.items():
        for tick_us in _ticks(scope, settings, reading.watermark_us):
            view = View(scope, tick_us, settings)
            expected.snapshots[project, tick_us] = view.snapshot()
            if tick_us % MINUTE == 0:
                for agent in sorted({agent for event in view.seen for agent in agents_of(event)}):
                    expected.agents[project, tick_us, agent] = view.agent(agent)
    return expected


def _ticks(scope: Scope, settings: Settings, watermark_us: int) -> list[int]:
    """Each tick that has fired with an event, a late one or an implied timeout in its window."""
    timeouts = {end.time_us // settings.pane_us for end in handoff_ends(scope.events) if end.cause == "timeout"}
    panes = {pane for pane, _ in scope.panes} | set(scope.late) | timeouts
    due = set()
    for pane in panes:
        start_us = pane * settings.pane_us
        tick_us = -(-(start_us + settings.pane_us) // settings.tick_us) * settings.tick_us
        while tick_us <= start_us + settings.window_us and tick_us <= watermark_us:
            due.add(tick_us)
            tick_us += settings.tick_us
    return sorted(due)


class View:
    """What a tick sees of a project."""

    def __init__(self, scope: Scope, tick_us: int, settings: Settings) -> None:
        self.settings = settings
        self.tick_us = tick_us
        self.start_us = tick_us - settings.window_us
        inside = range(self.start_us // settings.pane_us, tick_us // settings.pane_us)
        self.seen = [event for pane, event in scope.panes if pane in inside]
        self.past = [event for pane, event in scope.panes if pane < inside.stop]
        self.late = sum(number for pane, number in scope.late.items() if pane in inside)
        self.ends = [end for end in handoff_ends(self.past) if self.holds(end.time_us)]
        self.closes = [close for close in round_closes(self.past) if self.holds(close.time_us)]

    def holds(self, time_us: int) -> bool:
        return self.start_us <= time_us < self.tick_us

    def of(self, *types: str) -> list[Event]:
        return [event for event in self.seen if event.type in types]

    def rate(self, numerator: Any, denominator: int) -> Fraction | None:
        return None if denominator < self.settings.rate else Fraction(numerator) / denominator

    def p95(self, values: list[float]) -> float | None:
        if len(values) < self.settings.p95:
            return None
        return sorted(values)[-(-95 * len(values) // 100) - 1]

    def snapshot(self) -> Fields:
        failed = [end.cause for end in self.ends if end.cause is not None]
        decided = [close for close in self.closes if close.outcome in ("accepted", "rejected")]
        finished = self.of("agent.task.finished")
        abandoned = {event.data["task"] for event in finished if event.data["outcome"] == "abandoned"}
        velocity = sum(Fraction(own) for time_us, own in successes(self.past) if self.holds(time_us))
        return {
            "consensus_latency_p95_ms": self.p95([close.latency_ms for close in self.closes]),
            "consensus_success_rate": self.rate(len(decided), len(self.closes)),
            "dissent_rate": self.dissent(None),
            "agent_utilization": self.utilizations(),
            "handoff_failure_rate": self.rate(len(failed), len(self.ends)),
            "handoff_failure_causes": dict(Counter(failed)),
            "development_velocity": velocity / Fraction(self.settings.window_us, 60 * MINUTE),
            "quality_regression_rate": self.regressions(),
            "coordination_failures": len(failed) + len(self.closes) - len(decided) + len(abandoned),
            "rework_percentage": self.rework(),
            "manual_interventions": len(self.of(*BY_OPERATORS)),
            "counts": dict(Counter(event.type if event.type in KNOWN else "unknown" for event in self.seen)),
            "late_events": self.late,
        }

    def agent(self, agent: str) -> Fields:
        finished = [event for event in self.of("agent.task.finished") if event.data["agent"] == agent]
        received = [end for end in self.ends if end.to_agent == agent]
        return {
            "task_latency_p95_ms": self.p95([event.data["duration_ms"] for event in finished]),
            "utilization": self.utilization(agent),
            "handoff_failure_rate": self.rate(sum(end.cause is not None for end in received), len(received)),
            "dissent_rate": self.dissent(agent),
        }

    def dissent(self, agent: str | None) -> Fraction | None:
        """Of one agent, of all with None."""
        against, votes = 0, 0
        for close in self.closes:
            if close.outcome in ("accepted", "rejected"):
                for voter, choice in close.votes.items():
                    if agent in (None, voter) and choice in ("approve", "reject"):
                        votes += 1
                        against += choice != {"accepted": "approve", "rejected": "reject"}[close.outcome]
        return self.rate(against, votes)

    def tasks(self, events: list[Event]) -> set[str]:
        """Distinct ones, without those of 0 points: these are steps."""
        named = {event.data["task"] for event in events}
        return {task for task in named if points(task, self.past, self.tick_us) != 0}

    def regressions(self) -> Fraction | None:
        regressed = self.tasks([event for event in self.of("agent.quality.checked") if event.data["regression"]])
        rate = self.rate(len(regressed), len(self.tasks(self.of("agent.task.finished"))))
        return None if rate is None else min(rate, Fraction(1))

    def rework(self) -> Fraction | None:
        again = self.tasks(self.of("agent.rework.requested"))
        return self.rate(100 * len(again), len(again | self.tasks(self.of("agent.task.finished"))))

    # ---- utilization ----

    def utilizations(self) -> dict[str, Fraction]:
        """Type → mean over its live agents that have a value."""
        values: dict[str, list[Fraction]] = {}
        for agent in self.live():
            value = self.utilization(agent)
            if value is not None:
                values.setdefault(self.type_of(agent), []).append(value)
        return {kind: sum(own, Fraction(0)) / len(own) for kind, own in values.items()}

    def live(self) -> Iterator[str]:
        recent = [event for event in self.past if event.time_us >= self.tick_us - LIVE_FOR]
        for agent in sorted({agent for event in recent for agent in agents_of(event)}):
            comings = self.told(agent, "registered", "deregistered")
            if not comings or comings[-1].type == "agent.registered":
                yield agent

    def told(self, agent: str, *kinds: str) -> list[Event]:
        """What is known of an agent from events of some kinds."""
        return [event for event in known_of(agent, self.past) if event.type in {f"agent.{kind}" for kind in kinds}]

    def type_of(self, agent: str) -> str:
        named = [
            event.data["agent_type"]
            for event in self.told(agent, "registered", "heartbeat")
            if event.data.get("agent_type") is not None
        ]
        return named[-1] if named else "unknown"

    def utilization(self, agent: str) -> Fraction | None:
        beats = self.told(agent, "heartbeat")
        if beats:
            return self.heard(beats)
        if not self.told(agent, "task.started"):
            return None
        registered = self.told(agent, "registered")
        capacity = (registered[-1].data.get("capacity") if registered else None) or 1
        busy_us = sum(self.overlap(held.start_us, held.end_us) for held in work(self.past) if held.agent == agent)
        return min(Fraction(1), Fraction(busy_us, capacity * self.settings.window_us))

    def heard(self, beats: list[Event]) -> Fraction | None:
        total, covered_us = Fraction(0), 0
        for beat, after in zip(beats, [*beats[1:], None], strict=True):
            end_us = beat.time_us + HEARTBEAT_HOLDS
            held_us = self.overlap(beat.time_us, end_us if after is None else min(end_us, after.time_us))
            total += held_us * Fraction(beat.data["utilization"])
            covered_us += held_us
        return total / covered_us if covered_us else None

    def overlap(self, start_us: int, end_us: int | None) -> int:
        """Microseconds of an interval that lie inside the window."""
        end_us = self.tick_us if end_us is None else end_us
        return max(0, min(end_us, self.tick_us) - max(start_us, self.start_us))
