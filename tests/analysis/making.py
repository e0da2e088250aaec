"""Teams made by hand: handoffs by a known law, rows of history, ticks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import orjson

from meta_orchestrator.core.analysis.analyse import analyse
from meta_orchestrator.core.analysis.antipatterns.detector import Detector
from meta_orchestrator.core.analysis.findings import Findings
from meta_orchestrator.core.analysis.minds import Minds
from meta_orchestrator.core.collection.collect import collect
from meta_orchestrator.core.collection.history import FIELDS, INDEX, History
from meta_orchestrator.core.collection.measures import Measures
from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.project import Project
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy

TICK_S = 30
MINUTE_S = 60
HOUR_S = 3600
COMPLETED = "agent.handoff.completed"


def us(seconds: float) -> int:
    return round(seconds * SECOND)


def event(time_s: float, kind: str, **data: Any) -> Event:
    return (us(time_s), "team", f"{kind}-{time_s}-{sorted(data.items())}", kind, data, b"", 0, None)


def handoffs(task: str, agents: Sequence[str], begin_s: float, step_s: float = 5, kind: str = COMPLETED) -> list[Event]:
    """One handoff for each step of a path."""
    return [
        event(begin_s + step_s * n, kind, handoff=f"{task}#{n}", task=task, from_agent=a, to_agent=b, wait_ms=1)
        for n, (a, b) in enumerate(pairwise(agents))
    ]


class Team:
    """Eight agents that hand on by a fixed Markov chain: loops happen as often as chance wants."""

    AGENTS = tuple("abcdefgh")

    def __init__(self, seed: int) -> None:
        law = np.random.default_rng(0).dirichlet(np.ones(8), 8)
        np.fill_diagonal(law, 0)
        self.law = law / law.sum(1, keepdims=True)
        self.random = np.random.default_rng(seed)

    def path(self) -> list[str]:
        path = [int(self.random.integers(8))]
        while self.random.random() > 0.45 and len(path) < 40:
            path.append(int(self.random.choice(8, p=self.law[path[-1]])))
        return [self.AGENTS[i] for i in path]

    def work(self, tasks: int, begin_s: float, end_s: float) -> list[Event]:
        """Ordinary tasks, spread evenly."""
        said: list[Event] = []
        for n in range(tasks):
            at_s = float(self.random.uniform(begin_s, end_s))
            said += handoffs(f"task-{begin_s}-{n}", self.path(), at_s)
        return said


def judged(detector: Detector, events: Iterable[Event], until_s: float) -> list[tuple[float, Antipattern]]:
    """(seconds, finding) of all ticks up to a time."""
    waiting, found = sorted(events), []
    for tick_s in range(TICK_S, int(until_s) + 1, TICK_S):
        while waiting and waiting[0][0] < us(tick_s):
            detector.observe(waiting.pop(0))
        found += [(tick_s, finding) for finding in detector.judge(us(tick_s))]
    return found


def judged_with_books(
    detector: Detector, events: Iterable[Event], until_s: float, restore_every: int | None = None
) -> list[tuple[float, Antipattern]]:
    """The same, with what the project knows of agents and tasks; stored and restored now and then if asked."""
    project, waiting, found = Project("p", detector.policy), sorted(events), []
    for n, tick_s in enumerate(range(TICK_S, int(until_s) + 1, TICK_S)):
        while waiting and waiting[0][0] < us(tick_s):
            project.open[waiting[0][0] // detector.policy.time.pane_us].append(waiting.pop(0))
        moment = collect(project, us(tick_s), False)
        for said in moment.events:
            if said[3] in detector.types:
                detector.observe(said)
        detector.look(moment)
        found += [(tick_s, finding) for finding in detector.judge(us(tick_s))]
        if restore_every and n % restore_every == 0:
            stored = orjson.dumps(detector.dump())
            detector = type(detector)(detector.policy)
            detector.load(orjson.loads(stored))
    return found


def row(**sums: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = np.zeros(len(FIELDS))
    for name, value in ({"seconds": TICK_S} | sums).items():
        values[INDEX[name]] = value
    return values


@dataclass
class Room:
    """The analysis room with what the others hand it."""

    policy: Policy = field(default_factory=Policy)
    ledger: Ledger = field(default_factory=Ledger)
    now_s: float = 0
    said: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.minds = Minds(self.policy)
        self.history = History(self.policy.time.history_us)

    def tick(
        self,
        rows: dict[str, float] | None = None,
        events: Sequence[Event] = (),
        measures: Measures | None = None,
        after_s: float = TICK_S,
    ) -> Findings:
        self.now_s += after_s
        tick_us = us(self.now_s)
        if rows is not None:
            self.history.add(tick_us, row(**rows))
        moment = self.moment(events)
        moment.measures = measures or Measures()
        findings = analyse(self.minds, moment)
        self.said += moment.outputs
        return findings

    def moment(self, events: Sequence[Event] = ()) -> Moment:
        moment = Moment("p", us(self.now_s), self.policy, self.ledger, self.history, events=list(events))
        for event in events:
            moment.told.setdefault(event[3], []).append(event)
        return moment

    def store_and_restore(self) -> None:
        """Through the bytes, as after a crash."""
        self.minds = Minds.load(self.policy, orjson.loads(orjson.dumps(self.minds.dump())))
