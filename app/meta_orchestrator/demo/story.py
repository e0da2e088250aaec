"""What has happened so far, for the screen and for the summary."""

from dataclasses import dataclass, field
from typing import Any

from meta_orchestrator.demo.team import FAULT_AT_S, PROJECT, Stage
from meta_orchestrator.messages.wording import number_text, plural
from meta_orchestrator.view import ENDED, ProjectView, Record, View, sentence

TOLD = frozenset({"drift.detected", "antipattern.detected", "antipattern.cleared", "escalation.raised"})
TOLD_S = 10
"""A stretch that is shorter says nothing of velocity."""


@dataclass
class Line:
    """Something that happened, `at_s` seconds after the team began."""

    at_s: float
    kind: str
    text: str


@dataclass
class Story:
    """`hear` takes every output, `tell` what the demo itself knows."""

    view: View = field(default_factory=View)
    stage: Stage | None = None
    lines: list[Line] = field(default_factory=list)
    told_fault: bool = False

    @property
    def project(self) -> ProjectView:
        return self.view.projects.get(PROJECT, ProjectView(PROJECT))

    @property
    def seconds(self) -> float:
        return self.stage.seconds if self.stage else 0.0

    @property
    def applied(self) -> list[tuple[float, int]]:
        return self.stage.applied if self.stage else []

    def tell(self, text: str, kind: str = "acknowledged") -> None:
        self.lines.append(Line(self.seconds, kind, text))

    def hear(self, event: Record) -> None:
        if event["type"] in TOLD:
            self.tell(sentence(event), "found")
        elif event["type"] == "config.change":
            self.tell(sentence(event), "change")
        elif event["type"] == "decision" and event["data"]["verdict"] in ENDED:
            self.tell(sentence(event), event["data"]["verdict"])
            if self.is_compensated:
                self.tell(
                    "The fault is still on: the team would still debate, the new setting makes up for it.", "fault"
                )

    @property
    def is_compensated(self) -> bool:
        """The fault is on, and the last trial under it was kept."""
        verdicts = [line.kind for line in self.lines if line.kind in ENDED]
        return self.told_fault and verdicts[-1:] == ["kept"]

    def notice_fault(self) -> None:
        """The team changes by itself; nobody tells the worker."""
        if not self.told_fault and self.stage is not None and self.stage.is_faulty:
            self.told_fault = True
            self.tell("By itself the team begins to debate each trifle at length. Nobody tells the worker.", "fault")

    def summary(self) -> list[str]:
        """What a person should remember of it."""
        if self.stage is None:
            return ["The demo ended before the team had begun."]
        verdicts = [line for line in self.lines if line.kind in ENDED]
        found = sum(line.kind == "found" for line in self.lines)
        events = self.stage.publisher.delivered
        counted = f"{plural(events, 'event')}, {plural(found, 'finding')}, {plural(len(self.applied), 'change')}"
        return [
            f"\n{self.seconds:.0f} s: {counted} applied, {len(verdicts)} judged.",
            *(f"  {line.at_s:4.0f} s  {line.text}" for line in verdicts),
            *self._books(),
        ]

    def _books(self) -> list[str]:
        """Velocity by the team's own books: before the fault, under it, under each version."""
        assert self.stage is not None  # noqa: S101 - summary() has looked
        ends = [*(at_s for at_s, _ in self.applied), self.seconds]
        parts: list[tuple[str, float, float]] = [
            ("before the fault", 10.0, FAULT_AT_S),
            ("under the fault", FAULT_AT_S + 5, ends[0]),
            *((f"under version {n}", at_s + 4, end_s) for (at_s, n), end_s in zip(self.applied, ends[1:], strict=True)),
        ]
        long = [part for part in parts if part[2] - part[1] >= TOLD_S]
        told = [(name, self.stage.points_per_hour(since, until)) for name, since, until in long]
        known = [f"{number_text(points)} {name}" for name, points in told if points is not None]
        return [f"  Points an hour by the team's own books: {', '.join(known)}."] if known else []


def values(project: ProjectView, metric: str) -> list[float | None]:
    """A metric of all snapshots, oldest first; of utilization the mean over the types."""
    return [_value(snapshot["data"], metric) for snapshot in project.snapshots.values()]


def _value(data: dict[str, Any], metric: str) -> float | None:
    value = data[metric]
    if isinstance(value, dict):
        known = [share for share in value.values() if share is not None]
        return sum(known) / len(known) if known else None
    return None if value is None else float(value)
