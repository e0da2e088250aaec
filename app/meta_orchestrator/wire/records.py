"""Kafka records → events, with every check of CONTRACT §1 and §2, in the order in which §2 names the reasons."""

from collections.abc import Sequence
from functools import lru_cache

from aiokafka.partitioner import murmur2

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.event import UNKNOWN, Event
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.inputs import COMMANDS, TOPIC_OF
from meta_orchestrator.wire.decode import check_not_ahead, event_of, is_binary, parse, parse_binary
from meta_orchestrator.wire.signing import signature_of, verify
from meta_orchestrator.wire.trust import Trust

Headers = Sequence[tuple[str, bytes]]
COMMAND_TOPIC = "control-commands"
COMMAND_FRESH_US = 300 * SECOND


def read(  # noqa: PLR0913, PLR0917 - what a Kafka record is
    topic: str,
    partition: int,
    partitions: int,
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    timestamp_ms: int,
    offset: int,
    trust: Trust,
) -> tuple[str | None, Event]:
    """(project, event) of one record; project None is a `clock.tick`. `topic` without prefix; raises BadRecord."""
    value = value or b""
    binary = bool(headers) and is_binary(headers)
    envelope = parse_binary(value, headers) if binary else parse(value)
    event = event_of(envelope, value, offset)
    recorded_us = timestamp_ms * 1000
    project: str | None = envelope.get("project")
    if project is None:
        check_not_ahead(event[0], recorded_us)
        return None, event
    _check_place(project, event[3], topic, partition, partitions, key)
    check_not_ahead(event[0], recorded_us)
    if topic == COMMAND_TOPIC:
        _check_command(project, event, topic, headers, binary, recorded_us, trust)
    return project, event


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Java's and aiokafka's default partitioner give a key."""
    return int(murmur2(key) & 0x7FFF_FFFF) % partitions


def _check_place(project: str, kind: str, topic: str, partition: int, partitions: int, key: bytes | None) -> None:
    if key != project.encode():
        raise BadRecord("key_mismatch", f"the record key is {key!r}, the project {project!r}", "project")
    if kind != UNKNOWN and TOPIC_OF[kind] != topic:
        raise BadRecord("invalid", f"{kind} belongs on {TOPIC_OF[kind]}, not on {topic}", "type")
    right = partition_of(key, partitions)
    if partition != right:
        raise BadRecord("wrong_partition", f"on {partition}, murmur2 of the key gives {right} of {partitions}")


def _check_command(
    project: str, event: Event, topic: str, headers: Headers, binary: bool, recorded_us: int, trust: Trust
) -> None:
    if binary:  # the signature covers the value; type, time and id would be anybody's
        raise BadRecord("bad_signature", "a signed record must be in structured mode")
    key, value = project.encode(), event[5]
    verify(trust, "operator", project, signature_of(headers), topic, key, value, recorded_us)
    if event[3] in COMMANDS and abs(recorded_us - event[0]) > COMMAND_FRESH_US:
        raise BadRecord("replayed", "its time is not within 5 min of its append time", "time")
