"""A bounded memory of records; what leaves it is learnt from."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
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
        self.learners: list[Callable[[Sequence[R]], None]] = []
        """Called, in this order, with the records that are about to leave; they are still in the log then."""

    def add(self, record: R) -> None:
        self.records.append(record)

    def turn(self) -> None:
        """At each tick: let go of what is too much. A second call finds nothing more to do."""
        if len(self.records) <= 2 * self.capacity:
            return
        leaving = list(islice(self.records, len(self.records) - self.capacity))
        for learn in self.learners:
            learn(leaving)
        for _ in leaving:
            self.records.popleft()

    def dump(self, pack: Callable[[R], list[Any]]) -> list[list[Any]]:
        """Records as lists that begin with the microseconds since the one before."""
        times = [0, *(record.time_us for record in self.records)]
        return [[record.time_us - before, *pack(record)] for before, record in zip(times, self.records, strict=False)]

    def load(self, dumped: Iterable[list[Any]], unpack: Callable[[int, list[Any]], R]) -> None:
        time_us = 0
        self.records.clear()
        for after_us, *packed in dumped:
            time_us += after_us
            self.records.append(unpack(time_us, packed))
