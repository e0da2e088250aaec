"""The smallest orchestrator that obeys: it names its settings, puts each change in force and says so.

python examples/orchestrator.py PROJECT; broker, prefix and trust file from META_ORCHESTRATOR_… as for the commands.
"""

import asyncio
import sys
from contextlib import suppress

from meta_orchestrator.client import Publisher, follow
from meta_orchestrator.settings import load_settings
from meta_orchestrator.simulation.scenarios import SCENARIOS

SCALE = 0.05
"""Three seconds here are a minute of the simulated team; its handoff time-out shrinks with it."""


async def main(project: str) -> None:
    settings = load_settings()
    if settings.trust is None:
        sys.exit("META_ORCHESTRATOR_TRUST must name a trust file: whose changes should be obeyed?")
    in_force = SCENARIOS["over_deliberation"].baseline(SCALE)
    where = {"broker": settings.broker, "prefix": settings.prefix, **settings.kafka_options()}
    async with Publisher(source="orchestrator", project=project, **where) as voice:
        await voice.register("orchestrator", in_force)
        async for change in follow(project, trust=settings.trust, publisher=voice, **where):
            in_force.update(change.config)
            await change.applied()
            print(f"version {change.version}: {change.message.reason}", flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # Ctrl-C ends it
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "demo"))
