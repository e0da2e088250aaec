"""All that one decision may see: a project's past and present at one tick."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from meta_orchestrator.core.analysis.findings import Findings
from meta_orchestrator.core.collection.books import Books
from meta_orchestrator.core.collection.history import History
from meta_orchestrator.core.collection.measures import Measures
from meta_orchestrator.core.collection.slot import Slot
from meta_orchestrator.core.collection.window import Window
from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.event import Event, Refused
from meta_orchestrator.messages.outputs import Output
from meta_orchestrator.policy import Limits, Policy

if TYPE_CHECKING:
    from meta_orchestrator.core.adaptation.response import Response


class Finish(NamedTuple):
    """What a finished event says, but for its task; `points` are those of the task, 0 for a step."""

    source: str
    agent: str
    outcome: str
    points: float


@dataclass
class Moment:
    """One project at one tick. The rooms read it, write the ledger, and `say` what is to be published."""

    project: str
    tick_us: int
    policy: Policy
    ledger: Ledger
    history: History
    response: "Response | None" = None
    """What the project has learnt about its own settings."""
    orders: list[Event] = field(default_factory=list)
    """Commands that act at this tick, in their order."""
    once: bool = False
    """Whether a command's identity must be new within 24 h."""
    books: Books = field(default_factory=lambda: Books(Limits()))
    """Who holds which task, open handoffs and rounds, agents: after the events of this tick, to be read only."""
    events: list[Event] = field(default_factory=list)
    """Of the panes that close at this tick, in their order, duplicates once."""
    told: dict[str, list[Event]] = field(default_factory=dict)
    """The same by type, each in its order; a type without events is missing."""
    finishes: Counter[Finish] = field(default_factory=Counter)
    """How often tasks of this tick were finished alike."""
    measures: Measures = field(default_factory=Measures)
    window: Window = field(default_factory=lambda: Window([], 0, 1))
    findings: Findings = field(default_factory=Findings)
    outputs: list[CloudEvent | Refused] = field(default_factory=list)

    @property
    def new_slots(self) -> list[Slot]:
        """Those of the window that have closed at this tick."""
        start_us = self.tick_us - self.policy.time.tick_us
        return [slot for slot in self.window.slots if slot.end_us > start_us]

    @property
    def has_snapshot(self) -> bool:
        """Whether a snapshot follows the decisions: there is one where anything happened in the window."""
        return not all(slot.is_empty for slot in self.window.slots)

    def say(self, data: Output) -> CloudEvent:
        """Publish something at this tick."""
        event = CloudEvent(self.project, self.tick_us, data)
        self.outputs.append(event)
        return event

    def refuse_over_limit(self, event: Event, limit: str, field: str) -> None:
        """An event that would open more than the policy allows becomes a dead letter."""
        detail = f"limits.{limit} = {getattr(self.policy.limits, limit)} is reached"
        self.outputs.append(Refused(self.project, event, "over_limit", detail, field))
