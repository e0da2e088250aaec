"""A run of events, sorted out once: by type, and by the agents that they are about."""

from collections import Counter, defaultdict

from meta_orchestrator.messages.event import Event

NAMING: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "agent.registered",
            "agent.deregistered",
            "agent.heartbeat",
            "agent.task.started",
            "agent.task.finished",
            "agent.task.blocked",
            "agent.task.unblocked",
            "agent.rework.requested",
            "agent.quality.checked",
            "agent.feedback",
            "consensus.vote.cast",
        ),
        ("agent",),
    ),
    **dict.fromkeys(
        ("agent.handoff.started", "agent.handoff.completed", "agent.handoff.failed"), ("from_agent", "to_agent")
    ),
}
"""Type → the fields that name the agents whom an event is about. The others are about none."""


class Said:
    """Events in order; `by_type`, and for each agent its last time and how many of them are about it."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events
        self.by_type: defaultdict[str, list[Event]] = defaultdict(list)
        self.last_us: dict[str, int] = {}
        self.times: Counter[str] = Counter()
        by_type = self.by_type
        for event in events:
            by_type[event[3]].append(event)
        for type_, some in self.by_type.items():
            for field in NAMING.get(type_, ()):
                self._name(field, some)

    def _name(self, field: str, events: list[Event]) -> None:
        if field == "to_agent":  # who hands on to itself is named once
            events = [event for event in events if event[4]["from_agent"] != event[4]["to_agent"]]
        names = [event[4][field] for event in events]
        self.times.update(names)
        for name, time_us in dict(zip(names, [event[0] for event in events], strict=True)).items():
            self.last_us[name] = max(time_us, self.last_us.get(name, time_us))
