"""What the outputs say about one project."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from meta_orchestrator.messages.fields import Value, parse_time_us
from meta_orchestrator.view.orders import Orders
from meta_orchestrator.view.sentences import time_text
from meta_orchestrator.view.story import Story
from meta_orchestrator.view.voice import Voice

Record: TypeAlias = dict[str, Any]
"""A parsed CloudEvent, `data` included."""


@dataclass
class ProjectView:
    """The tables are in the order of their topic, oldest first; `View` fills them."""

    name: str
    change: Record | None = None
    """The `config.change` of the highest version: its configuration is in force, once the orchestrator applied it."""
    snapshot: Record | None = None
    """The last `metrics.snapshot`."""
    trial: Record | None = None
    """The decision that began the running trial."""
    team: Record | None = None
    """The last `team.recommended`."""
    agents: dict[str, Record] = field(default_factory=dict)
    """Agent → its last `metrics.agent`."""
    antipatterns: dict[str, Record] = field(default_factory=dict)
    """Subject → what is detected and not cleared."""
    escalations: dict[str, Record] = field(default_factory=dict)
    """Condition → what is raised and not cleared."""
    proposals: dict[str, Record] = field(default_factory=dict)
    """Proposal id → the recommendation without an answer; `waiting` leaves out what has expired."""
    changes: dict[str, Record] = field(default_factory=dict)
    """Change id → its first record."""
    decisions: dict[str, Record] = field(default_factory=dict)
    """Record id → decision."""
    insights: dict[str, Record] = field(default_factory=dict)
    """Record id → insight."""
    snapshots: dict[str, Record] = field(default_factory=dict)
    """Record id → snapshot."""
    voice: Voice = field(default_factory=Voice)
    orders: Orders = field(default_factory=Orders)

    @property
    def version(self) -> int:
        """The last one published; 0 is the baseline, before any change."""
        return int(self.change["data"]["version"]) if self.change else 0

    @property
    def config(self) -> dict[str, Value]:
        """Of that version; empty where nothing was changed yet, since the baseline is the orchestrator's own."""
        return dict(self.change["data"]["config"]) if self.change else {}

    @property
    def standing(self) -> str:
        """Whether that version is in force, in words that follow its name."""
        if self.change is None:
            return "in force"
        answer, said = self.voice.answer(self.change), self.voice.standing(self.change)
        if said == "rejected" and answer is not None:
            return f"rejected by the orchestrator: {answer['data']['reason']}"
        if said == "silent":
            return f"published, not yet acknowledged by the orchestrator (since {time_text(self.change['time'])})"
        return "in force"

    def pins(self, now_us: int) -> dict[str, Record]:
        """Parameter → the override that pins it. One that has run out lasts until a freeze is over."""
        held = self.orders.pins(list(self.decisions.values()), list(self.changes.values()))
        frozen = self.phase == "frozen"
        return {
            name: order
            for name, order in held.items()
            if name in self.config and (frozen or parse_time_us(order["data"]["until"]) > now_us)
        }

    @property
    def phase(self) -> str | None:
        """`observing`, `steady`, `trial` or `frozen`; None before the first snapshot."""
        return str(self.snapshot["data"]["phase"]) if self.snapshot else None

    @property
    def time_us(self) -> int | None:
        """The latest tick that anything was said about."""
        tables = (self.changes, self.decisions, self.insights, self.snapshots)
        return max((parse_time_us(table[next(reversed(table))]["time"]) for table in tables if table), default=None)

    @property
    def drifts(self) -> list[Record]:
        """Every `drift.detected`, oldest first."""
        return [record for record in self.insights.values() if record["type"] == "drift.detected"]

    def waiting(self, now_us: int) -> list[Record]:
        """Recommendations that an owner may still approve, oldest first: not expired, and `from` has not moved."""
        return [
            p for p in self.proposals.values() if now_us < parse_time_us(p["data"]["expires_at"]) and self._holds(p)
        ]

    def _holds(self, decision: Record) -> bool:
        proposal = decision["data"]["proposal"]
        return bool(self.config.get(proposal["parameter"], proposal["from"]) == proposal["from"])

    def story(self, reference: str | int) -> Story | None:
        """All about a change (its id or version), a proposal (a trial has its proposal's id) or a decision."""
        change = self._change(reference)
        proposal = self._proposal(str(reference), change)
        versions = [c for c in self.changes.values() if c is change or c["data"].get("trial") == (proposal or "")]
        if not versions and proposal is None:
            return None
        change = change or next(iter(versions), None)
        about = self._about(proposal, {version["data"]["change"] for version in versions})
        found, forgotten = self._triggers(versions)
        answers = [answer for version in versions if (answer := self.voice.answer(version))]
        return Story(change, found, forgotten, about, versions, answers, self._fate(change))

    def _change(self, reference: str | int) -> Record | None:
        if isinstance(reference, str) and reference in self.changes:
            return self.changes[reference]
        version = str(reference).removeprefix("v")
        return next((c for c in self.changes.values() if str(c["data"]["version"]) == version), None)

    def _proposal(self, reference: str, change: Record | None) -> str | None:
        """The id of the proposal that a reference is about: its change's trial, or named by a decision."""
        if change is not None and change["data"].get("trial"):
            return str(change["data"]["trial"])
        reference = change["data"]["change"] if change is not None else reference
        for record in self.decisions.values():
            data = record["data"]
            if reference in (data["decision"], data["proposal"]["id"], data.get("change"), record["id"]):
                return str(data["proposal"]["id"])
        return None

    def _about(self, proposal: str | None, changes: set[str]) -> list[Record]:
        """The decisions that speak of a proposal or of one of some changes."""
        told = self.decisions.values()
        return [d for d in told if d["data"]["proposal"]["id"] == proposal or d["data"].get("change") in changes]

    def _triggers(self, versions: list[Record]) -> tuple[list[Record], list[str]]:
        """(records that the versions name as their triggers, ids of those that are not kept)."""
        wanted = dict.fromkeys(identity for version in versions for identity in version["data"]["trigger"])
        kept = {identity: self.insights.get(identity) or self.snapshots.get(identity) for identity in wanted}
        return [record for record in kept.values() if record], [identity for identity in wanted if not kept[identity]]

    def _fate(self, change: Record | None) -> str:
        """Whether a change is still in force, value by value."""
        if change is None:
            return "Nothing was put in force."
        now = f"Version {self.version} is {self.standing}"
        if change["data"]["version"] == self.version:
            return f"{now}."
        moves = change["data"]["changes"]
        left = [move["parameter"] for move in moves if self.config.get(move["parameter"]) == move["to"]]
        if self.standing != "in force":
            return f"{now}; it keeps of this one: {', '.join(left) or 'nothing'}."
        still = f"still in force: {', '.join(left)}" if left else "none of its values is in force any more"
        return f"{now}; {still}."
