"""What a project's orchestrator said of the versions that were published: only what it applied is in force."""

from dataclasses import dataclass, field
from typing import Any, Literal

from meta_orchestrator.messages.fields import parse_time_us

Standing = Literal["applied", "rejected", "silent", "unknown"]


@dataclass
class Voice:
    """Of its events, in the order of their topic."""

    since_us: int | None = None
    """From when on nothing that it said is missing here; None where that was not read."""
    source: str | None = None
    """Of the orchestrator that registered last."""
    answers: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    """(change, version) → its last `config.applied` or `config.rejected`."""
    named: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Source → (the highest version that it named as its own in an envelope, when it did so last)."""

    def hear(self, event: dict[str, Any]) -> None:
        """Take in one event, its `configversion` too."""
        data = event["data"]
        if event["type"] == "orchestrator.registered":
            self.source = event["source"]
        elif event["type"] in ("config.applied", "config.rejected"):
            self.answers[data["change"], data["version"]] = event
        if (version := event.get("configversion")) is not None:
            self.named[event["source"]] = max(
                self.named.get(event["source"], (0, 0)), (version, parse_time_us(event["time"]))
            )

    def answer(self, change: dict[str, Any]) -> dict[str, Any] | None:
        """To a `config.change`."""
        return self.answers.get((change["data"]["change"], change["data"]["version"]))

    def standing(self, change: dict[str, Any]) -> Standing:
        """Silent only where an answer would be known; a version that was named later than the change implies it."""
        at_us, answer = parse_time_us(change["time"]), self.answer(change)
        version, named_us = self.named.get(self.source or "", (0, 0))
        if answer is not None:
            return "applied" if answer["type"] == "config.applied" else "rejected"
        if version >= change["data"]["version"] and named_us >= at_us:
            return "applied"
        return "silent" if self.since_us is not None and self.since_us <= at_us else "unknown"
