"""What operators hold: freezes and pins, from their commands and from what the worker made of these."""

from dataclasses import dataclass, field
from typing import Any

from meta_orchestrator.messages.cloudevent import digest
from meta_orchestrator.messages.fields import parse_time_us

UNPINS = frozenset({"rollback", "expiry"})
"""Kinds of change that end the pin of what they move."""


@dataclass
class Orders:
    """Signed commands, in the order of their topic; a second one of the same identity does not count."""

    freezes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Identity → `control.freeze`; the last one holds."""
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Id of the proposal that the worker makes of it → `control.override`."""

    def hear(self, event: dict[str, Any]) -> None:
        """Take in one command; what only decisions answer is left to them."""
        if event["type"] == "control.freeze":
            self.freezes.setdefault(digest("freeze", event["source"], event["id"]), event)
        elif event["type"] == "control.override":
            self.overrides.setdefault(digest("override", event["source"], event["id"]), event)

    def freeze(self, now_us: int) -> dict[str, Any] | None:
        """The one that holds or will at the next tick."""
        last = next(reversed(self.freezes.values()), None)
        return last if last is not None and parse_time_us(last["data"]["until"]) > now_us else None

    def pins(self, decisions: list[dict[str, Any]], changes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Parameter → the override that pins it: the last one that went out, unless it was undone or ran out."""
        version_of = {d["data"]["proposal"]["id"]: d["data"].get("version") for d in decisions if _went_out(d)}
        pinned = {version_of[name]: order for name, order in self.overrides.items() if name in version_of}
        held: dict[str, dict[str, Any]] = {}
        for change in sorted(changes, key=lambda it: int(it["data"]["version"])):
            if change["data"]["kind"] in UNPINS:
                for move in change["data"]["changes"]:
                    held.pop(move["parameter"], None)
            if order := pinned.get(change["data"]["version"]):
                held[order["data"]["parameter"]] = order
        return held


def _went_out(decision: dict[str, Any]) -> bool:
    return bool(decision["data"]["verdict"] == "changed")
