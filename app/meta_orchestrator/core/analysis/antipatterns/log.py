"""A bounded memory of records; what leaves it is learnt from."""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar


class Timed(Protocol):
    @property
    def time_us(self) -> int: ...


R = TypeVar("R", bound=Timed)


class Log(Generic[R]):
    """The last records, oldest first: at least `capacity` once there were so many, at most twice that after a turn.

    They leave in bulk, so that what learns from them may take the trouble to set them against all the others.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.records: deque[R] = deque()
        self.added = 0
        self.learners: list[Callable[[Sequence[R]], None]] = []
        """Called, in this order, with the records that are about to leave; they are still in the log then."""

    def add(self, record: R) -> None:
        self.records.append(record)
        self.added += 1

    def turn(self) -> None:
        """At each tick: let go of what is too much. A second call finds nothing more to do."""
        if len(self.records) <= 2 * self.capacity:
            return
        leaving = list(islice(self.records, len(self.records) - self.capacity))
        for learn in self.learners:
            learn(leaving)
        for _ in leaving:
            self.records.popleft()

    def dump(self, pack: Callable[[R], list[Any]]) -> dict[str, Any]:
        return {"added": self.added, "records": [pack(record) for record in self.records]}

    def load(self, dumped: dict[str, Any], unpack: Callable[[list[Any]], R]) -> None:
        self.added = dumped["added"]
        self.records = deque(unpack(packed) for packed in dumped["records"])
