"""Changes that cannot go on before another one is done; where that goes round in a circle, a person has to cut it."""

from dataclasses import dataclass

import simpy

from meta_orchestrator.simulation.agents import Agent
from meta_orchestrator.simulation.operators import Operators
from meta_orchestrator.simulation.work import Task
from meta_orchestrator.simulation.world import Steps, World


@dataclass(eq=False)
class Coding:
    """A change that is being coded. `needs`: the one that it waits for."""

    coder: Agent
    done: simpy.Event
    needs: str | None = None


class Tangles:
    """The more is half done at the same time, the more often one thing waits for another: the price of a high WIP."""

    def __init__(self, world: World, operators: Operators) -> None:
        self.world, self.operators = world, operators
        self._coding: dict[str, Coding] = {}

    def begin(self, task: Task, coder: Agent) -> bool:
        """Whether the change will need another one."""
        share, others = self.world.conditions.tangle, len(self._coding)
        self._coding[task.id] = Coding(coder, self.world.env.event())
        return self.world.chance.happens(1 - (1 - share) ** others, "tangle", task.id)

    def end(self, task: Task) -> None:
        self._coding.pop(task.id).done.succeed()

    def wait(self, task: Task) -> Steps:
        """Until what the change needs is done, which somebody else has in hand."""
        own = self._coding[task.id]
        others = [name for name, coding in self._coding.items() if coding.coder is not own.coder]
        if not others:
            return
        own.needs = others[int(self.world.chance.uniform("tangled", task.id) * len(others))]
        needed = self._coding[own.needs]
        with self.world.blocked(task.id, own.coder.name, [needed.coder.name], (own.needs,)):
            yield from self._until_done(task, needed.done)
        own.needs = None

    def _until_done(self, task: Task, done: simpy.Event) -> Steps:
        while not done.triggered:
            yield done | self.world.pause(self.world.conditions.stuck_s)
            if not done.triggered and self._leads_a_circle(task.id):
                self.world.truth.count("deadlocks")
                yield from self.operators.intervene("unblock", "deadlock", task.id)
                return

    def _leads_a_circle(self, first: str) -> bool:
        """Whether it waits for itself in the end, and no other name of the circle comes before: one call for each."""
        names, at = [first], self._coding[first].needs
        while at is not None and at in self._coding and at not in names:
            names.append(at)
            at = self._coding[at].needs
        return at == first and first == min(names)
