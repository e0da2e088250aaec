"""aiokafka cannot read past a record whose header has a name that is not UTF-8; brokers and other clients let it pass.

Its parser raises from within a batch, so one such record would stop its partition for ever. Such a batch is read again
by aiokafka's Python parser, with the name made readable, so that the record ends in the dead letters or counts.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Any

import google_crc32c
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_SIZE = Struct(">8xi")  # of what follows it
COMPACT_MAGIC, MAGIC_AT, CRC_FROM = 2, 16, 21


class LenientRecords:
    """What a fetch brought of one partition, as aiokafka's `MemoryRecords`; if `whole`, each batch is one record."""

    def __init__(self, raw: bytes) -> None:
        self.whole = False
        self._raw, self._at = memoryview(raw), 0
        self._batches = MemoryRecords(raw)
        self.size_in_bytes, self.has_next = self._batches.size_in_bytes, self._batches.has_next

    def next_batch(self) -> Any:
        """The next batch."""
        batch = self._batches.next_batch()
        if batch is None:
            return None
        start, self._at = self._at, self._at + _SIZE.size + _SIZE.unpack_from(self._raw, self._at)[0]
        return (WholeBatch if self.whole else LenientBatch)(batch, self._raw[start : self._at])


class LenientBatch:
    """A batch that can be read whatever its headers are called."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch, self._raw = batch, raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def validate_crc(self) -> bool:
        """By the processor's own instruction: aiokafka's tables take a fifth of a fetch's time."""
        if self._raw[MAGIC_AT] < COMPACT_MAGIC:
            return bool(self._batch.validate_crc())
        return bool(google_crc32c.value(bytes(self._raw[CRC_FROM:])) == self._batch.crc)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.records())

    def records(self) -> list[Any]:
        """All of them, once. (Batches of before Kafka 0.11 have no headers.)"""
        try:
            return list(self._batch)
        except UnicodeDecodeError:
            batch = _DefaultRecordBatchPy(self._raw)
            batch._maybe_uncompress()
            batch._buffer = _Readable(batch._buffer)
            return list(batch)


class WholeBatch(LenientBatch):
    """A batch that goes through aiokafka's fetcher as one record, the last of its offsets."""

    @property
    def offset(self) -> int:
        return int(self._batch.next_offset) - 1

    def __iter__(self) -> Iterator[Any]:
        return iter((self,))


class _Readable(bytearray):
    """Bytes of which each part can be decoded."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Readable(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)
