"""The rooms of collection and antipatterns alone: what is found in events that are in order."""

from collections.abc import Iterable

from meta_orchestrator.core.collection.collect import collect
from meta_orchestrator.core.project import Project
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.outputs import Antipattern, AntipatternCleared
from meta_orchestrator.policy import Policy


def detected(events: Iterable[Event], policy: Policy) -> list[Antipattern]:
    """All findings of one project, tick by tick as the loop does it; what is cleared is left out."""
    project, found = Project("judged", policy), list[Antipattern]()
    for event in events:
        while (tick_us := project.next_due_us()) is not None and tick_us <= event[0]:
            found += project.minds.antipatterns.judge(collect(project, tick_us, once=False))
            project.books.keep_nothing()
        project.open[event[0] // policy.time.pane_us].append(event)
    return [finding for finding in found if not isinstance(finding, AntipatternCleared)]
