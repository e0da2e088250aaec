"""The whole conversion: a log's file in, JSONL out, and a summary for the person who asked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Literal

import orjson

from meta_orchestrator.convert.cases import Made, Tally, case_events
from meta_orchestrator.convert.mapping import Mapping
from meta_orchestrator.convert.merge import in_order
from meta_orchestrator.convert.reading import Reader, opened
from meta_orchestrator.convert.step import Step, Unreadable
from meta_orchestrator.convert.table import read_csv
from meta_orchestrator.convert.xes import read_xes
from meta_orchestrator.messages.complaints import Complaints
from meta_orchestrator.messages.fields import HOUR_US, format_time_us
from meta_orchestrator.messages.wording import plural

Format = Literal["xes", "csv"]
READERS = {"xes": read_xes, "csv": read_csv}
SOURCE = "convert"
AFTER_THE_END_US = 25 * HOUR_US
"""How long after the last event the closing `clock.tick` stands: what waits for time is due within a day (history,
proposals); the hour more is for windows and lateness."""


@dataclass
class Summary:
    """What a conversion did, for stderr."""

    events: int = 0
    """Of the log, the unreadable ones left out."""
    cases: int = 0
    written: int = 0
    """Lines, the closing `clock.tick` included."""
    bad: int = 0
    complaints: Complaints = field(default_factory=Complaints)
    without_zone: int = 0
    tally: Tally = field(default_factory=Tally)

    @property
    def exit_status(self) -> int:
        """3 where some events were bad."""
        return 3 if self.bad else 0

    def lines(self) -> list[str]:
        """Sentences for a person."""
        tally = self.tally
        made = f"{plural(self.events, 'event')} of {plural(self.cases, 'case')} by {plural(len(tally.agents), 'agent')}"
        moved = f"{plural(tally.handoffs, 'handoff')}, {tally.returns:,} of them straight back (A-B-A)"
        said = [
            f"{made}, {plural(self.written, 'line')} written.",
            f"{moved}; {plural(tally.reworks, 'request')} for rework.",
        ]
        notes = (
            (tally.nobody, "steps name nobody: they are done by `unknown`"),
            (tally.passed_over, "changes of hands from or to `unknown` are not counted as handoffs"),
            (tally.no_work, "events neither begin nor end work (schedule, suspend ...)"),
            (tally.unfinished, "steps were started and never completed"),
            (self.without_zone, "times name no offset and were taken as UTC"),
            (self.bad, "events could not be read:"),
        )
        said += [f"{number} {text}" for number, text in notes if number]
        return said + self.complaints.lines()


def convert(
    form: Format,
    path: Path,
    out: BinaryIO,
    mapping: Mapping | None = None,
    project: str | None = None,
    by_group: bool = False,
    show_progress: bool = False,
) -> Summary:
    """Write a log as events. The log's events are held in memory while they are put in order; the lines are not."""
    summary = Summary()
    reader = Reader(mapping or Mapping(), by_group)
    with opened(path, show_progress) as source:
        steps = list(_readable(READERS[form](source, reader), summary))
    summary.without_zone = reader.without_zone
    steps.sort(key=lambda step: step.case)  # stable, as the next: a log's own order stands among equal times
    cases = [sorted(of_one, key=lambda step: step.time_us) for _, of_one in groupby(steps, key=lambda step: step.case)]
    cases.sort(key=lambda case: (case[0].time_us, case[0].case))
    summary.events, summary.cases = len(steps), len(cases)
    _write(cases, out, project or path.name.split(".")[0], re.compile(reader.mapping.completed, re.IGNORECASE), summary)
    return summary


def _readable(found: Iterator[Step | Unreadable], summary: Summary) -> Iterator[Step]:
    for step in found:
        if isinstance(step, Step):
            yield step
            continue
        summary.bad += 1
        summary.complaints.add(*step)


def _write(cases: list[list[Step]], out: BinaryIO, project: str, completed: re.Pattern[str], summary: Summary) -> None:
    """Every line, the closing `clock.tick` last."""
    if not cases:
        return
    groups = _groups(cases)
    made = in_order(
        (case[0].time_us, partial(case_events, case[0].case, case, completed, summary.tally)) for case in cases
    )
    last_us = cases[0][0].time_us
    for event in _introduced(made, groups):
        out.write(_line(event, project))
        summary.written += 1
        last_us = event.time_us
    out.write(_line(Made(last_us + AFTER_THE_END_US, "end", "clock.tick", "", {}), None))
    summary.written += 1


def _groups(cases: list[list[Step]]) -> dict[str, str]:
    """Agent → the group of its first step that names one."""
    named = (step for case in cases for step in case if step.agent and step.group)
    first: dict[str, Step] = {}
    for step in named:
        agent = str(step.agent)
        if agent not in first or step.time_us < first[agent].time_us:
            first[agent] = step
    return {agent: str(step.group) for agent, step in first.items()}


def _introduced(events: Iterator[Made], groups: dict[str, str]) -> Iterator[Made]:
    """Before the first event of an agent whose group is known, its registration with the group as its type."""
    waiting = dict(groups)
    for event in events:
        for role in ("from_agent", "agent", "to_agent"):
            agent = event.data.get(role)
            if agent in waiting:
                data = {"agent": agent, "agent_type": waiting.pop(agent)}
                yield Made(event.time_us, f"agent {agent}", "agent.registered", "", data)
        yield event


def _line(event: Made, project: str | None) -> bytes:
    said: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": SOURCE,
        "type": event.type,
        "time": format_time_us(event.time_us),
    }
    said |= {"project": project} if project else {}
    said |= {"subject": event.subject} if event.subject else {}
    return orjson.dumps(said | {"data": event.data}, option=orjson.OPT_APPEND_NEWLINE)
