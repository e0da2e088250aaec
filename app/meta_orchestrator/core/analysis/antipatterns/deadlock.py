"""deadlock: tasks and agents wait for one another in a circle."""

import math
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_AGENTS, NAMED_TASKS
from meta_orchestrator.core.analysis.antipatterns.shared.durations import Durations
from meta_orchestrator.core.analysis.antipatterns.shared.lasting import Lasting
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy

BLOCKED, UNBLOCKED = "agent.task.blocked", "agent.task.unblocked"
WAITS = 1_000
"""Open waits that are remembered; the oldest are kept, for they are what matters."""
NAMED = 8
"""Agents and tasks that one wait may name; what it names beyond is left out."""

Graph = dict[str, list[str]]
"""Node (`t` or `a`, then the name) → the nodes that it waits for."""


class Wait(NamedTuple):
    """`agent` has blocked a task until these tasks are done; if it names none, until these agents have acted."""

    agent: str
    since_us: int
    tasks: list[str]
    agents: list[str]

    @property
    def kind(self) -> str:
        return "tasks" if self.tasks else "agents"


class Deadlock(Lasting):
    """A cycle in the wait-for graph (Coffman et al., ACM Computing Surveys, 1971), as old as no wait that ends.

    Nodes are blocked tasks and agents. A task waits for the tasks that its `blocked` event names; where it names none,
    for the agents it names, and an agent for its own blocked tasks. Waits mutual for a moment are everyday life (two
    authors review each other), so a wait counts only when it is older than the q99 of the project's resolved waits of
    its kind, and so old that the chance of any two such waits in a look-back is `analysis.alpha`: the null is that
    waits end as they always did, independently; a tail beyond the data is extrapolated. Before there is a past a wait
    counts when it is older than `analysis.lookback_s`. False alarms: at most `analysis.alpha` in a look-back.
    Cleared: no such cycle for `analysis.clear_after_s`.
    Severity: the share of the held tasks that wait in or for a cycle. `since`: when the cycle closed.
    """

    kind = "deadlock"
    types = (BLOCKED, UNBLOCKED)

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self._lookback_us = round(policy.analysis.lookback_s * SECOND)
        self.waits: dict[str, Wait] = {}
        """Blocked task → its wait."""
        self.ended = {"agents": Durations(), "tasks": Durations()}
        """How long waits took that ended."""
        self._begun = 0
        """Waits that were ever begun, of `_ticks` ticks in which any did: how many there are in a look-back."""
        self._ticks = 0
        self._tick_us = 0
        self._new = 0
        self._due_us: int | None = None

    # ---- who waits for whom ----

    def observe(self, event: Event) -> None:
        time_us, data = event[0], event[4]
        task = data["task"]
        if event[3] == UNBLOCKED:
            self._resolve(task, time_us)
            return
        tasks = (data.get("waiting_for_tasks") or [])[:NAMED]
        agents = [] if tasks else [agent for agent in data["waiting_for"] if agent != data["agent"]][:NAMED]
        wait = Wait(data["agent"], time_us, tasks, agents)
        old = self.waits.get(task)
        if old and old._replace(since_us=time_us) == wait:
            return  # said again
        self._resolve(task, time_us)
        if len(self.waits) < WAITS:
            self.waits[task] = wait
            self._new += 1

    def _resolve(self, task: str, time_us: int) -> None:
        wait = self.waits.pop(task, None)
        if wait:
            self.ended[wait.kind].add(time_us - wait.since_us)

    def _settle(self, moment: Moment) -> None:
        """Waits that ended otherwise: the task was finished, or taken by someone who works on it."""
        tasks, slots = moment.books.tasks, moment.new_slots
        for name in list(self.waits):
            task = tasks.get(name)
            if task is None and any(name in slot.finished for slot in slots):
                self._resolve(name, moment.tick_us)
            elif task is not None and (task.holder is None or task.running):
                self._resolve(name, task.seen_us)
        self._begun, self._ticks = self._begun + self._new, self._ticks + (self._new > 0)
        self._new = 0

    # ---- cycles ----

    def see(self, moment: Moment) -> Antipattern | None:
        self._settle(moment)
        self._due_us = None
        if not self.waits:
            return None
        patience = {kind: self.patience_us(kind) for kind in self.ended}
        old = {n: w for n, w in self.waits.items() if moment.tick_us - w.since_us >= patience[w.kind]}
        found = list(cycles(graph(old)))
        if found:
            return self._finding(found, old, patience, moment)
        self._due_us = self._next_due_us(patience)
        return None

    def patience_us(self, kind: str) -> float:
        """The age from which a wait counts."""
        ended = self.ended[kind]
        if not ended.known:
            return self._lookback_us
        in_lookback = self._begun / self._ticks * self._lookback_us / self.policy.time.tick_us if self._ticks else 1
        share = math.sqrt(self.policy.analysis.alpha / max(1.0, in_lookback))
        return ended.exceeded_by(min(0.01, share))

    def _next_due_us(self, patience: dict[str, float]) -> int | None:
        """When a cycle that there is already will be old enough, if nothing happens until then."""
        cycle = next(cycles(graph(self.waits)), None)
        if cycle is None:
            return None
        waits = [self.waits[task] for task in cycle if task in self.waits]
        return max(round(wait.since_us + patience[wait.kind]) for wait in waits)

    def _finding(
        self, found: list[list[str]], old: dict[str, Wait], patience: dict[str, float], moment: Moment
    ) -> Antipattern:
        inside = [task for cycle in found for task in cycle]
        stuck = waiting_on(inside, graph(self.waits))
        closed_us = min(max(old[task].since_us for task in cycle) for cycle in found)
        youngest = max((old[task] for task in inside), key=lambda wait: wait.since_us)
        return Antipattern(
            kind=self.kind,
            agents=sorted({old[task].agent for task in inside})[:NAMED_AGENTS],
            tasks=sorted(inside)[:NAMED_TASKS],
            since=format_time_us(closed_us),
            severity=min(1.0, len(stuck) / max(1, moment.books.tasks.held)),
            evidence={
                "cycles": len(found),
                "cycle": " → ".join([*found[0], found[0][0]]),
                "tasks_stuck": len(stuck),
                "waited_s": (moment.tick_us - youngest.since_us) / SECOND,
                "patience_s": patience[youngest.kind] / SECOND,
                "resolved_waits": self.ended[youngest.kind].count,
            },
        )

    @property
    def next_look_us(self) -> int | None:
        return min((look for look in (super().next_look_us, self._due_us) if look is not None), default=None)

    def dump(self) -> dict[str, Any]:
        return super().dump() | {
            "waits": {task: list(wait) for task, wait in self.waits.items()},
            "ended": {kind: ended.dump() for kind, ended in self.ended.items()},
            "begun": [self._begun, self._ticks],
            "due_us": self._due_us,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        self.waits = {task: Wait(*wait) for task, wait in dumped["waits"].items()}
        self.ended = {kind: Durations.load(ended) for kind, ended in dumped["ended"].items()}
        self._begun, self._ticks = dumped["begun"]
        self._due_us = dumped["due_us"]


def graph(waits: dict[str, Wait]) -> Graph:
    """The wait-for graph of some waits."""
    edges: Graph = {}
    for task, wait in waits.items():
        edges["t" + task] = ["t" + name for name in wait.tasks] + ["a" + name for name in wait.agents]
        edges.setdefault("a" + wait.agent, []).append("t" + task)
    return edges


def cycles(edges: Graph) -> Iterator[list[str]]:
    """The tasks of one cycle after the other, none in two of them; in the order in which they wait."""
    edges = dict(edges)
    while _may_close(edges):
        try:
            TopologicalSorter(edges).prepare()
            return
        except CycleError as error:
            nodes: list[str] = error.args[1][:0:-1]
            yield [node[1:] for node in nodes if node[0] == "t"]
            for node in nodes:
                edges.pop(node, None)


def _may_close(edges: Graph) -> bool:
    """Whether anything is left when nodes from which no way goes on are taken away, again and again.

    Nearly always nothing is, and this takes an eighth of the time of a search.
    """
    left, before = edges, len(edges) + 1
    while len(left) < before:
        before = len(left)
        left = {node: targets for node, targets in left.items() if any(target in left for target in targets)}
    return bool(left)


def waiting_on(tasks: list[str], edges: Graph) -> set[str]:
    """Tasks that wait for any of these in the end, and these themselves."""
    waiting: dict[str, list[str]] = {}
    for node, targets in edges.items():
        for target in targets:
            waiting.setdefault(target, []).append(node)
    reached, front = set(), ["t" + task for task in tasks]
    while front:
        node = front.pop()
        if node not in reached:
            reached.add(node)
            front += waiting.get(node, [])
    return {node[1:] for node in reached if node[0] == "t"}
