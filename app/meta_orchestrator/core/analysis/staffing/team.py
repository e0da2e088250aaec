"""team.recommended: of which kind of agent there are too few or too many, and what a change would do to waiting."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from meta_orchestrator.core.analysis.staffing.crews import crews, typical_capacity
from meta_orchestrator.core.analysis.staffing.queueing import lag_one, left_waiting, p_above, queue_length
from meta_orchestrator.core.analysis.staffing.skills import Skills
from meta_orchestrator.core.analysis.staffing.stations import BATCHES, Stations
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import HOUR_US
from meta_orchestrator.messages.outputs import Coverage, TeamRecommended
from meta_orchestrator.policy import Policy

Floats = NDArray[np.float64]

LEVEL = 0.05
"""Of each one-sided test of batch means; a recommendation needs two looks in a row."""
MOST = 3
"""Agents of one kind that are recommended at once: what came of them shows more than any formula."""
_LEAST, _MOST = 1e-6, 10.0
"""A change of no tasks has a logarithm too; beyond a factor of e^10 nothing is known."""
EASY = 0.5
"""So many are added that tasks wait for at most this share of what would be a bottleneck; a removal keeps to it."""


@dataclass(frozen=True)
class Kind:
    """One agent type over some batches: tasks on average, by batch."""

    name: str
    agents: tuple[str, ...]
    capacity: int
    """Tasks at once of one agent."""
    servers: int
    waiting: Floats
    served: Floats

    def mean_waiting(self, batches: NDArray[np.bool_]) -> float:
        return float(self.waiting[batches].mean())

    def left(self, more: int, batches: NDArray[np.bool_] | None = None) -> float:
        """Tasks still waiting with so many agents more (or less), by the batches that are chosen."""
        chosen = np.ones(len(self.waiting), np.bool_) if batches is None else batches
        waiting, load = float(self.waiting[chosen].mean()), float(self.served[chosen].mean())
        left = left_waiting(waiting, load, self.servers, more * self.capacity)
        return left if more > 0 else max(left, queue_length(self.servers + more * self.capacity, load))


class TeamWatch:
    """Demand against supply, by agent type and skill.

    Demand of a skill: tasks in service (arrivals times work, by Little's law) times the share of tasks that require
    it. Supply: the capacity of those who have it, an agent's divided over its skills as they are in demand.

    A type is added where tasks wait for it significantly longer than they are worked on (`analysis.bottleneck_wait`),
    or where one of its skills is in demand beyond `targets.utilization_high` of all who have it. One is removed where
    utilization is significantly below `targets.utilization_low`, everybody's skills are there twice, and the others
    would hardly make anybody wait. Both by batch means at .05, in two looks in a row.
    Said when it has changed, at most once an hour; nothing when all is well.
    """

    def __init__(self, policy: Policy, stations: Stations) -> None:
        self.policy, self.stations = policy, stations
        self.skills = Skills()
        self._seen = 0
        """Batches closed at the last look."""
        self._before: list[list[str]] = [[], []]
        """(add, remove) of the look before."""
        self._said: list[list[str]] = [[], []]
        self._said_us = 0

    def judge(self, moment: Moment) -> list[TeamRecommended]:
        """At most one, where a batch of the stations has just closed."""
        self.skills.read(moment)
        if self.stations.closed == self._seen or not self.stations.is_enough:
            return []
        self._seen = self.stations.closed
        self.skills.forget(moment)
        return self._settle(moment, kinds(moment, self.stations))

    def _settle(self, moment: Moment, team: list[Kind]) -> list[TeamRecommended]:
        missing = self._missing(team)
        now = [missing, self._idle([kind for kind in team if kind.name not in missing])]
        agreed, self._before = now == self._before, now
        if not agreed:
            return []
        if now == [[], []]:
            self._said = now
            return []
        if now == self._said or moment.tick_us - self._said_us < HOUR_US:
            return []
        self._said, self._said_us = now, moment.tick_us
        return [TeamRecommended(add=now[0], remove=now[1], coverage=self._coverage(team), expected=expected(team, now))]

    # ---- too few -------------------------------------------------------------------------------------------------

    def _missing(self, team: list[Kind]) -> list[str]:
        """Types to add, as often as agents are needed."""
        return [kind.name for kind in team for _ in range(self._how_many(kind))]

    def _how_many(self, kind: Kind) -> int:
        limit = self.policy.analysis.bottleneck_wait
        if p_above(kind.waiting - limit * kind.served) > LEVEL:
            return int(self._lacks_a_skill(kind))
        enough = EASY * limit * float(kind.served.mean())
        return next((more for more in range(1, MOST + 1) if kind.left(more) <= enough), MOST)

    def _lacks_a_skill(self, kind: Kind) -> bool:
        """Is there one that all who have it together hardly can serve?"""
        high = self.policy.targets.utilization_high
        return any(
            p_above(share * kind.served - high * self._able(kind, skill)) <= LEVEL
            for skill, share in self.skills.shares(kind.name).items()
        )

    def _able(self, kind: Kind, skill: str) -> int:
        """Capacity of those of a kind who have a skill."""
        return kind.capacity * sum(self.skills.can(agent, skill) for agent in kind.agents)

    # ---- too many ------------------------------------------------------------------------------------------------

    def _idle(self, team: list[Kind]) -> list[str]:
        return [kind.name for kind in team if len(kind.agents) > 1 and self._can_spare_one(kind)]

    def _can_spare_one(self, kind: Kind) -> bool:
        """Less than `utilization_low` in use, little waiting without it, and nobody's skills are the last ones."""
        if p_above(self.policy.targets.utilization_low * kind.servers - kind.served) > LEVEL:
            return False
        load = float(kind.served.mean())
        if kind.left(-1) > EASY * self.policy.analysis.bottleneck_wait * load:
            return False
        return any(self._is_covered(kind, agent) for agent in kind.agents)

    def _is_covered(self, kind: Kind, agent: str) -> bool:
        """Could the others of its kind do its work?"""
        high, load = self.policy.targets.utilization_high, float(kind.served.mean())
        return all(
            share * load <= high * (self._able(kind, skill) - kind.capacity)
            for skill, share in self.skills.shares(kind.name).items()
            if self.skills.can(agent, skill)
        )

    # ---- what is said --------------------------------------------------------------------------------------------

    def _coverage(self, team: list[Kind]) -> dict[str, Coverage]:
        """Skill → agents in demand and in supply, over all types whose tasks name skills."""
        demand: dict[str, float] = {}
        supply: dict[str, float] = {}
        for kind in team:
            wanted = {
                skill: share * float(kind.served.mean()) for skill, share in self.skills.shares(kind.name).items()
            }
            for skill, load in wanted.items():
                demand[skill] = demand.get(skill, 0.0) + load
            for agent in kind.agents:
                for skill, part in self._divided(agent, kind.capacity, wanted).items():
                    supply[skill] = supply.get(skill, 0.0) + part
        return {skill: Coverage(demand=demand[skill], supply=supply.get(skill, 0.0)) for skill in sorted(demand)}

    def _divided(self, agent: str, capacity: int, wanted: Mapping[str, float]) -> dict[str, float]:
        """An agent's capacity over those of its skills that are wanted, as much as they are."""
        own = {skill: load for skill, load in wanted.items() if self.skills.can(agent, skill)}
        total = sum(own.values())
        return {skill: capacity * load / total for skill, load in own.items()} if total else {}

    def dump(self) -> dict[str, Any]:
        return {
            "skills": self.skills.dump(),
            "seen": self._seen,
            "before": self._before,
            "said": self._said,
            "said_us": self._said_us,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        self.skills.load(dumped["skills"])
        self._seen, self._before = dumped["seen"], dumped["before"]
        self._said, self._said_us = dumped["said"], dumped["said_us"]


def kinds(moment: Moment, stations: Stations) -> list[Kind]:
    """The types of which somebody is there, by name."""
    there = crews(moment)
    names, loads = stations.table(BATCHES)
    return [
        Kind(
            name=name,
            agents=tuple(there[name]),
            capacity=typical_capacity(there[name]),
            servers=max(1, sum(there[name].values())),
            waiting=loads[:, column, 0],
            served=loads[:, column, 1],
        )
        for column, name in enumerate(names)
        if name in there
    ]


def expected(team: list[Kind], changes: list[list[str]]) -> dict[str, float]:
    """Tasks waiting now, and the change of it with its 95 % interval: jackknife over batches (Efron, Stein 1981), wider
    where they hang together (AR(1)), on the logarithm, since queues are skewed.
    """
    add, remove = changes
    more = {kind.name: add.count(kind.name) - remove.count(kind.name) for kind in team}
    touched = [kind for kind in team if more[kind.name]]
    n = len(touched[0].waiting)

    def size(batches: NDArray[np.bool_]) -> float:
        return sum(abs(kind.left(more[kind.name], batches) - kind.mean_waiting(batches)) for kind in touched)

    every = np.ones(n, np.bool_)
    without = np.array([math.log(size(every & (np.arange(n) != batch)) + _LEAST) for batch in range(n)])
    r = max(0.0, lag_one(without))
    spread = math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()) * (1 + r) / (1 - r))
    factor = math.exp(min(float(stdtrit(n - 1, 0.975)) * spread, _MOST))
    change = sum(kind.left(more[kind.name], every) - kind.mean_waiting(every) for kind in touched)
    low, high = sorted((change / factor, change * factor))
    now = sum(kind.mean_waiting(every) for kind in team)
    return {
        "waiting_tasks": now,
        "waiting_tasks_change": change,
        "waiting_tasks_change_low": low,
        "waiting_tasks_change_high": high,
    }
