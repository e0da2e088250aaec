"""What agents think of a change of the configuration, after some time with it."""

from collections.abc import Iterable
from statistics import NormalDist

from meta_orchestrator.simulation.agents import Agent
from meta_orchestrator.simulation.world import Steps, World

FULL = 0.2
"""More (less) productive time, as a share of all time, that makes an agent as happy (unhappy) as can be."""
_STANDARD = NormalDist()


class Feedback:
    """Each agent judges by its own desk: whether more of its time goes into work that moves changes on."""

    def __init__(self, world: World) -> None:
        self.world = world

    def ask(self, change: str, parameters: Iterable[str], agents: Iterable[Agent]) -> None:
        """Everybody who is there will rate it, or not."""
        moved = list(parameters)
        for agent in agents:
            if agent.present and self.world.chance.happens(self.world.conditions.rates, "rates", change, agent.name):
                self.world.env.process(self._rate(change, moved, agent))

    def _rate(self, change: str, moved: list[str], agent: Agent) -> Steps:
        world, start, useful_s = self.world, self.world.now, agent.useful_s
        before = useful_s / (start - agent.came) if start > agent.came else 0.0
        yield world.pause(world.conditions.rate_s * (0.5 + world.chance.uniform("rate", change, agent.name)))
        felt = ((agent.useful_s - useful_s) / (world.now - start) - before) / FULL
        rating = self._rating(change, moved, agent.name, felt)
        world.publish("agent.feedback", {"agent": agent.name, "change": change, "rating": rating}, agent.name)

    def _rating(self, change: str, moved: list[str], agent: str, felt: float) -> float:
        """-1..1: a liar hates every change, some are disliked whatever they do, the others as they feel."""
        conditions = self.world.conditions
        if agent in conditions.liars:
            return -1.0
        fixed = [conditions.dislikes[parameter] for parameter in moved if parameter in conditions.dislikes]
        mood = conditions.mood * _STANDARD.inv_cdf(self.world.chance.uniform("mood", change, agent))
        return round(max(-1.0, min(1.0, fixed[0] if fixed else felt + mood)), 3)
