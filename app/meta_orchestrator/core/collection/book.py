"""A dictionary of small records that can say what has changed since it was last asked, so that only that is stored."""

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, Generic, TypeVar

Entry = TypeVar("Entry")


class Book(dict[str, Entry], Generic[Entry]):
    """Name → entry (a dataclass of JSON values). Who changes an entry adds its name to `changed`."""

    def __init__(self, make: Callable[..., Entry]) -> None:
        super().__init__()
        self.make = make
        self.values_of = attrgetter(*(field.name for field in fields(make)))  # type: ignore[arg-type]
        self.changed: set[str] = set()

    def drop(self, name: str) -> None:
        """Remove an entry."""
        del self[name]
        self.changed.add(name)

    def take(self) -> dict[str, Any]:
        """Changed entries as lists, None for removed ones; in the order of names."""
        taken = {name: self.values_of(self[name]) if name in self else None for name in sorted(self.changed)}
        self.changed.clear()
        return taken

    def keep_nothing(self) -> None:
        self.changed.clear()

    def dump(self) -> dict[str, Any]:
        return {name: self.values_of(entry) for name, entry in self.items()}

    def put(self, dumped: dict[str, Any]) -> None:
        """Set what was dumped or taken before."""
        for name, values in dumped.items():
            if values is None:
                self.pop(name, None)
            else:
                self[name] = self.make(*values)
