"""The team without anybody who watches it: any fixed configuration, or any timetable of configurations.

For the static baseline, for the best that could have been done (clairvoyant), and for the judgement of a change by two
runs of the same seed, one with it and one without.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import simpy

from meta_orchestrator.messages.fields import Value
from meta_orchestrator.simulation.scenarios import Scenario
from meta_orchestrator.simulation.team import Team
from meta_orchestrator.simulation.truth import HOUR_S
from meta_orchestrator.simulation.world import Steps

Timetable = Sequence[tuple[float, Mapping[str, Value]]]
"""(seconds, what is set then), as `team.applied` has it."""


def work_alone(
    scenario: Scenario,
    until_s: float,
    seed: int = 0,
    config: Mapping[str, Value] | None = None,
    timetable: Timetable = (),
    fault_at_s: float = 2 * HOUR_S,
    scale: float = 1.0,
) -> Team:
    """The team after `until_s`; `config` on top of the scenario's own from the start."""
    env = simpy.Environment()
    team = scenario.team(env, _unheard, seed, fault_at_s, scale)
    if config:
        team.apply(config)
    env.process(_obey(team, timetable))
    env.run(until=until_s)
    team.truth.mark(until_s)
    return team


def _obey(team: Team, timetable: Timetable) -> Steps:
    for at_s, config in timetable:
        yield team.world.pause(at_s - team.world.now)
        team.apply(config)


def _unheard(kind: str, data: dict[str, Any], source: str) -> None:
    """Nobody listens."""
