"""The fold: one output after the other into what holds now.

The four topics are read side by side, so records of different topics may come in any order; within a topic they come in
the order of their ticks. A record that is seen twice (read again, a broker without transactions, a change that was
published again) changes nothing.
"""

from collections.abc import Callable
from typing import TypeAlias

from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.view.project import ProjectView, Record
from meta_orchestrator.view.story import ENDED, Story

KEPT_RECORDS = 10_000
"""Records of a kind that a project remembers; the oldest go first."""
KEPT_SNAPSHOTS = 3_000
"""A day of snapshots at a tick of 30 s: a change may name any of them as its trigger."""


class View:
    """Every project that the outputs speak of."""

    def __init__(self) -> None:
        self.projects: dict[str, ProjectView] = {}

    def add(self, event: Record) -> None:
        """Take in one output. What says nothing of a project (`dead.letter`, a later version's type) is left alone."""
        fold = _FOLD.get(event["type"])
        if fold is not None and "project" in event:
            fold(self.projects.setdefault(event["project"], ProjectView(event["project"])), event)

    def hear(self, event: Record) -> None:
        """Take in one input that was checked, after the outputs: a project begins with them.

        What operators ordered and the orchestrator answered is not told by the outputs.
        """
        if project := self.projects.get(event["project"]):
            project.voice.hear(event)
            project.orders.hear(event)

    def explain(self, project: str, reference: str | int) -> Story | None:
        """The story of a change (id or version), a proposal, a trial or a decision; None if nothing is known of it."""
        known = self.projects.get(project)
        return known.story(reference) if known else None

    def history(self, project: str) -> list[Record]:
        """Insights, freezes, changes and decisions of a project, oldest first; within a tick in this order.

        Every other order has a decision that answers it.
        """
        known = self.projects.get(project, ProjectView(project))
        together = [*known.insights.values(), *known.orders.freezes.values()]
        together += [*known.changes.values(), *known.decisions.values()]
        return sorted(together, key=_time_us)


def _changed(project: ProjectView, event: Record) -> None:
    if project.change is None or event["data"]["version"] > project.version:
        project.change = event
    _remember(project.changes, event["data"]["change"], event, KEPT_RECORDS)


def _decided(project: ProjectView, event: Record) -> None:
    if not _remember(project.decisions, event["id"], event, KEPT_RECORDS):
        return
    data, proposal = event["data"], event["data"]["proposal"]["id"]
    if data["verdict"] == "recommended":
        _remember(project.proposals, proposal, event, KEPT_RECORDS)
    elif data["verdict"] == "changed" or data.get("refused_by") == "operator_command":
        project.proposals.pop(proposal, None)
    if data["verdict"] == "changed" and data.get("trial"):
        project.trial = event
    elif data["verdict"] in ENDED and project.trial and project.trial["data"]["proposal"]["id"] == proposal:
        project.trial = None


def _insight(project: ProjectView, event: Record) -> bool:
    """False where it is known already."""
    return _remember(project.insights, event["id"], event, KEPT_RECORDS)


def _detected(project: ProjectView, event: Record) -> None:
    if _insight(project, event):
        project.antipatterns[_subject(event)] = event


def _cleared(project: ProjectView, event: Record) -> None:
    if _insight(project, event):
        project.antipatterns.pop(_subject(event), None)


def _raised(project: ProjectView, event: Record) -> None:
    if _insight(project, event):
        project.escalations[event["data"]["condition"]] = event


def _lowered(project: ProjectView, event: Record) -> None:
    if _insight(project, event):
        project.escalations.pop(event["data"]["condition"], None)


def _drifted(project: ProjectView, event: Record) -> None:
    _insight(project, event)


def _team(project: ProjectView, event: Record) -> None:
    if _insight(project, event):
        project.team = event


def _measured(project: ProjectView, event: Record) -> None:
    _remember(project.snapshots, event["id"], event, KEPT_SNAPSHOTS)
    if project.snapshot is None or _time_us(event) >= _time_us(project.snapshot):
        project.snapshot = event


def _agent(project: ProjectView, event: Record) -> None:
    project.agents[event["data"]["agent"]] = event


_FOLD: dict[str, Callable[[ProjectView, Record], None]] = {
    "config.change": _changed,
    "decision": _decided,
    "drift.detected": _drifted,
    "antipattern.detected": _detected,
    "antipattern.cleared": _cleared,
    "escalation.raised": _raised,
    "escalation.cleared": _lowered,
    "team.recommended": _team,
    "metrics.snapshot": _measured,
    "metrics.agent": _agent,
}

Table: TypeAlias = dict[str, Record]


def _remember(table: Table, key: str, event: Record, most: int) -> bool:
    """Keep the first record of a key, forget the oldest beyond `most`; False where the key was known."""
    if key in table:
        return False
    table[key] = event
    while len(table) > most:
        del table[next(iter(table))]
    return True


def _time_us(record: Record) -> int:
    return parse_time_us(record["time"])


def _subject(event: Record) -> str:
    """What makes two records speak of the same finding. Whom it names may grow while it lasts; since when does not."""
    return f"{event['data']['kind']} since {event['data']['since']}"
