"""How many of the places for tasks are taken, and how busy those are who hold them: over an hour, and over some.

A type of agents has a place for each task that its live agents may hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from meta_orchestrator.core.collection.agents import Agents
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import HOUR_US, Value, six_digits

LIMIT = "workflow.wip_limit"
OVERLAP = 0.5
"""Tasks an agent may be seen to hold beyond its limit: one begins before the end of another one is told."""
FULL = 0.9
"""Share of the places of a type of agents from which on it is as good as full: tasks come and go."""
BUSY_ENOUGH = 0.7
"""Those who hold all they may and are less busy than this wait for others."""
LONG_H = 3
"""Over so many hours `full_for_long` and `busy_for_long` are smoothed."""


@dataclass
class Occupancy:
    """Of the fullest type of agents (`fullest`), whichever that is just then."""

    full: float = 0.0
    """Share of the places for tasks that is taken, over the last hour or so."""
    full_for_long: float = 0.0
    """The same over some hours: a busy hour is no trouble where the team delivers."""
    busy: float = 0.0
    """How busy the agents of that type are; never from before the limit was moved."""
    busy_for_long: float = 0.0
    """The same over some hours: what one hour shows of it is luck for a good part."""
    seen_us: int | None = None
    limit: Value | None = None
    since_us: int = 0
    """When the limit was moved last."""

    def watch(self, moment: Moment) -> None:
        """Take in how it is at this tick."""
        tick_us, limit, utilization = moment.tick_us, moment.ledger.config.get(LIMIT), moment.measures.agent_utilization
        kind, full = fullest(moment.books.agents, limit, tick_us, utilization)
        if limit != self.limit:
            self.limit, self.since_us = limit, tick_us if self.seen_us is None else self.seen_us
        span_us = HOUR_US if self.seen_us is None else tick_us - self.seen_us
        self._follow("full", full, span_us, HOUR_US)
        busy = utilization.get(kind or "unknown")
        if busy is not None:
            self._follow("busy", busy, span_us, min(tick_us - self.since_us, HOUR_US))
        self.seen_us = tick_us

    def _follow(self, name: str, value: float, span_us: int, memory_us: int) -> None:
        """Exponential smoothing, over some time and over LONG_H times as long."""
        weight = min(span_us / max(memory_us, 1), 1.0)
        for smoothed, share in ((name, weight), (f"{name}_for_long", weight / LONG_H)):
            before = getattr(self, smoothed)
            setattr(self, smoothed, six_digits(before + share * (value - before)))


def fullest(
    agents: Agents, limit: object, tick_us: int, utilization: Mapping[str, float | None]
) -> tuple[str | None, float]:
    """The type of live agents that holds most for its places, and the share of them that is taken; 0 without a limit.

    Where it is 1, more work cannot be begun: what arrives then says nothing of how much there is to do. Of types that
    are as good as full the busiest one is it, since the others may wait for it. Who holds more than they may, and is
    idle, is not held up by the limit: what they hold waits for others.
    """
    if not isinstance(limit, int | float) or limit <= 0:
        return None, 0.0
    held = _held(agents, tick_us)
    shares = {kind: sum(tasks) / (len(tasks) * limit) for kind, tasks in held.items()}
    busy = {kind: utilization.get(kind or "unknown") or 0.0 for kind in shares}
    bound = [kind for kind, share in shares.items() if share * limit <= limit + OVERLAP or busy[kind] >= BUSY_ENOUGH]
    if not bound:
        return None, 0.0
    kind = max(sorted(bound, key=str), key=lambda it: (min(shares[it], FULL), busy[it], len(held[it])))
    return kind, min(shares[kind], 1.0)


def _held(agents: Agents, tick_us: int) -> dict[str | None, list[int]]:
    """Type → how many tasks each of its live agents holds."""
    held: dict[str | None, list[int]] = {}
    for agent in agents.values():
        if agent.is_live(tick_us):
            held.setdefault(agent.agent_type, []).append(agent.held)
    return held
