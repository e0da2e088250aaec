"""What one fetch brought of one input partition."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from meta_orchestrator.drivers.live.lenient import WholeBatch


class Batch:
    """One fetch of one input partition, which Faust sees as one record.

    It can be iterated over once: Kafka's batches are unpacked one by one, where their records are read. (All at once,
    and in the reader's thread, they would be out of the processor's caches by then.)
    start, end: aiokafka's positions before and after it; [start, end) may hold offsets without a record.
    """

    __slots__ = ("count", "end", "fetched", "start")

    def __init__(self, fetched: Iterable[WholeBatch], start: int, end: int) -> None:
        self.fetched, self.start, self.end = fetched, start, end
        self.count = 0
        """Records so far."""

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(map(self._unpack, self.fetched))

    def _unpack(self, batch: WholeBatch) -> list[Any]:
        records = batch.records()
        if batch.base_offset < self.start:  # Kafka begins with the batch that holds the offset which was asked for
            records = [record for record in records if record.offset >= self.start]
        self.count += len(records)
        return records
