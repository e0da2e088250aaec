"""A simulated team in real time, for a broker of one's own: after some minutes it debates everything to death.

python examples/team.py PROJECT; broker, prefix and trust file from META_ORCHESTRATOR_… as for the commands. It goes by
the configuration that the orchestrator obeys (orchestrator.py), and answers for nothing.
"""

import asyncio
import sys
import time
from contextlib import suppress

import simpy

from meta_orchestrator.client import Publisher, follow
from meta_orchestrator.settings import Settings, load_settings
from meta_orchestrator.simulation.scenarios import SCENARIOS
from meta_orchestrator.simulation.team import Team

SCALE = 0.05
FAULT_AT_S = 300.0
STEP_S = 0.05


async def main(project: str) -> None:
    settings = load_settings()
    where = {"broker": settings.broker, "prefix": settings.prefix, **settings.kafka_options()}
    clock = simpy.Environment()
    async with Publisher(source="team", project=project, **where) as voice:
        team = SCENARIOS["over_deliberation"].team(
            clock, lambda kind, data, source: voice.post(kind, data, source=source), fault_at_s=FAULT_AT_S, scale=SCALE
        )
        await asyncio.gather(_work(clock), _go_by(team, project, settings, where))


async def _work(clock: simpy.Environment) -> None:
    """The simulation's seconds are those of the wall."""
    start = time.monotonic()
    while True:
        await asyncio.sleep(STEP_S)
        clock.run(until=time.monotonic() - start)


async def _go_by(team: Team, project: str, settings: Settings, where: dict[str, object]) -> None:
    if settings.trust is None:
        sys.exit("META_ORCHESTRATOR_TRUST must name a trust file: whose changes count?")
    async for change in follow(project, trust=settings.trust, source="team", **where):
        team.apply(change.config)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # Ctrl-C ends it
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "demo"))
