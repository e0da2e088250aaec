"""People who step in when something is stuck."""

from meta_orchestrator.simulation.world import Steps, World


class Operators:
    """Whoever is on call: comes after a while, and is counted each time."""

    def __init__(self, world: World) -> None:
        self.world = world

    def intervene(self, kind: str, reason: str, task: str) -> Steps:
        world = self.world
        yield world.pause(world.chance.exponential(world.conditions.operator_s, "operator", task, reason))
        world.truth.count("interventions")
        data = {"operator": "operator-1", "kind": kind, "task": task, "reason": reason}
        world.publish("operator.intervened", data, "operator-1")
