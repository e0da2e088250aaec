"""`replay --report`: what a person wants to know of a log, instead of every output.

    journal lines ─observe→ Flow (who passed what to whom, who made it wait), Windows (where rates have values),
                            Course (how it went on, for plots)
    outputs       ─output→  Outcome (findings, decisions)
    all of them   ─render→  sentences and tables

Memory does not grow with the length of a log, but with its agents, its pairs of agents and its open tasks (all capped).
"""

from collections import Counter
from collections.abc import Iterator
from io import StringIO

from rich.console import Console, Group, RenderableType

from meta_orchestrator.drivers.report.course import Course
from meta_orchestrator.drivers.report.flow import Flow
from meta_orchestrator.drivers.report.outcome import Outcome
from meta_orchestrator.drivers.report.recent import Recent
from meta_orchestrator.drivers.report.sections import disorder, project_sections, record_sections
from meta_orchestrator.drivers.report.windows import Windows
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.event import Event
from meta_orchestrator.policy import Policy


class Report:
    """Watches a replay: all that goes in and comes out."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()
        self.flows: dict[str, Flow] = {}
        self.windows: dict[str, Windows] = {}
        self.courses: dict[str, Course] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.bad_records: Counter[str] = Counter()
        self.late = 0
        """Events that came when what they belong to was decided already, as the driver counts them."""
        self._seen = Recent()

    def observe(self, project: str, event: Event) -> None:
        """One line of the journal, in the order of the file; a copy of an earlier one is left out."""
        if self._seen.knows((project, event[1], event[2])):
            return
        if project not in self.flows:
            self.flows[project] = Flow()
            self.windows[project] = Windows(self.policy)
            self.courses[project] = Course(self.policy)
        self.flows[project].observe(event)
        self.windows[project].observe(event)
        self.courses[project].observe(event)

    def output(self, event: CloudEvent) -> None:
        """One output of the loop."""
        self.outcomes.setdefault(event.project, Outcome()).add(event)
        if event.project in self.courses:
            self.courses[event.project].output(event)

    def bad(self, reason: str) -> None:
        """One dead letter."""
        self.bad_records[reason] += 1

    def render(self, console: Console) -> None:
        """Print the whole report; what is no terminal gets no blanks at the ends of lines."""
        if console.is_terminal:
            self._print(console)
        else:
            console.file.write(self.text(console.width))

    def _print(self, console: Console) -> None:
        for section in self._sections():
            console.print(section)

    def _sections(self) -> Iterator[RenderableType]:
        yield from disorder(self.late)
        for project in sorted(self.flows):
            outcome = self.outcomes.get(project, Outcome())
            yield Group(*project_sections(project, self.flows[project], self.windows[project], outcome))
        yield Group(*record_sections(self.flows, self.bad_records))

    def text(self, width: int = 100) -> str:
        """The report without colours, as a file holds it."""
        page = StringIO()
        self._print(Console(file=page, width=width, color_system=None, force_terminal=False))
        return "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())

    def html(self) -> str:
        """The report with plots, in one file that needs nothing from elsewhere."""
        from meta_orchestrator.drivers.html import page
        from meta_orchestrator.drivers.report.plots import plots

        drawn = [drawing for project in sorted(self.courses) for drawing in plots(project, self.courses[project])]
        return page("Report", self._sections(), drawn)
