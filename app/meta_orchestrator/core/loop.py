"""Start reading here: what happens to an event, to a command, and at a tick.

Three verbs. `observe` and `command` only put things down; `decide` is the only place where anything is judged. Between
two ticks the order of arrival does not matter, and the same events give the same decisions, byte for byte.
"""

from collections.abc import Mapping
from typing import TypeAlias

from meta_orchestrator.core.adaptation.adapt import adapt
from meta_orchestrator.core.adaptation.obey import obey
from meta_orchestrator.core.adaptation.phase import phase
from meta_orchestrator.core.analysis.analyse import analyse
from meta_orchestrator.core.collection.collect import collect
from meta_orchestrator.core.learning.learn import learn
from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.project import Project
from meta_orchestrator.core.validation.hear import hear
from meta_orchestrator.core.validation.validate import validate
from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.event import Event, Refused
from meta_orchestrator.messages.fields import MINUTE_US
from meta_orchestrator.messages.outputs import MetricsSnapshot
from meta_orchestrator.policy import Policy

Outputs: TypeAlias = list[CloudEvent | Refused]


def decide(project: Project, tick_us: int, once: bool = False) -> Outputs:
    """One tick of one project: the five phases of the feedback loop, in their order."""
    moment = collect(project, tick_us, once)
    moment.findings = analyse(project.minds, moment)
    hear(moment)
    obey(moment)
    verdict = validate(moment)
    learn(moment, verdict)
    adapt(moment)
    _publish_metrics(project, moment)
    return moment.outputs


class Loop:
    """All projects that share a watermark: those of one partition, or of one file.

    once: a command's identity must be new within 24 h (`replayed` otherwise); files are taken as they are.
    stored: the driver stores `rows()`; else what has changed is not kept for it.
    """

    def __init__(
        self, policy: Policy, assume_orchestrator: bool = False, once: bool = True, stored: bool = True
    ) -> None:
        self.policy, self.assume_orchestrator, self.once, self.stored = policy, assume_orchestrator, once, stored
        self.pane_us = policy.time.pane_us
        self.tick_us: int | None = None
        self.closed_us = -(2**63)
        """The last tick, or before all time: panes that end by then are closed."""
        self.quiet_until_us = self.closed_us
        """No tick is due before."""
        self.projects: dict[str, Project] = {}
        self.unsaved: set[str] = set()

    def observe(self, project: str, event: Event, reached_us: int) -> int:
        """Put an event into its pane; returns the pane's index, or -1 if that is closed, so that it was counted before.

        reached_us: the record's own append time less the lateness, or the watermark of a file, this line counted in.
        """
        time_us, closed_us = event[0], self.closed_us
        pane = time_us // self.pane_us
        if time_us < reached_us or time_us < closed_us:  # else its pane is open
            end_us = (pane + 1) * self.pane_us
            if end_us <= reached_us:
                return self._late(project, reached_us // self.pane_us)
            if end_us <= closed_us:
                return -1
        found = self.projects.get(project) or self._begin(project)
        found.open[pane].append(event)
        return pane

    def _late(self, project: str, pane: int) -> int:
        """Count a late copy in the pane in which it arrived."""
        if (pane + 1) * self.pane_us <= self.closed_us:
            return -1
        found = self.projects.get(project) or self._begin(project)
        found.late[pane] += 1
        return pane

    def command(self, project: str, event: Event, reached_us: int) -> int:
        """Count a command like an event, but it is never late, and keep it for the first tick after `reached_us`."""
        pane = max(event[0], reached_us) // self.pane_us
        if (pane + 1) * self.pane_us <= self.closed_us:
            return -1
        found = self.projects.get(project) or self._begin(project)
        found.open[pane].append(event)
        if reached_us >= self.closed_us:
            found.orders.append((reached_us, event))
        return pane

    def due(self, watermark_us: int) -> int | None:
        """The next tick to decide, None if none is due yet.

        What is observed later falls due after the watermark, so nobody is asked again before the tick that follows it.
        """
        if watermark_us < self.quiet_until_us:
            return None
        tick_us = self.next_tick_us()
        if tick_us is not None and tick_us <= watermark_us:
            return tick_us
        self.quiet_until_us = (watermark_us // self.policy.time.tick_us + 1) * self.policy.time.tick_us
        return None

    def next_tick_us(self) -> int | None:
        """The first tick at which a project has something to do, as far as is known now."""
        ticks = (project.next_due_us() for project in self.projects.values())
        return min((tick_us for tick_us in ticks if tick_us is not None), default=None)

    def decide(self, tick_us: int) -> Outputs:
        """One tick of all projects, by name. State changes: if what follows fails, throw the loop away and restore."""
        outputs: Outputs = []
        for name in sorted(self.projects):
            due_us = self.projects[name].next_due_us()
            if due_us is not None and due_us <= tick_us:
                outputs += decide(self.projects[name], tick_us, self.once)
                self._changed(self.projects[name])
        self.tick_us = self.closed_us = tick_us
        return outputs

    def open_from(self) -> int | None:
        """The least pane that is still open."""
        panes = [min(panes) for project in self.projects.values() for panes in (project.open, project.late) if panes]
        return min(panes, default=None)

    def rows(self) -> list[tuple[str, bytes, bytes]]:
        """(table, key, value) of what has changed since the last call."""
        rows = []
        for name in sorted(self.unsaved):
            place, pieces = self.projects[name].next_page()
            rows += [("panes", b"p/%s/%02d%03d" % (name.encode(), place, piece), stored) for piece, stored in pieces]
            rows.append(("heads", b"p/" + name.encode(), self.projects[name].head()))
        self.unsaved.clear()
        return rows

    def restore(self, heads: Mapping[bytes, bytes], panes: Mapping[bytes, bytes], tick_us: int | None) -> list[str]:
        """Turn stored rows (`None` values and foreign keys aside) into projects; returns what a person should know."""
        notes = []
        pieces: dict[bytes, list[bytes]] = {}
        for key, piece in panes.items():
            pieces.setdefault(key[:-6], []).append(piece)
        for key, head in heads.items():
            if key.startswith(b"p/"):
                project = self._begin(key[2:].decode())
                notes += project.restore(head, pieces.get(key, []))
        if tick_us is not None:
            self.tick_us = self.closed_us = tick_us
        return notes

    def _changed(self, project: Project) -> None:
        if self.stored:
            self.unsaved.add(project.name)
        else:
            project.books.keep_nothing()

    def _begin(self, name: str) -> Project:
        if len(self.projects) >= self.policy.limits.projects:
            raise BadRecord("over_limit", f"limits.projects = {self.policy.limits.projects} is reached", "project")
        ledger = Ledger(assumed=self.assume_orchestrator)
        project = self.projects[name] = Project(name, self.policy, ledger)
        return project


def _publish_metrics(project: Project, moment: Moment) -> None:
    """The snapshot of the window, as things are after the decisions; each minute also its agents."""
    if not moment.has_snapshot:
        return
    measures = vars(moment.measures)
    moment.say(MetricsSnapshot(**measures, config_version=moment.ledger.version, phase=phase(moment)))
    if moment.tick_us % MINUTE_US == 0:
        for metrics in moment.window.agent_metrics(project.books.agents, project.policy.samples):
            moment.say(metrics)
