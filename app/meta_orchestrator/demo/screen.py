"""What a person sees: a live page in a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from meta_orchestrator.demo.story import Line, Story, values
from meta_orchestrator.messages.fields import SECOND, parse_time_us
from meta_orchestrator.messages.wording import number_text
from meta_orchestrator.view import ProjectView, value_text

BARS = "▁▂▃▄▅▆▇█"
TREND = 60
"""Snapshots in a sparkline; the demo makes one a second."""
LINES = 12
PLAIN_S = 10.0
STYLES = {
    "fault": "bold yellow",
    "found": "yellow",
    "change": "cyan",
    "acknowledged": "blue",
    "kept": "bold green",
    "rolled_back": "bold red",
    "aborted": "bold red",
}
METRICS: tuple[tuple[str, Callable[[float], str]], ...] = (
    ("development_velocity", lambda value: f"{number_text(value)} points/h"),
    ("consensus_latency_p95_ms", lambda value: f"{number_text(value)} ms"),
    ("consensus_success_rate", lambda value: f"{value:.0%}"),
    ("agent_utilization", lambda value: f"{value:.0%}"),
    ("handoff_failure_rate", lambda value: f"{value:.1%}"),
    ("quality_regression_rate", lambda value: f"{value:.1%}"),
    ("rework_percentage", lambda value: f"{value:.0f}%"),
    ("coordination_failures", lambda value: f"{value:.0f}"),
)
"""By the names and in the units that findings, explanations and policies use."""


class Screen(Protocol):
    def refresh(self) -> None:
        """Show what is new."""


@contextmanager
def screen_for(console: Console, story: Story) -> Iterator[Screen]:
    if not console.is_terminal:
        yield Plain(console, story)
        return
    with Live(console=console, auto_refresh=False, transient=False) as live:
        yield Page(live, story)


class Page:
    """Drawn anew at each refresh."""

    def __init__(self, live: Live, story: Story) -> None:
        self.live, self.story = live, story

    def refresh(self) -> None:
        self.story.notice_fault()
        self.live.update(page(self.story), refresh=True)


class Plain:
    """New lines as they happen, and the metrics now and then."""

    def __init__(self, console: Console, story: Story) -> None:
        self.console, self.story = console, story
        self._shown, self._next_s = 0, PLAIN_S

    def refresh(self) -> None:
        story = self.story
        story.notice_fault()
        for line in story.lines[self._shown :]:
            self.console.print(f"{line.at_s:4.0f} s  {line.text}", soft_wrap=True, markup=False, highlight=False)
        self._shown = len(story.lines)
        if story.seconds >= self._next_s:
            self._next_s += PLAIN_S
            told = f"{story.seconds:4.0f} s  [{_state(story)}] {_metrics_line(story)}"
            self.console.print(told, soft_wrap=True, markup=False, highlight=False)


def page(story: Story) -> RenderableType:
    """Metrics with their trends above, what happened below."""
    head = Text(f"{story.seconds:.0f} s · {_state(story)} · Ctrl-C ends it")
    return Group(Panel(_metrics(story), title="meta-orchestrator demo", subtitle=head), _happened(story.lines))


def _metrics(story: Story) -> Table:
    table = Table(box=None, expand=True, header_style="dim")
    table.add_column("metric, last 20 s")
    table.add_column("now", justify="right")
    table.add_column(f"the last {TREND} s", no_wrap=True)
    for name, unit in METRICS:
        found = values(story.project, name)[-TREND:]
        table.add_row(name, unit(found[-1]) if found and found[-1] is not None else "-", sparkline(found))
    return table


def _happened(lines: Sequence[Line]) -> Panel:
    text = Text()
    for line in lines[-LINES:]:
        text.append(f"{line.at_s:4.0f} s  {line.text}\n", style=STYLES.get(line.kind, ""))
    return Panel(text or Text("The team is watched for a while before anything is changed.", style="dim"))


def sparkline(found: Sequence[float | None]) -> str:
    """One bar a value between the least and the greatest; a gap where there was none."""
    known = [value for value in found if value is not None]
    low, span = (min(known), max(known) - min(known)) if known else (0.0, 0.0)
    return "".join(" " if value is None else BARS[_height(value, low, span)] for value in found)


def _height(value: float, low: float, span: float) -> int:
    return round((value - low) / span * (len(BARS) - 1)) if span > 0 else 0


def _state(story: Story) -> str:
    project = story.project
    team = "the team debates trifles" if story.told_fault else "the team is healthy"
    if story.is_compensated:
        team = "the fault is still on, the setting compensates"
    return f"{team} · {_trial(project) or project.phase or 'starting'} · version {project.version}"


def _trial(project: ProjectView) -> str | None:
    """What is being tried and for how much longer."""
    if project.trial is None or project.time_us is None:
        return None
    data = project.trial["data"]
    left_s = (parse_time_us(data["trial"]["review_at"]) - project.time_us) / SECOND
    judged = f"judged in {left_s:.0f} s" if left_s > 0 else "review put off until more is known"
    return f"on trial: {data['proposal']['parameter']} = {data['proposal']['to']}, {judged}"


def _metrics_line(story: Story) -> str:
    last = [(name, values(story.project, name), unit) for name, unit in METRICS]
    return ", ".join(f"{name} {unit(v[-1]) if v and v[-1] is not None else value_text(None)}" for name, v, unit in last)
