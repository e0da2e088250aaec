"""What an event log says once: who did what for which case, and when."""

from typing import NamedTuple

from meta_orchestrator.messages.fields import Criticality


class Step(NamedTuple):
    """One event of the log."""

    case: str
    activity: str
    agent: str | None
    """None where the log names nobody."""
    group: str | None
    time_us: int
    transition: str
    """`start`, `complete` or "" (a log's own words count as complete)."""
    instance: str
    """What tells two runs of one activity in a case apart; "" where the log does not."""
    criticality: Criticality | None
    cost: float | None


class Unreadable(NamedTuple):
    """An event of the log that cannot be counted."""

    where: str
    """A place that a person finds again: `line 17`."""
    why: str
