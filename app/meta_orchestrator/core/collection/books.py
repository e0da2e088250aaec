"""The books of a project: what must be known of the past to understand the next event. Folding turns their pages."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from meta_orchestrator.core.collection.agents import Agents
from meta_orchestrator.core.collection.handoffs import Handoffs
from meta_orchestrator.core.collection.remembered import Remembered
from meta_orchestrator.core.collection.rounds import Rounds
from meta_orchestrator.core.collection.slot import Slot
from meta_orchestrator.core.collection.tasks import Tasks
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.policy import Limits

HOUR_US = 3600 * SECOND
_AGENT, _HANDOFF = ("agent",), ("from_agent", "to_agent")
_INTERVENTIONS = ("operator.intervened", "control.override", "control.rollback", "control.approve", "control.decline")

_VOTING = ("consensus.round.opened", "consensus.vote.cast", "consensus.round.closed")


Turn = Callable[[Event, Slot], None]
_NO_TURN: tuple[tuple[str, ...], Turn | None] = ((), None)


class Books:
    """Agents, tasks, handoffs and rounds of one project."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.successes, self.handoff_ends, self.round_ends = (Remembered(limits.remembered) for _ in range(3))
        self.agents = Agents()
        self.tasks = Tasks(self.agents, self.successes)
        self.handoffs = Handoffs(self.handoff_ends)
        self.rounds = Rounds(self.round_ends)
        self.turns: dict[str, tuple[tuple[str, ...], Turn | None]] = {
            "agent.registered": (_AGENT, self._register),
            "agent.deregistered": (_AGENT, self._deregister),
            "agent.heartbeat": (_AGENT, self._beat),
            "agent.task.started": (_AGENT, self.tasks.start),
            "agent.task.finished": (_AGENT, self.tasks.finish),
            "agent.task.blocked": (_AGENT, self.tasks.block),
            "agent.task.unblocked": (_AGENT, self.tasks.unblock),
            "agent.handoff.started": (_HANDOFF, self.handoffs.start),
            "agent.handoff.completed": (_HANDOFF, self.handoffs.end),
            "agent.handoff.failed": (_HANDOFF, self.handoffs.end),
            "agent.rework.requested": (_AGENT, _rework),
            "agent.quality.checked": (_AGENT, _check),
            "agent.feedback": (_AGENT, None),
            "consensus.round.opened": ((), self.rounds.open),
            "consensus.vote.cast": (_AGENT, self.rounds.vote),
            "consensus.round.closed": ((), self.rounds.close),
            **dict.fromkeys(_INTERVENTIONS, ((), _intervene)),
        }

    def fold(
        self, events: list[Event], slot: Slot, start_us: int, refuse: Callable[[Event, str, str], None]
    ) -> list[Event]:
        """Turn the pages for one slot's events, in order; return those that count, the others are over a limit."""
        turns, scarce, refused = self.turns, self._is_scarce(len(events)), set[int]()
        agents, most_agents = self.agents, self.limits.agents - 2
        last_us: dict[str, int] = {}
        told = slot.told
        named: list[str] = []
        for event in events:
            type_ = event[3]
            fields, turn = turns.get(type_, _NO_TURN)
            if (scarce or len(agents) > most_agents) and (over := self._over(event, fields)):
                refuse(event, *over)
                refused.add(id(event))
                continue
            if type_ in told:
                told[type_].append(event)
            else:
                told[type_] = [event]
            time_us, data = event[0], event[4]
            for field in fields:
                name = data[field]
                if field != "to_agent" or name != data["from_agent"]:
                    if name not in last_us:
                        agents.greet(name, time_us, start_us)
                    last_us[name] = time_us
                    named.append(name)
            if turn is not None:
                turn(event, slot)
        self._saw(last_us, named, slot)
        slot.counts = {type_: len(some) for type_, some in told.items()}
        return [event for event in events if id(event) not in refused] if refused else events

    def _saw(self, last_us: dict[str, int], named: list[str], slot: Slot) -> None:
        """Who was named in a slot: when last, and how often."""
        for name, time_us in last_us.items():
            self.agents[name].seen_us = time_us
        for name, times in Counter(named).items():
            slot.agents[name].events += times

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

    def _is_scarce(self, count: int) -> bool:
        """Whether so many events could reach a limit of tasks or rounds; only then each of them is looked at."""
        return count > min(self.limits.open_tasks - self.tasks.held, self.limits.open_rounds - len(self.rounds))

    def _over(self, event: Event, fields: tuple[str, ...]) -> tuple[str, str] | None:
        """(limit, field) if this event would open more than the policy allows."""
        limits, data = self.limits, event[4]
        if len(self.agents) + len(fields) > limits.agents:
            new = [field for field in fields if data[field] not in self.agents]
            if new and len(self.agents) + len(new) > limits.agents:
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
