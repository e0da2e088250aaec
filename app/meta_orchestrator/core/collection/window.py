"""The slots of the window, read as the metrics of CONTRACT §4.4."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Set

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.collection.agents import BILLION, Agents
from meta_orchestrator.core.collection.history import FIELDS
from meta_orchestrator.core.collection.measures import Measures
from meta_orchestrator.core.collection.sketch import Sketch, quantile
from meta_orchestrator.core.collection.slot import AgentSums, Slot
from meta_orchestrator.core.collection.tasks import Tasks
from meta_orchestrator.core.collection.totals import Totals
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.outputs import AgentMetrics
from meta_orchestrator.policy import Samples

HOUR_S = 3600


class Window:
    """Some slots side by side, up to `tick_us`."""

    def __init__(self, slots: list[Slot], tick_us: int, length_us: int, totals: Totals | None = None) -> None:
        self.slots, self.tick_us, self.length_us = slots, tick_us, length_us
        if len(slots) == 1:
            self.agents: Mapping[str, AgentSums] = slots[0].agents
            self._finished_tasks: Set[str] = slots[0].finished.keys()
        else:
            totals = totals or Totals(slots)
            self.agents, self._finished_tasks = totals.agents, totals.finished.keys()

    def measures(self, agents: Agents, tasks: Tasks, samples: Samples) -> Measures:
        """All numbers of a snapshot that do not depend on the decisions of the tick."""
        latencies = [slot.latencies for slot in self.slots]
        closed = sum(sketch.count for sketch in latencies)
        ended, failed = self._agent_sum("handoffs_ended"), self._agent_sum("handoffs_failed")
        votes, against = self._agent_sum("votes"), self._agent_sum("votes_against")
        finished, reworked, worked = self._worked(tasks)
        regressed = len(self._tasks("regressed", tasks))
        undecided = closed - self._sum("rounds_decided")
        return Measures(
            consensus_latency_p95_ms=_p95(latencies, samples.p95),
            consensus_success_rate=_rate(self._sum("rounds_decided"), closed, samples.rate),
            dissent_rate=_rate(against, votes, samples.rate),
            agent_utilization=self._utilization(agents),
            handoff_failure_rate=_rate(failed, ended, samples.rate),
            handoff_failure_causes=self._counter("causes"),
            development_velocity=self._points() * HOUR_S * SECOND / self.length_us,
            quality_regression_rate=_share(regressed, finished, samples.rate),
            coordination_failures=failed + undecided + len(self._names("abandoned")),
            rework_percentage=_percent(reworked, worked, samples.rate),
            manual_interventions=self._sum("interventions"),
            counts=self._counter("counts"),
            late_events=self._sum("late"),
        )

    def agent_metrics(self, agents: Agents, samples: Samples) -> Iterator[AgentMetrics]:
        """One for each agent with events in the window, by name."""
        for name in sorted(name for name, sums in self.agents.items() if sums.events):
            sums = self.agents[name]
            agent = agents.get(name)
            yield AgentMetrics(
                agent=name,
                task_latency_p95_ms=_p95(
                    [slot.durations[name] for slot in self.slots if name in slot.durations], samples.p95
                ),
                utilization=agent.utilization(sums, self.length_us) if agent else None,
                handoff_failure_rate=_rate(sums.handoffs_failed, sums.handoffs_ended, samples.rate),
                dissent_rate=_rate(sums.votes_against, sums.votes, samples.rate),
            )

    def row(self, agents: Agents, tasks: Tasks) -> NDArray[np.float64]:
        """The sums of these slots for the history, shape (len(FIELDS),)."""
        finished, reworked, worked = self._worked(tasks)
        busy_us, capacity_us = self._work(agents)
        closed = sum(slot.latencies.count for slot in self.slots)
        values = {
            "events": sum(self._counter("counts").values()),
            "rounds_closed": closed,
            "latency_count": closed,
            "votes": self._agent_sum("votes"),
            "votes_against": self._agent_sum("votes_against"),
            "handoffs_ended": self._agent_sum("handoffs_ended"),
            "handoffs_failed": self._agent_sum("handoffs_failed"),
            "handoffs_timed_out": self._counter("causes").get("timeout", 0),
            "points": self._points(),
            "tasks_finished": finished,
            "tasks_regressed": len(self._tasks("regressed", tasks)),
            "tasks_reworked": reworked,
            "tasks_worked": worked,
            "tasks_abandoned": len(self._names("abandoned")),
            "busy_us": busy_us,
            "capacity_us": capacity_us,
            "seconds": self.length_us / SECOND,
        }
        return np.array([values[name] if name in values else self._sum(name) for name in FIELDS], np.float64)

    def _sum(self, name: str) -> int:
        total: int = sum(getattr(slot, name) for slot in self.slots)
        return total

    def _points(self) -> float:
        return sum(slot.points for slot in self.slots)

    def _agent_sum(self, name: str) -> int:
        total: int = sum(getattr(sums, name) for sums in self.agents.values())
        return total

    def _counter(self, name: str) -> dict[str, int]:
        total: Counter[str] = Counter()
        for slot in self.slots:
            total.update(getattr(slot, name))
        return dict(sorted(total.items()))

    def _names(self, name: str) -> set[str]:
        return set().union(*(getattr(slot, name) for slot in self.slots))

    def _worked(self, tasks: Tasks) -> tuple[int, int, int]:
        """Tasks finished, tasks with rework requested, and tasks that are one or both; without steps."""
        steps = tasks.steps_among(self._finished_tasks, self.tick_us)
        reworked, finished = self._tasks("reworked", tasks), len(self._finished_tasks) - len(steps)
        only_reworked = sum(name not in self._finished_tasks for name in reworked)
        return finished, len(reworked), finished + only_reworked

    def _tasks(self, name: str, tasks: Tasks) -> set[str]:
        """Distinct tasks without steps, which are in no rate."""
        names = self._names(name)
        names -= tasks.steps_among(names, self.tick_us)
        return names

    def _utilization(self, agents: Agents) -> dict[str, float | None]:
        """Mean over live agents by type, of those of whom something is known."""
        found: defaultdict[str, list[float]] = defaultdict(list)
        for name, agent in agents.items():
            share = agent.utilization(self.agents.get(name, _NOTHING), self.length_us)
            if share is not None and agent.is_live(self.tick_us):
                found[agent.agent_type or "unknown"].append(share)
        return {name: sum(sorted(shares)) / len(shares) for name, shares in sorted(found.items())}

    def _work(self, agents: Agents) -> tuple[float, float]:
        """(busy, capacity) of live agents in agent-microseconds."""
        busy = capacity_us = 0
        for name, agent in agents.items():
            sums = self.agents.get(name, _NOTHING)
            if agent.is_live(self.tick_us) and agent.beat_us is not None:
                busy, capacity_us = busy + sums.beat_area, capacity_us + sums.beat_us
            elif agent.is_live(self.tick_us) and agent.had_task:
                most_us = agent.capacity * self.length_us
                busy, capacity_us = busy + min(sums.busy_us, most_us) * BILLION, capacity_us + most_us
        return busy / BILLION, capacity_us


_NOTHING = AgentSums()


def _rate(part: int, whole: int, least: int) -> float | None:
    return part / whole if whole >= least else None


def _share(part: int, whole: int, least: int) -> float | None:
    rate = _rate(part, whole, least)
    return None if rate is None else min(rate, 1.0)


def _percent(part: int, whole: int, least: int) -> float | None:
    return 100 * part / whole if whole >= least else None


def _p95(sketches: list[Sketch], least: int) -> float | None:
    return quantile(sketches, 0.95) if sum(sketch.count for sketch in sketches) >= least else None
