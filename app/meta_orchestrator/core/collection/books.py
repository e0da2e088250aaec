"""The books of a project: what must be known of the past to understand the next event. Folding turns their pages."""

from collections.abc import Callable
from typing import Any

from meta_orchestrator.core.collection.agents import Agents
from meta_orchestrator.core.collection.handoffs import Handoffs
from meta_orchestrator.core.collection.remembered import Remembered
from meta_orchestrator.core.collection.rounds import Rounds
from meta_orchestrator.core.collection.said import NAMING, Said
from meta_orchestrator.core.collection.slot import Slot
from meta_orchestrator.core.collection.tasks import Tasks
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import HOUR_US
from meta_orchestrator.policy import Limits

_INTERVENTIONS = ("operator.intervened", "control.override", "control.rollback", "control.approve", "control.decline")

_VOTING = ("consensus.round.opened", "consensus.vote.cast", "consensus.round.closed")
Turn = Callable[[Event, Slot], None]


class Books:
    """Agents, tasks, handoffs and rounds of one project."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.successes, self.handoff_ends, self.round_ends = (Remembered(limits.remembered) for _ in range(3))
        self.agents = Agents()
        self.tasks = Tasks(self.agents, self.successes)
        self.handoffs = Handoffs(self.handoff_ends)
        self.rounds = Rounds(self.round_ends)
        self.turns: dict[str, Turn] = {
            "agent.registered": self._register,
            "agent.deregistered": self._deregister,
            "agent.heartbeat": self._beat,
            "agent.task.started": self.tasks.start,
            "agent.task.finished": self.tasks.finish,
            "agent.task.blocked": self.tasks.block,
            "agent.task.unblocked": self.tasks.unblock,
            "agent.handoff.started": self.handoffs.start,
            "agent.handoff.completed": self.handoffs.end,
            "agent.handoff.failed": self.handoffs.end,
            "agent.rework.requested": _rework,
            "agent.quality.checked": _check,
            "consensus.round.opened": self.rounds.open,
            "consensus.vote.cast": self.rounds.vote,
            "consensus.round.closed": self.rounds.close,
            **dict.fromkeys(_INTERVENTIONS, _intervene),
        }

    def fold(
        self, events: list[Event], slot: Slot, start_us: int, refuse: Callable[[Event, str, str], None]
    ) -> list[Event]:
        """Turn the pages for one slot's events, in order; return those that count, the others are over a limit.

        Only where a limit, or the 24 h of an agent, may be reached on the way is each event looked at by itself.
        """
        said = Said(events)
        if self._is_scarce(said) or self.agents.any_overdue(said.last_us, slot.end_us):
            return [event for event in events if self._fold_one(event, slot, start_us, refuse)]
        self._fold(said, slot, start_us)
        return events

    def _fold_one(self, event: Event, slot: Slot, start_us: int, refuse: Callable[[Event, str, str], None]) -> bool:
        """Fold an event unless it is over a limit."""
        over = self._over(event)
        if over is None:
            self._fold(Said([event]), slot, start_us)
        else:
            refuse(event, *over)
        return over is None

    def _fold(self, said: Said, slot: Slot, start_us: int) -> None:
        for type_, events in said.by_type.items():
            slot.told.setdefault(type_, []).extend(events)
            slot.counts[type_] = slot.counts.get(type_, 0) + len(events)
        for name, time_us in said.last_us.items():
            self.agents.greet(name, time_us, start_us)
        for name, times in said.times.items():
            slot.agents[name].events += times
        turns = self.turns
        for event in said.events:
            turn = turns.get(event[3])
            if turn is not None:
                turn(event, slot)

    def close(self, slot: Slot, start_us: int) -> None:
        """The end of a slot: time-outs, running work, and once an hour what is too old."""
        self.handoffs.time_out(slot.end_us, slot)
        self.agents.close(slot)
        self.agents.changed.update(slot.agents)
        slot.close()
        for remembered in (self.successes, self.handoff_ends, self.round_ends):
            remembered.forget(slot.end_us)
        if start_us // HOUR_US != slot.end_us // HOUR_US:
            self.agents.forget(slot.end_us)
            self.tasks.forget(slot.end_us)
            self.rounds.forget(slot.end_us)

    def take(self) -> dict[str, Any]:
        """What has changed since the last call."""
        return {name: getattr(self, name).take() for name in _STORED}

    def dump(self) -> dict[str, Any]:
        return {name: getattr(self, name).dump() for name in _STORED}

    def keep_nothing(self) -> None:
        """Forget what has changed, where nobody stores it."""
        for name in _STORED:
            getattr(self, name).keep_nothing()

    def put(self, dumped: dict[str, Any]) -> None:
        """Set what was dumped or taken before."""
        for name in _STORED:
            getattr(self, name).put(dumped[name])

    def settled(self, now_us: int) -> None:
        """After the last `put`: what follows from the entries and is not stored."""
        self.tasks.settled()
        self.handoffs.settled()
        self.agents.skip(now_us)
        for remembered in (self.successes, self.handoff_ends, self.round_ends):
            remembered.forget(now_us)

    def _is_scarce(self, said: Said) -> bool:
        """Whether these events could reach a limit."""
        limits, count = self.limits, len(said.events)
        return count > min(limits.open_tasks - self.tasks.held, limits.open_rounds - len(self.rounds)) or len(
            said.last_us
        ) > limits.agents - len(self.agents)

    def _over(self, event: Event) -> tuple[str, str] | None:
        """(limit, field) if this event would open more than the policy allows."""
        limits, data, fields = self.limits, event[4], NAMING.get(event[3], ())
        if len(self.agents) + len(fields) > limits.agents:
            new = [field for field in fields if data[field] not in self.agents]
            if new and len(self.agents) + len({data[field] for field in new}) > limits.agents:
                return "agents", f"data.{new[0]}"
        if event[3] == "agent.task.started":
            if self.tasks.held >= limits.open_tasks and not self.tasks.is_held(data["task"]):
                return "open_tasks", "data.task"
        elif event[3] in _VOTING and len(self.rounds) >= limits.open_rounds and data["round"] not in self.rounds:
            return "open_rounds", "data.round"
        return None

    def _register(self, event: Event, slot: Slot) -> None:
        data = event[4]
        agent = self.agents[data["agent"]]
        agent.agent_type, agent.capacity, agent.deregistered = data["agent_type"], data.get("capacity") or 1, False

    def _deregister(self, event: Event, slot: Slot) -> None:
        self.agents[event[4]["agent"]].deregistered = True

    def _beat(self, event: Event, slot: Slot) -> None:
        data = event[4]
        if data.get("agent_type") is not None:
            self.agents[data["agent"]].agent_type = data["agent_type"]
        self.agents.beat(data["agent"], event[0], data["utilization"], slot)


def _rework(event: Event, slot: Slot) -> None:
    slot.reworked[event[4]["task"]] = None


def _check(event: Event, slot: Slot) -> None:
    if event[4]["regression"]:
        slot.regressed[event[4]["task"]] = None


def _intervene(event: Event, slot: Slot) -> None:
    slot.interventions += 1


_STORED = ("agents", "tasks", "handoffs", "rounds", "successes", "handoff_ends", "round_ends")
