"""Follow a project's configuration: the one in force at once, then each newer one; only what a trusted worker
signed."""

import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import log10
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord

from meta_orchestrator.client.connection import Broker, log
from meta_orchestrator.client.publisher import Publisher
from meta_orchestrator.client.reader import ConfigReader
from meta_orchestrator.client.received import read_change
from meta_orchestrator.client.reporter import Reporter
from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.fields import Value
from meta_orchestrator.messages.outputs import ConfigChange
from meta_orchestrator.wire.trust import Trust, load_trust

LOG_APPEND_TIME = 1
Answer = tuple[str, dict[str, Any]]
"""(type, data) of the message that says what became of a change."""


@dataclass(frozen=True)
class Offer:
    """A configuration to put in force, as both worlds, with and without asyncio, see it."""

    message: ConfigChange
    """All that was published: kind, changes, reason, expected, review_at, …"""
    answer: Callable[[ConfigChange, Answer], None]

    @property
    def version(self) -> int:
        return self.message.version

    @property
    def config(self) -> dict[str, Value]:
        """Parameter → value, of every supported parameter."""
        return self.message.config

    def accept(self) -> None:
        self.answer(self.message, ("config.applied", self._identity))

    def refuse(self, reason: str) -> None:
        self.answer(self.message, ("config.rejected", {**self._identity, "reason": reason}))

    @property
    def _identity(self) -> dict[str, Any]:
        return {"change": self.message.change, "version": self.message.version}


class Change(Offer):
    """A configuration to put in force. Say what became of it: a change without an answer is taken back."""

    async def applied(self) -> None:
        """It is in force from now on."""
        self.accept()

    async def rejected(self, reason: str) -> None:
        """It cannot be put in force."""
        self.refuse(reason)


class Follower:
    """The changes of one project: `async for change in follower`.

    `version` is the version in force here: only newer ones are handed out. `refused` counts what was not obeyed, by
    reason: CONTRACT's names, and `older`. Answers go through `publisher`, or through one of its own that speaks as
    `source`. A change that is published again, because its answer did not arrive, gets the same answer again.
    """

    def __init__(
        self,
        project: str,
        *,
        broker: Broker,
        trust: Trust | Path | str,
        publisher: Reporter | None = None,
        source: str = "orchestrator",
        version: int = 0,
        prefix: str = "",
        **kafka: Any,
    ) -> None:
        if publisher is not None and publisher.project != project:
            raise ValueError(f"the publisher speaks for {publisher.project!r}, not for {project!r}")
        self.project, self.version = project, version
        self.refused: Counter[str] = Counter()
        self._trust = trust if isinstance(trust, Trust) else load_trust(Path(trust))
        self._where: dict[str, Any] = {"broker": broker, "prefix": prefix}
        self._source, self._publisher, self._kafka = source, publisher, kafka
        self._brings_publisher = publisher is None
        self._current: ConfigChange | None = None
        self._answer: Answer | None = None

    async def __aiter__(self) -> AsyncGenerator[Change, None]:
        who = f"{self._source} following {self.project}"
        async with self._voice(), ConfigReader(who, self.project, kafka=self._kafka, **self._where) as reader:
            in_force = None
            while not reader.at_end:
                for record in await reader.read():
                    in_force = self._newer(record, live=False) or in_force
            if in_force is not None:
                yield Change(in_force, self._answered)
            while True:
                for record in await reader.read():
                    change = self._newer(record, live=True)
                    if change is not None:
                        yield Change(change, self._answered)

    @asynccontextmanager
    async def _voice(self) -> AsyncIterator[None]:
        """Somebody to answer through, for as long as we follow."""
        if not self._brings_publisher:
            yield
            return
        async with Publisher(
            source=self._source, project=self.project, **self._where, **self._kafka
        ) as self._publisher:
            yield

    def _newer(self, record: "ConsumerRecord", live: bool) -> ConfigChange | None:
        """The change in a record, if it is to be obeyed. What is older is history, and strange only while we are
        live."""
        try:
            change = read_change(self.project, record.value, record.headers, self._trust, _at_us(record))
        except BadRecord as error:
            self._refuse(error.reason, record, str(error))
            return None
        if change.version > self.version:
            self.version, self._current, self._answer = change.version, change, None
            return change
        if self._current is not None and change.change == self._current.change:
            self._answer_again()
        elif live:
            self._refuse("older", record, f"version {change.version}, here {self.version} is in force")
        return None

    def _answered(self, change: ConfigChange, answer: Answer) -> None:
        assert self._publisher is not None  # noqa: S101 - changes are handed out while we have a voice
        self._publisher.post(*answer)
        if change is self._current:
            self._answer = answer
        if answer[0] == "config.applied":
            self._publisher.configversion = change.version

    def _answer_again(self) -> None:
        if self._publisher is not None and self._answer is not None:
            self._publisher.post(*self._answer)

    def _refuse(self, reason: str, record: "ConsumerRecord", why: str) -> None:
        """Count it; say so the first, tenth, hundredth, … time."""
        self.refused[reason] += 1
        if log10(self.refused[reason]).is_integer():
            where = f"{record.topic}[{record.partition}]@{record.offset}"
            log.warning("not obeyed: %s: %s (%s, %d times so far)", where, why, reason, self.refused[reason])


def _at_us(record: "ConsumerRecord") -> int:
    """When the record was written, if the broker's own clock says so; a sender could write any time, so else it is
    now."""
    return int(record.timestamp) * 1000 if record.timestamp_type == LOG_APPEND_TIME else time.time_ns() // 1000


def follow(project: str, **about: Any) -> Follower:
    """`async for change in follow(project, broker=…, trust=…)`: see Follower."""
    return Follower(project, **about)
