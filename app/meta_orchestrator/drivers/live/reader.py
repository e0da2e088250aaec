"""The records of one input partition → events: what is usual at once, the rest by `wire.records.read`.

Nearly every record has a key that was right before, a type of its topic and a time that is not ahead: then nothing is
left to check, and a third of the time that reading takes is saved. All else, the bad ones too, is read by the rules'
own code.
"""

from typing import Protocol

from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.inputs import MESSAGES, type_of
from meta_orchestrator.wire.decode import TIME_AHEAD_US, is_binary
from meta_orchestrator.wire.quick import usual_event
from meta_orchestrator.wire.records import read
from meta_orchestrator.wire.trust import Trust

KEYS_KNOWN = 65_536


class Record(Protocol):
    """What is read of a Kafka record."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> list[tuple[str, bytes]]: ...


class Reader:
    """Reads like `wire.records.read`, for a topic (without prefix) and partition that stay the same."""

    def __init__(self, topic: str, partition: int, partitions: int, trust: Trust) -> None:
        self.place = topic, partition, partitions
        self.trust = trust
        self.kinds = frozenset(map(type_of, MESSAGES[topic]))
        self.projects: dict[bytes | None, str] = {}
        """Keys that were found on the partition that is theirs, and their projects."""

    def read(self, record: Record) -> tuple[str | None, Event]:
        """(project, event); project None is a `clock.tick`. Raises BadRecord."""
        value, headers = record.value, record.headers
        project = self.projects.get(record.key)
        if project is None or value is None or (headers and is_binary(headers)):
            return self._by_the_rules(record)
        found = usual_event(value, record.offset)
        if found is None:
            return self._by_the_rules(record)
        one, event = found
        if event[3] not in self.kinds or one.project != project or event[0] - record.timestamp * 1000 > TIME_AHEAD_US:
            return self._by_the_rules(record)
        return project, event

    def _by_the_rules(self, record: Record) -> tuple[str | None, Event]:
        key = record.key
        project, event = read(
            *self.place, key, record.value, record.headers, record.timestamp, record.offset, self.trust
        )
        if project is not None:
            if len(self.projects) >= KEYS_KNOWN:
                self.projects.clear()
            self.projects[key] = project
        return project, event
