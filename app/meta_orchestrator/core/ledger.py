"""What is in force in a project and what was promised: the memory that is never thrown away.

Plain values only, so that it is one JSON object in the worker's table and the same after any crash. The rooms of
adaptation, validation and learning write it; nobody else does. Times are microseconds since the epoch.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter

from meta_orchestrator.core.trial import Lesson, Proposal, Trial, Watch
from meta_orchestrator.messages.cloudevent import digest
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import DAY_US, Value
from meta_orchestrator.messages.outputs import Kind, RefusedBy

REMEMBERED_VERSIONS = 500
"""How far back `control.rollback` reaches; version 0, the baseline, can always be reached."""
By = Literal["rule", "operator", "guard", "review", "orchestrator", "expiry", "escalation"]
"""`orchestrator`: it rejected the change, or never answered."""


@dataclass
class Past:
    """One version and what it moved: {parameter: [from, to]}."""

    version: int
    change: str
    kind: Kind
    by: By
    """Who wanted it."""
    time_us: int
    moves: dict[str, tuple[Value, Value]]


@dataclass
class Freeze:
    until_us: int
    owner: str
    reason: str


@dataclass
class Override:
    """A value that an operator pinned. `before` comes back at `until_us`."""

    value: Value
    before: Value
    until_us: int
    owner: str


@dataclass
class Waiting:
    """A recommended proposal."""

    proposal: Proposal
    expires_us: int


@dataclass
class Ledger:
    assumed: bool = False
    """There is no orchestrator: every parameter counts as supported, every change as applied at once (replay)."""
    born_us: int | None = None
    """Start of the project's first pane; the warm-up counts from it."""
    orchestrator: str | None = None
    """CloudEvents `source` of the orchestrator that registered last."""

    version: int = 0
    config: dict[str, Value] = field(default_factory=dict)
    """The supported parameters and no others."""
    baseline: dict[str, Value] = field(default_factory=dict)
    past: list[Past] = field(default_factory=list)

    freeze: Freeze | None = None
    alarms: dict[str, int] = field(default_factory=dict)
    """Escalation that freezes → until when (a day at the most; less if an operator unfroze)."""
    approvals: list[str] = field(default_factory=list)
    """Escalations because of which nothing goes out unapproved."""
    overrides: dict[str, Override] = field(default_factory=dict)

    heard: dict[str, list[float]] = field(default_factory=dict)
    """Agent → what it has reported lately (`core/collection/voices.py`): nobody's word weighs too much."""
    heard_us: int | None = None

    trial: Trial | None = None
    watch: Watch | None = None
    waiting: dict[str, Waiting] = field(default_factory=dict)
    """Parameter → the one proposal about it that waits for approval."""
    changes_us: list[int] = field(default_factory=list)
    """When the changes of the last day went out: for the rate limit and the budget."""
    flips_us: list[int] = field(default_factory=list)
    """When the flips of switchbacks went out in the last day: they have a budget of their own."""
    rests_until_us: dict[str, int] = field(default_factory=dict)
    """Parameter, or one direction of it (`workflow.wip_limit +`) → end of its cool-down."""
    failures: dict[str, int] = field(default_factory=dict)
    """Parameter → trials in a row that did not help; each doubles the cool-down."""
    turns: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Parameter → which way it was kept last, and how often that was the other way than before."""
    learnt: list[Lesson] = field(default_factory=list)
    """What the last trials measured, oldest first: the response model is taught from it where it was lost."""
    reset_us: int | None = None
    """When the configuration went back to the baseline last."""
    refusals: dict[str, tuple[RefusedBy, int]] = field(default_factory=dict)
    """Parameter → the last refusal that was written, and when."""

    unacknowledged: int = 0
    """Trials in a row that nobody acknowledged."""
    silent_since_us: int | None = None
    """Since when changes have stopped because the orchestrator does not answer."""
    rejections: dict[str, int] = field(default_factory=dict)
    """Parameter → how often the orchestrator refused it."""
    commands: dict[str, int] = field(default_factory=dict)
    """Digest of the identity of a command of the last day → its time."""

    def frozen_until_us(self) -> int:
        """When the last freeze ends, an operator's or an escalation's; 0 without any."""
        return max([0, *self.alarms.values(), *([self.freeze.until_us] if self.freeze else [])])

    def is_frozen(self, tick_us: int) -> bool:
        return self.frozen_until_us() > tick_us

    def next_deadline_us(self) -> int | None:
        """The earliest time at which something must happen even if no event comes. What a freeze holds up waits."""
        held = [override.until_us for override in self.overrides.values()]
        if self.trial:
            held.append(self.trial.next_us)
        thaw = self.frozen_until_us()
        deadlines = [max(time, thaw) for time in held] + [waiting.expires_us for waiting in self.waiting.values()]
        return min(deadlines, default=None)

    def config_at(self, version: int) -> dict[str, Value] | None:
        """What was in force at a version, of the parameters that are supported now; None if that is forgotten."""
        if version == 0:
            return {name: self.baseline[name] for name in self.config}
        if not (self.past and self.past[0].version <= version <= self.version):
            return None
        config = dict(self.config)
        for past in reversed(self.past):
            if past.version > version:
                config |= {name: move[0] for name, move in past.moves.items() if name in config}
        return config

    def spans_of_config(self, version: int) -> list[tuple[int, int]]:
        """When the configuration of a version was in force, up to that version's end: (from, until), newest first.

        A change and its taking back leave the same configuration before and after.
        """
        spans, end_us = [], next((past.time_us for past in self.past if past.version == version + 1), 2**62)
        away: dict[str, Value] = {}
        for past in reversed([past for past in self.past if past.version <= version]):
            if not away:
                spans.append((past.time_us, end_us))
            end_us = past.time_us
            for name, (before, after) in past.moves.items():
                if before == away.setdefault(name, after):
                    del away[name]
        remembered = not self.past or self.past[0].version == 1
        return [*spans, (-(2**62), end_us)] if remembered and not away else spans

    def remember(self, past: Past) -> None:
        self.past = [*self.past, past][-REMEMBERED_VERSIONS:]

    def prune(self, tick_us: int) -> None:
        """Forget what can no longer matter."""
        self.changes_us = [time for time in self.changes_us if time > tick_us - DAY_US]
        self.flips_us = [time for time in self.flips_us if time > tick_us - DAY_US]
        self.commands = {name: time for name, time in self.commands.items() if time > tick_us - DAY_US}
        self.rests_until_us = {name: time for name, time in self.rests_until_us.items() if time > tick_us}
        self.waiting = {name: waiting for name, waiting in self.waiting.items() if waiting.expires_us > tick_us}
        if self.freeze and self.freeze.until_us <= tick_us:
            self.freeze = None

    def dump(self) -> dict[str, Any]:
        dumped: dict[str, Any] = _LEDGER.dump_python(self, mode="json")
        return dumped

    @staticmethod
    def load(dumped: dict[str, Any]) -> "Ledger":
        return _LEDGER.validate_python(dumped)


def command_name(order: Event) -> str:
    """What `commands` knows a command by."""
    return digest("command", order[1], order[2])


_LEDGER = TypeAdapter(Ledger)
