"""Work moves from agent to agent: offered, answered in time or not, refused or taken."""

import math
from collections.abc import Callable, Generator
from typing import Any

import simpy

from meta_orchestrator.simulation.agents import Agent, Pool
from meta_orchestrator.simulation.operators import Operators
from meta_orchestrator.simulation.work import Piece, Task
from meta_orchestrator.simulation.world import World


class Handoffs:
    def __init__(self, world: World, operators: Operators) -> None:
        self.world, self.operators = world, operators

    def move(self, piece: Piece, sender: Agent, pool: Pool) -> Generator[simpy.Event, Any, Agent]:
        """Hand a piece to somebody of the pool who has room for it."""
        receiver: Agent = yield from self._until_taken(piece, sender, pool, lambda: pool.claim(piece))
        return receiver

    def give_back(self, piece: Piece, sender: Agent, author: Agent, pool: Pool) -> Generator[simpy.Event, Any, Agent]:
        """Hand a piece back to the one who made it."""
        receiver: Agent = yield from self._until_taken(piece, sender, pool, lambda: pool.place(piece, author))
        return receiver

    def _until_taken(
        self, piece: Piece, sender: Agent, pool: Pool, choose: Callable[[], simpy.Event]
    ) -> Generator[simpy.Event, Any, Agent]:
        """Offer it again and again; whoever waits too long for that, or has moved too often, calls an operator."""
        start = self.world.now
        while True:
            receiver: Agent = yield choose()
            taken = yield from self._offer(piece, sender, receiver)
            if taken:
                return receiver
            if self._is_stuck(piece, start):
                yield from self.operators.intervene("reassign", "handoff_stuck", piece.id)
                piece.explained = True
                return receiver
            self._withdraw(piece, receiver, pool)
            yield from sender.work(self.world.conditions.prepare_s, piece.id, "handoff")

    def _offer(self, piece: Piece, sender: Agent, receiver: Agent) -> Generator[simpy.Event, Any, bool]:
        """One attempt: True if it was taken."""
        world, start = self.world, self.world.now
        piece.handoffs += 1
        name = f"{piece.id}.h{piece.handoffs}"
        data = {"handoff": name, "task": piece.id, "from_agent": sender.name, "to_agent": receiver.name}
        world.publish("agent.handoff.started", data, sender.name)
        answer_s, timeout_s = self._answer_s(name, receiver), world.configuration.handoff_timeout_s
        yield world.pause(min(answer_s, timeout_s))
        cause = "timeout" if answer_s > timeout_s else self._refusal(piece, name, receiver)
        world.truth.count("handoffs")
        if cause is None:
            world.publish("agent.handoff.completed", data | {"wait_ms": world.since_ms(start)}, receiver.name)
            return True
        world.truth.count("handoff_failures")
        world.publish("agent.handoff.failed", data | {"cause": cause, "wait_ms": world.since_ms(start)}, sender.name)
        return False

    def _answer_s(self, name: str, receiver: Agent) -> float:
        """How long the receiver needs to answer: longer with a full desk, for ever where the offer got lost."""
        conditions, chance = self.world.conditions, self.world.chance
        if chance.happens(conditions.lost, "lost", name):
            return math.inf
        mean = conditions.accept_s * (1 + conditions.accept_per_task * (len(receiver.desk) - 1))
        return chance.lognormal(mean, conditions.accept_cv, "answer", name)

    def _refusal(self, piece: Piece, name: str, receiver: Agent) -> str | None:
        conditions, chance = self.world.conditions, self.world.chance
        if not receiver.present:
            return "unavailable"
        if (
            isinstance(piece, Task)
            and not piece.explained
            and chance.happens(conditions.orphaned, "orphaned", piece.id)
        ):
            return "missing_context"
        if chance.happens(conditions.rejected, "rejected", name):
            return "rejected"
        return "missing_context" if chance.happens(conditions.missing_context, "missing_context", name) else None

    def _is_stuck(self, piece: Piece, start: float) -> bool:
        patience_s = self.world.conditions.patience_s
        return piece.handoffs >= self.world.configuration.max_handoffs or self.world.now - start > patience_s

    def _withdraw(self, piece: Piece, receiver: Agent, pool: Pool) -> None:
        if piece.apart is not None:
            piece.apart.discard(receiver.name)
        pool.leave(piece, receiver)
