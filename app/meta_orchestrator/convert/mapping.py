"""Which attribute or column means what: named by the user, else recognised by the names in common use."""

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from meta_orchestrator.errors import SettingsError
from meta_orchestrator.messages.fields import Criticality
from meta_orchestrator.policy import parse
from meta_orchestrator.toml import read_toml

KNOWN: dict[str, tuple[str, ...]] = {
    "case": ("case:concept:name", "case id", "case", "case key", "trace id", "ticket", "ticket id", "order id"),
    "activity": ("concept:name", "activity", "activity name", "event", "event name", "action", "task", "status"),
    "resource": ("org:resource", "resource", "agent", "user", "assignee", "owner", "performer", "worker"),
    "timestamp": ("time:timestamp", "timestamp", "complete timestamp", "end timestamp", "completed at", "time", "date"),
    "group": ("org:group", "group", "org:role", "role", "team", "department"),
    "lifecycle": ("lifecycle:transition", "lifecycle", "transition"),
    "criticality": ("criticality", "impact", "case:impact", "priority", "case:priority", "severity", "case:severity"),
    "cost": ("cost:total", "cost", "costs"),
    "instance": ("concept:instance", "instance", "activity instance"),
}
"""Field → names in the order of preference; XES and pm4py first. Case, spaces and `_-.` do not matter."""

REQUIRED = ("case", "activity", "timestamp")
_LEVELS: dict[str, Criticality] = {
    "lowest": "minor",
    "low": "minor",
    "minor": "minor",
    "trivial": "minor",
    "medium": "normal",
    "normal": "normal",
    "moderate": "normal",
    "high": "major",
    "significant": "major",
    "major": "critical",  # of an impact: "major incident" stands above "high"
    "highest": "critical",
    "critical": "critical",
    "urgent": "critical",
    "blocker": "critical",
}


class Mapping(BaseModel):
    """How to read a log. Every field may stand in a TOML file or come as a flag; what is not named is recognised."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    case: str | None = None
    activity: str | None = None
    resource: str | None = None
    timestamp: str | None = None
    group: str | None = None
    lifecycle: str | None = None
    criticality: str | None = None
    cost: str | None = None
    instance: str | None = None
    levels: dict[str, Criticality] = Field({}, description="the log's words for criticality, above those known")
    completed: str = Field(
        r"(complet|clos|done|finish|resolv)",
        description="regular expression: how the name of an activity that completes the case begins",
    )
    unknown: tuple[str, ...] = Field(("unknown", "empty", "none", "null", "nan"), description="what stands for nobody")
    time_format: str | None = Field(None, description="strptime format of the timestamps where they are not ISO 8601")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="of a CSV file; recognised if None")

    @field_validator("completed")
    @classmethod
    def _is_an_expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"must be a regular expression ({error})") from error
        return value

    def columns(self, names: Iterable[str]) -> dict[str, str]:
        """Field → the name that stands for it among those there are; a field that is not there is left out."""
        plain = {_plain(name): name for name in reversed(list(names))}
        chosen: dict[str, str] = {}
        for field, known in KNOWN.items():
            found = (plain[_plain(name)] for name in known if _plain(name) in plain)
            name = getattr(self, field) or next(found, None)
            if name is not None:
                chosen[field] = name
        return chosen

    def check(self, names: Iterable[str], needed: Iterable[str]) -> None:
        """SettingsError where a name given is not in the log, or a needed field was neither given nor recognised."""
        there = list(names)
        chosen = self.columns(there)
        for field in KNOWN:
            if field in chosen and chosen[field] not in there:
                raise SettingsError(f"mapping.{field}", chosen[field], f"must be one of {', '.join(there)}")
            if field in needed and field not in chosen:
                wanted = f"must name one of {', '.join(there)} (--mapping; for a CSV file also --{field})"
                raise SettingsError(f"mapping.{field}", None, wanted)

    def level(self, word: str, column: str) -> Criticality | None:
        """The criticality that a log means by a word; None where it is not known."""
        if word in self.levels:
            return self.levels[word]
        plain = word.strip().casefold()
        if plain == "major" and _plain(column) == "criticality":
            return "major"
        return _LEVELS.get(plain)


def load_mapping(path: Path | None, **flags: object) -> Mapping:
    """The mapping in a TOML file, flags above it. SettingsError names the key."""
    given = {} if path is None else read_toml("mapping", path)
    return parse(Mapping, given | {key: value for key, value in flags.items() if value is not None}, "mapping")


def _plain(name: str) -> str:
    return re.sub(r"[\s_.\-]", "", name.casefold())
