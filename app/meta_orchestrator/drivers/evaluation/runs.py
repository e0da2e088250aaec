"""One run of a team, with a controller or without, and its own books hour by hour. Pure functions of plain values, so
that any process can do one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from meta_orchestrator.drivers.closed_loop import START_US, ClosedLoop
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.fields import DAY_US, Value
from meta_orchestrator.messages.outputs import ConfigChange, Decision, MetricsSnapshot
from meta_orchestrator.policy import Policy
from meta_orchestrator.simulation.alone import Timetable, work_alone
from meta_orchestrator.simulation.scenarios import SCENARIOS, Scenario
from meta_orchestrator.simulation.team import Team
from meta_orchestrator.simulation.truth import HOUR_S, Span

FAULT_AT_H = 2
"""When the fault comes: an hour after the warm-up, so that a controller has seen the team in health."""
Config = dict[str, Value]


@dataclass(frozen=True)
class Decided:
    """A decision about one parameter: the configurations with and without the change."""

    at_s: float
    verdict: str
    parameter: str
    with_: Config
    without: Config
    explanation: str


@dataclass
class Run:
    """What one run came to."""

    scenario: str
    arm: str
    seed: int
    hours: list[Span] = field(default_factory=list)
    """The team's books of each hour, from the start on."""
    applied: list[tuple[float, Config]] = field(default_factory=list)
    """(seconds, the configuration from then on)."""
    decided: list[Decided] = field(default_factory=list)
    state_bytes: list[int] = field(default_factory=list)
    """What the controller would have to store, at the end of each day."""

    @property
    def faulty(self) -> Span:
        """The books from the fault on."""
        return together(self.hours[FAULT_AT_H:])

    def count(self, verdict: str) -> int:
        return sum(decided.verdict == verdict for decided in self.decided)


def together(spans: Iterable[Span]) -> Span:
    """The books of several stretches as of one."""
    spans = list(spans)
    names = dict.fromkeys(name for span in spans for name in span.totals)
    totals = {name: sum(span[name] for span in spans) for name in names}
    return Span(sum(span.seconds for span in spans), totals, spans[0].demand, spans[0].scale)


def static(scenario: str, seed: int, hours: int, config: Mapping[str, Value], arm: str) -> Run:
    """The team under its baseline, or with some other values, all the time."""
    return _run_of(work_alone(SCENARIOS[scenario], hours * HOUR_S, seed, config), scenario, arm, seed)


def scheduled(scenario: str, seed: int, hours: int, timetable: Timetable) -> Run:
    """The team under configurations that are put in force at given times, by nobody."""
    team = work_alone(SCENARIOS[scenario], hours * HOUR_S, seed, timetable=timetable)
    return _run_of(team, scenario, "scheduled", seed)


def controlled(scenario: str, seed: int, hours: int, policy: Policy, arm: str) -> Run:
    """The team with the meta-orchestrator."""
    loop = _Watched(policy, SCENARIOS[scenario], seed)
    loop.run(hours * HOUR_S)
    run = _run_of(loop.team, scenario, arm, seed)
    run.decided, run.state_bytes = loop.decided, loop.state_bytes
    return run


class _Watched(ClosedLoop):
    """Notes what was decided, and about which configurations."""

    def __init__(self, policy: Policy, scenario: Scenario, seed: int) -> None:
        self.decided: list[Decided] = []
        self.state_bytes: list[int] = []
        super().__init__(policy, scenario, seed, FAULT_AT_H * HOUR_S)
        self.published: Config = dict(self.team.config)

    def output(self, event: CloudEvent) -> None:
        super().output(event)
        self.outputs.clear()  # a run of days would keep them all
        if isinstance(event.data, ConfigChange):
            self.published = dict(event.data.config)
        elif isinstance(event.data, Decision) and event.data.verdict != "refused":
            self._note(event.data)
        elif isinstance(event.data, MetricsSnapshot) and (event.time_us - START_US) % DAY_US == 0:
            self.state_bytes.append(self._stored())

    def _stored(self) -> int:
        """The head as it is stored, and everything that pages are made of."""
        project = self.replay.loop.projects[self.project]
        paged = [project.books.dump(), project.history.dump(0)]
        return len(project.head()) + len(orjson.dumps(paged, option=orjson.OPT_SERIALIZE_NUMPY))

    def _note(self, data: Decision) -> None:
        """What is about several parameters, as a reset, is nothing that a trial could be asked about."""
        asked, now = data.proposal, self.published
        if asked.parameter is None or asked.to is None or asked.from_ is None:
            return
        with_, without = now | {asked.parameter: asked.to}, now | {asked.parameter: asked.from_}
        decided = Decided(float(self.env.now), data.verdict, asked.parameter, with_, without, data.explanation)
        self.decided.append(decided)


def _run_of(team: Team, scenario: str, arm: str, seed: int) -> Run:
    return Run(scenario, arm, seed, team.truth.hours(), team.applied)
