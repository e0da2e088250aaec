"""The mends of Faust's transport that can be looked at one by one; the others show under SIGKILL (exactly_once)."""

import asyncio
from types import SimpleNamespace
from typing import Any, NamedTuple

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.codec import gzip_encode, lz4_encode
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from meta_orchestrator.drivers.live.app import App, credentials
from meta_orchestrator.drivers.live.batch import Batch
from meta_orchestrator.drivers.live.fetching import BatchedFetch
from meta_orchestrator.drivers.live.highwaters import after_last_readable
from meta_orchestrator.drivers.live.lenient import LenientRecords, WholeBatch
from meta_orchestrator.drivers.live.reader import Reader
from meta_orchestrator.drivers.live.transport import Transport
from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.settings import Settings
from meta_orchestrator.wire import records
from meta_orchestrator.wire.trust import Trust

INPUT, OTHER = TopicPartition("agent-events", 0), TopicPartition("changelog", 0)


class Assignment:
    def __init__(self, position: int) -> None:
        self.position = position

    def state_value(self, _: TopicPartition) -> Any:
        return SimpleNamespace(has_valid_position=True, position=self.position)


def test_the_records_of_one_fetch_become_one_batch_between_two_positions() -> None:
    packed = [kafka_batch(3, 7), kafka_batch(7, 9)]
    folded = BatchedFetch._folded({INPUT: packed, OTHER: ["c"]}, {INPUT: 5}, Assignment(9))
    (batch,) = folded[INPUT]
    assert ([record.offset for record in batch], batch.start, batch.end) == ([5, 6, 7, 8], 5, 9)
    assert batch.count == 4
    assert folded[OTHER] == ["c"]


def test_a_fetch_that_moves_on_without_records_is_a_batch_too() -> None:
    (batch,) = BatchedFetch._folded({}, {INPUT: 5}, Assignment(9))[INPUT]
    assert (list(batch), batch.start, batch.end) == ([], 5, 9)
    assert BatchedFetch._folded({}, {INPUT: 9}, Assignment(9)) == {}


def kafka_batch(start: int, end: int) -> WholeBatch:
    """Of one record an offset."""
    written = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for number in range(end - start):
        written.append(number, timestamp=5, key=b"k", value=b"v", headers=[])
    raw = bytearray(written.build())
    raw[:8] = start.to_bytes(8, "big")
    records = LenientRecords(bytes(raw))
    records.whole = True
    batch = records.next_batch()
    assert batch.offset == end - 1
    return batch


def in_order(start: int, end: int, position: int) -> Batch | None:
    batch = Batch([kafka_batch(start, end)], start, end)
    readings = {"agent-events": SimpleNamespace(next=position)}
    partition: Any = SimpleNamespace(head=SimpleNamespace(readings=readings))
    app: Any = SimpleNamespace(input_topics={"x-agent-events": "agent-events"})
    return App._in_order(app, SimpleNamespace(topic="x-agent-events", value=batch), partition)  # type: ignore[arg-type]


def test_a_batch_counts_only_from_where_the_last_one_ended() -> None:
    assert in_order(5, 9, position=4) is None  # something was dropped on the way
    whole, cut, nothing_new = in_order(5, 9, 5), in_order(5, 9, 7), in_order(5, 9, 12)
    assert whole is not None
    assert cut is not None
    assert nothing_new is not None
    assert len(list(whole)) == 4
    assert ([record.offset for record in cut], cut.start, cut.end) == ([7, 8], 7, 9)
    assert (list(nothing_new), nothing_new.start, nothing_new.end) == ([], 12, 12)


def test_the_mended_classes_are_the_ones_that_faust_will_use() -> None:
    assert Transport.Consumer.__module__ == Transport.Producer.__module__ == "meta_orchestrator.drivers.live.transport"


def test_credentials_carry_the_tls_context_or_there_would_be_none() -> None:
    sasl = {"sasl_mechanism": "SCRAM-SHA-512", "username": "u", "password": "p"}
    found = credentials(Settings(security_protocol="SASL_SSL", **sasl))  # type: ignore[arg-type]
    assert found is not None
    assert found.protocol.value == "SASL_SSL"
    assert credentials(Settings(security_protocol="SASL_PLAINTEXT", **sasl)).protocol.value == "SASL_PLAINTEXT"  # type: ignore[arg-type, union-attr]
    assert credentials(Settings()) is None


# ---- usual records are read as the rules read them ----

NOW_MS = 1_700_000_000_000
PARTITION = records.partition_of(b"p", 4)


def value(**changes: Any) -> bytes:
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": "agent.heartbeat", "project": "p"}
    time = format_time_us(NOW_MS * 1000)
    return orjson.dumps({**event, "time": time, "data": {"agent": "a", "utilization": 0.5}, **changes})


CASES: dict[str, tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = {
    "usual": (b"p", value(), []),
    "with headers": (b"p", value(configversion=3), [("content-type", b"application/cloudevents+json")]),
    "unknown type": (b"p", value(type="other", data={"x": 1}), []),
    "clock.tick": (None, value(type="clock.tick", project=None), []),
    "binary": (b"p", b'{"agent":"a","utilization":0.5}', [("ce_specversion", b"1.0")]),
    "no value": (b"p", None, []),
    "ahead": (b"p", value(time=format_time_us((NOW_MS + 61_000) * 1000)), []),
    "no such day": (b"p", value(time="2023-02-30T00:00:00Z"), []),
    "before the epoch": (b"p", value(time="1960-01-01T00:00:00Z"), []),
    "a fraction": (b"p", value(time=format_time_us(NOW_MS * 1000 + 123_456)), []),
    "not ASCII": (b"p", value(id="é"), []),
    "its own time of arrival": (b"p", value(recordedtime="2023-11-14T22:13:20Z"), []),
    "no time of arrival": (b"p", value(recordedtime="yesterday"), []),
    "somebody's words": (
        b"p",
        value(type="agent.task.blocked", data={"task": "t", "agent": "a", "reason": "w" * 501}),
        [],
    ),
    "cut off": (b"p", value()[:-1], []),
    "another key": (b"q", value(), []),
    "another project": (b"p", value(project="q"), []),
    "no key": (None, value(), []),
    "another topic's": (
        b"p",
        value(type="consensus.vote.cast", data={"round": "r", "agent": "a", "choice": "approve"}),
        [],
    ),
}


class Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("partition", [PARTITION, (PARTITION + 1) % 4])
def test_the_reader_says_what_the_rules_say(name: str, partition: int) -> None:
    key, content, headers = CASES[name]
    reader = Reader("agent-events", partition, 4, Trust())
    if partition == PARTITION:
        reader.read(Record(0, NOW_MS, b"p", value(), []))  # so that the key is known

    def said(read: Any, *given: Any) -> Any:
        try:
            return read(*given)
        except BadRecord as bad:
            return bad.reason, bad.field, bad.detail

    rules = said(records.read, "agent-events", partition, 4, key, content, headers, NOW_MS, 7, Trust())
    record = Record(7, NOW_MS, key, content, headers)
    assert said(reader.read, record) == rules
    [(same, project, event)] = reader.read_all([record])
    assert same is record
    assert event is None or (project, event) == rules


def test_the_most_usual_events_are_read_in_one_go() -> None:
    reader = Reader("agent-events", PARTITION, 4, Trust())
    record = Record(7, NOW_MS, b"p", value(time="2023-11-14T22:13:20.123456Z"), [])
    known = reader.read(record)
    assert [found[1:] for found in reader.read_all([record])] == [known]


# ---- where a topic ends for a reader who waits for commits ----


@pytest.mark.kafka
def test_the_end_of_a_changelog_is_after_its_last_committed_record(kafka: str, prefix: str) -> None:
    topic = prefix + "meta-orchestrator-heads-changelog"
    assert asyncio.run(_ends(kafka, topic, aborted=40)) == {TopicPartition(topic, 0): 3}


@pytest.mark.kafka
def test_a_changelog_in_which_nothing_was_committed_has_no_end(kafka: str, prefix: str) -> None:
    assert asyncio.run(_ends(kafka, prefix + "meta-orchestrator-panes-changelog", aborted=10, committed=0)) == {}


async def _ends(bootstrap: str, topic: str, aborted: int, committed: int = 3) -> dict[TopicPartition, int]:
    """Write some committed records, then some aborted ones, and look for the end."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic) as producer:
        for count, end in ((committed, producer.commit_transaction), (aborted, producer.abort_transaction)):
            if count:
                await producer.begin_transaction()
                for number in range(count):
                    await producer.send_and_wait(topic, b"v", key=b"%d" % number, partition=0)
                await end()
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False)
    await reader.start()
    try:
        partition = TopicPartition(topic, 0)
        reader.assign([partition])
        ends = await reader.end_offsets([partition])
        return await asyncio.wait_for(after_last_readable(reader, ends), 20)
    finally:
        await reader.stop()


@pytest.mark.parametrize("codec", [0, 1, 3])
def test_a_header_with_a_name_that_is_not_utf8_stops_nobody(codec: int) -> None:
    """Kafka's brokers take any bytes; aiokafka alone would raise, at this record, for ever."""
    written = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 20)
    names = ("fine", "Zürich", "content-type")
    for offset, name in enumerate(names):
        written.append(offset, timestamp=5, key=b"k", value=b"v%d" % offset, headers=[(name, b"x"), ("empty", None)])
    good = bytes(written.build())
    bad = _with_another_name("Zürich".encode(), b"Z\xfc\xferich", names, codec)
    batches = LenientRecords(good + bad + good)
    read = []
    while batches.has_next():
        read.append([(it.offset, it.key, it.value, it.headers[0][0], it.headers[1]) for it in batches.next_batch()])
    fine = [(offset, b"k", b"v%d" % offset, name, ("empty", None)) for offset, name in enumerate(names)]
    assert read[0] == read[2] == fine
    assert read[1] == [fine[0], (*fine[1][:3], r"Z\xfc\xferich", ("empty", None)), fine[2]]


def _with_another_name(name: bytes, other: bytes, names: tuple[str, ...], codec: int) -> bytes:
    """The same batch with bytes in it that aiokafka would not write."""
    batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for offset, each in enumerate(names):
        batch.append(offset, timestamp=5, key=b"k", value=b"v%d" % offset, headers=[(each, b"x"), ("empty", None)])
    raw = bytes(batch.build()).replace(name, other)
    head, body = bytearray(raw[:61]), raw[61:]
    packed = {0: bytes, 1: gzip_encode, 3: lz4_encode}[codec](body)
    head[8:12] = (len(packed) + 49).to_bytes(4, "big")
    head[22] |= codec
    return bytes(head) + packed
