"""A change from its trigger to its verdict."""

from dataclasses import dataclass
from typing import Any

from meta_orchestrator.messages.fields import format_time_us, parse_time_us
from meta_orchestrator.view.sentences import sentence, time_text

ENDED = frozenset({"kept", "rolled_back", "aborted"})
"""Verdicts that end a trial."""


@dataclass(frozen=True)
class Story:
    """What is known about one change."""

    change: dict[str, Any] | None
    """None where it was never more than a wish."""
    triggers: list[dict[str, Any]]
    """Insights and snapshots that the change names."""
    forgotten: list[str]
    """Ids it names that are no longer kept, or not read yet."""
    decisions: list[dict[str, Any]]
    """Every decision about it, in order: recommended, changed, kept ..."""
    versions: list[dict[str, Any]]
    """Every change of the same trial: its start, its flips, its end."""
    answers: list[dict[str, Any]]
    """What the orchestrator said of these versions, as far as it was heard."""
    fate: str
    """Whether it is in force now."""

    @property
    def verdict(self) -> dict[str, Any] | None:
        """The decision that ended the trial."""
        return next((d for d in reversed(self.decisions) if d["data"]["verdict"] in ENDED), None)

    def lines(self) -> list[tuple[str, str]]:
        """(time, sentence) in the order in which it happened; within a tick the cause stands before its effect."""
        together = [*self.triggers, *told_once([*self.versions, *self.decisions]), *self.answers]
        together.sort(key=lambda record: parse_time_us(record["time"]))
        told = [(time_text(format_time_us(parse_time_us(record["time"]))), sentence(record)) for record in together]
        return [*told, ("now", self.fate)]


def told_once(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the changes that a decision of the same tick tells of: it says the same and why."""
    told = {(r["time"], r["data"].get("change")) for r in records if r["type"] == "decision"}
    return [r for r in records if r["type"] != "config.change" or (r["time"], r["data"]["change"]) not in told]
