"""A journal through the same code as the worker's: JSONL events in, every output as JSONL out. No broker.

Lock-step, it is the partner of any simulator: after each `clock.tick` line what was due is written and flushed.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import orjson

from meta_orchestrator.core.loop import Loop
from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.complaints import Complaints
from meta_orchestrator.messages.event import UNKNOWN, Event
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.messages.inputs import COMMANDS
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.dead_letters import line_of, line_of_refused
from meta_orchestrator.wire.journal import read_line

Write = Callable[[bytes], object]


class Watcher(Protocol):
    """Who wants to see all that goes in and comes out, as the report does."""

    def observe(self, project: str, event: Event) -> None: ...
    def output(self, event: CloudEvent) -> None: ...
    def bad(self, reason: str) -> None: ...


class Unwatched:
    """Nobody does."""

    def observe(self, project: str, event: Event) -> None: ...
    def output(self, event: CloudEvent) -> None: ...
    def bad(self, reason: str) -> None: ...


@dataclass
class Replay:
    """One file on its way through a loop. `flush` is called after each answer in lock-step, None elsewhere."""

    policy: Policy
    write: Write
    flush: Callable[[], object] | None = None
    assume_orchestrator: bool = False
    watcher: Watcher = field(default_factory=Unwatched)

    def __post_init__(self) -> None:
        self.loop = Loop(self.policy, self.assume_orchestrator, once=False, stored=False)
        self._watched = not isinstance(self.watcher, Unwatched)
        self.watermark_us = -(2**62)
        self.lateness_us = self.policy.time.lateness_us
        self.lines = self.late = 0
        """`late`: events whose pane was closed when they came, as in a file that is not in the order of time."""
        self.bad: Counter[str] = Counter()
        self.complaints = Complaints()
        self.unknown: Counter[str] = Counter()
        """Types that nobody knows."""

    def run(self, lines: Iterable[bytes]) -> None:
        """All lines, in their order; blank ones are nothing."""
        for line in lines:
            self.lines += 1
            if not line.isspace():
                self.take(line)

    def take(self, line: bytes) -> None:
        """One line, and every tick that it makes due."""
        try:
            project, event, recorded_us = read_line(line, self.lines)
            if event[3] == UNKNOWN:
                self.unknown[orjson.loads(event[5])["type"]] += 1
            if project is None:
                self._clock_tick(event, recorded_us)
            else:
                self._observe(project, event, recorded_us)
        except BadRecord as bad:
            self.complaints.add(f"line {self.lines}", str(bad))
            self._refuse(bad.reason, line_of(bad, line.rstrip(b"\r\n"), self.lines))

    def _observe(self, project: str, event: Event, recorded_us: int | None) -> None:
        reached_us = (event[0] if recorded_us is None else recorded_us) - self.lateness_us
        moved = reached_us > self.watermark_us
        put = self.loop.command if event[3] in COMMANDS else self.loop.observe
        put(project, event, reached_us if moved else self.watermark_us)
        if self._watched:
            self.watcher.observe(project, event)
        if moved:
            self.watermark_us = reached_us
            if reached_us >= self.loop.quiet_until_us:
                self._decide_due(reached_us)
        else:
            pane_us = self.loop.pane_us
            self.late += event[0] // pane_us < self.watermark_us // pane_us and event[3] not in COMMANDS

    def _clock_tick(self, event: Event, recorded_us: int | None) -> None:
        reached_us = event[0] if recorded_us is None else recorded_us - self.lateness_us
        if reached_us > self.watermark_us:
            self.watermark_us = reached_us
            self._decide_due(reached_us)
        if self.flush is not None:
            self._line(orjson.dumps({"type": "clock.ticked", "time": format_time_us(event[0])}))
            self.flush()

    def _decide_due(self, reached_us: int) -> None:
        while (tick_us := self.loop.due(reached_us)) is not None:
            self._decide(tick_us)

    def _decide(self, tick_us: int) -> None:
        for output in self.loop.decide(tick_us):
            if isinstance(output, CloudEvent):
                self.watcher.output(output)
                self._line(output.to_json())
            else:
                self.complaints.add(f"line {output.event[6]}", f"{output.reason}: {output.detail}")
                self._refuse(output.reason, line_of_refused(output))

    def _refuse(self, reason: str, letter: bytes) -> None:
        self.bad[reason] += 1
        self.watcher.bad(reason)
        self._line(letter)
        if self.flush is not None:
            self.flush()

    def _line(self, line: bytes) -> None:
        self.write(line + b"\n")
