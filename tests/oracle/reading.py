"""What a file of events comes to before anything is measured: who is bad, who is late, which pane each event is in.

Written from the contract alone (CONTRACT §1), in the plainest way: it shares no code with the product.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

SECOND = 1_000_000
NEVER = -(2**62)
KNOWN = frozenset(
    f"{family}.{kind}"
    for family, kinds in {
        "agent": ("registered", "deregistered", "heartbeat", "rework.requested", "quality.checked", "feedback"),
        "agent.task": ("started", "finished", "blocked", "unblocked"),
        "agent.handoff": ("started", "completed", "failed"),
        "consensus": ("round.opened", "vote.cast", "round.closed"),
        "orchestrator": ("registered",),
        "config": ("applied", "rejected"),
        "operator": ("intervened",),
        "control": ("freeze", "override", "rollback", "approve", "decline"),
    }.items()
    for kind in kinds
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True)
class Settings:
    """What of the policy the metrics depend on."""

    pane_us: int
    tick_us: int
    window_us: int
    lateness_us: int
    p95: int
    rate: int


class Event(NamedTuple):
    """An event that counts; panes are numbered from the epoch."""

    time_us: int
    source: str
    id: str
    type: str
    data: dict[str, Any]


class Mark(NamedTuple):
    """What depends on where a line stands in its file: nothing else of it does."""

    number: int
    pane: int
    late: bool
    acts_at_us: int | None


@dataclass
class Scope:
    """All that counts of one project, in order: the events of each pane once, and how many came too late for theirs."""

    panes: list[tuple[int, Event]] = field(default_factory=list)
    late: Counter[int] = field(default_factory=Counter)

    @property
    def events(self) -> list[Event]:
        return [event for _, event in self.panes]


@dataclass
class Reading:
    scopes: dict[str, Scope]
    watermark_us: int
    bad: list[int]


def time_us(text: str) -> int:
    """Microseconds since the epoch; what is finer is cut."""
    match = _TIME.fullmatch(text)
    assert match, text
    day, clock, fraction, offset = match.groups()
    since = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in 'zZ' else offset}") - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + int(((fraction or "") + "000000")[:6])


def is_bad(line: dict[str, Any]) -> bool:
    """`time_ahead`; the other ways to be bad have tests of their own."""
    recorded = line.get("recordedtime")
    return recorded is not None and time_us(line["time"]) - time_us(recorded) > 60 * SECOND


def watermarks(lines: Iterable[dict[str, Any]], lateness_us: int) -> Iterator[int]:
    """After each line, it counted in."""
    reached_us = NEVER
    for line in lines:
        recorded = line.get("recordedtime")
        if not is_bad(line):
            if recorded is not None:
                reached_us = max(reached_us, time_us(recorded) - lateness_us)
            elif line["type"] == "clock.tick":
                reached_us = max(reached_us, time_us(line["time"]))
            else:
                reached_us = max(reached_us, time_us(line["time"]) - lateness_us)
        yield reached_us


def marks(lines: list[dict[str, Any]], settings: Settings) -> list[Mark | None]:
    """One for each line that is an event, None for the others. A command is never late."""
    return [
        None if line["type"] == "clock.tick" or is_bad(line) else _mark(number, line, reached_us, settings)
        for number, (line, reached_us) in enumerate(zip(lines, watermarks(lines, settings.lateness_us), strict=True))
    ]


def _mark(number: int, line: dict[str, Any], reached_us: int, settings: Settings) -> Mark:
    pane = time_us(line["time"]) // settings.pane_us
    closed = (pane + 1) * settings.pane_us <= reached_us
    command = line["type"].startswith("control.") and line["type"] in KNOWN
    return Mark(
        number,
        pane=reached_us // settings.pane_us if closed else pane,
        late=closed and not command,
        acts_at_us=(reached_us // settings.tick_us + 1) * settings.tick_us if command else None,
    )


def read(lines: list[dict[str, Any]], settings: Settings) -> Reading:
    """The whole file."""
    candidates: dict[str, dict[tuple[int, str, str], list[Event]]] = {}
    scopes: dict[str, Scope] = {}
    for line, mark in zip(lines, marks(lines, settings), strict=True):
        if mark is None:
            continue
        project = line["project"]
        scope = scopes.setdefault(project, Scope())
        if mark.late:
            scope.late[mark.pane] += 1
            continue
        event = Event(time_us(line["time"]), line["source"], line["id"], line["type"], line["data"])
        candidates.setdefault(project, {}).setdefault((mark.pane, event.source, event.id), []).append(event)
    for project, copies in candidates.items():
        chosen = [(identity[0], min(events, key=content)) for identity, events in copies.items()]
        scopes[project].panes = sorted(chosen, key=lambda placed: (placed[0], placed[1][:3]))
    reached_us = NEVER
    for reached_us in watermarks(lines, settings.lateness_us):  # noqa: B007 - the last one
        pass
    return Reading(scopes, reached_us, [number for number, line in enumerate(lines, 1) if is_bad(line)])


def content(event: Event) -> tuple[int, str, str]:
    """By which the least of several contents under one identity is found."""
    return event.time_us, event.type, json.dumps(event.data, sort_keys=True, ensure_ascii=False)
