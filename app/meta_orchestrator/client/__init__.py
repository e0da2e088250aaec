"""What agents and orchestrators import: tell what happens, and obey changes.

    from meta_orchestrator.client import Publisher, follow

    async with Publisher(broker="localhost:9092", source="agent-7", project="checkout") as team:
        await team.publish("agent.heartbeat", {"agent": "agent-7", "utilization": 0.4})
        async with team.task("t1", agent="agent-7"):
            ...

    async for change in follow("checkout", broker="localhost:9092", trust="trust.toml"):
        apply(change.config)
        await change.applied()

The same without asyncio is in `meta_orchestrator.client.sync`. It is made to live inside somebody else's service: it
needs the base install only, never blocks and never raises because Kafka is away, and what it could not deliver it
counts.
"""

from meta_orchestrator.client.compose import InvalidMessage
from meta_orchestrator.client.follower import Change, Follower, follow
from meta_orchestrator.client.publisher import Publisher

__all__ = ["Change", "Follower", "InvalidMessage", "Publisher", "follow"]
