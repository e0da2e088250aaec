"""Kafka records: where they stand, when they came, and for commands who sent them."""

from base64 import b64decode, b64encode
from typing import Any

import orjson
import pytest

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.messages.inputs import COMMANDS, TOPIC_OF
from meta_orchestrator.wire.records import partition_of, read
from meta_orchestrator.wire.signing import sign
from meta_orchestrator.wire.trust import Key, Role, Trust, TrustedKey, generate
from tests.wire.making import EXAMPLES, LEFT_OUT, binary, blame, envelope, structured, with_data

PARTITIONS = 8
TIME_US = parse_time_us("2026-03-02T09:00:00Z")
FOREVER_US = parse_time_us("2099-01-01T00:00:00Z")
ALICE, WORKER, FOREIGN, EXPIRED, STRANGER = map(generate, ("alice", "worker-1", "foreign", "expired", "stranger"))


def believed(key: Key, role: Role, project: str = "*", not_after_us: int = FOREVER_US) -> TrustedKey:
    return TrustedKey(key.id, key.private.public_key(), role, frozenset({project}), not_after_us)


TRUSTED = (
    believed(ALICE, "operator", "checkout"),
    believed(WORKER, "worker"),
    believed(FOREIGN, "operator", "search"),
    believed(EXPIRED, "operator", not_after_us=TIME_US - 1),
)
TRUST = Trust({key.id: key for key in TRUSTED})


def receive(topic: str, value: bytes | None, headers: Any = (), **where: Any) -> tuple[str | None, Event]:
    """Read a record that stands where it should, 1 s after its time, unless told otherwise."""
    key = where.get("key", b"checkout")
    partition = where.get("partition", partition_of(key or b"", PARTITIONS))
    appended_ms = where.get("appended_us", TIME_US + 1_000_000) // 1000
    return read(topic, partition, PARTITIONS, key, value, headers, appended_ms, 42, where.get("trust", TRUST))


def refusal(topic: str, value: bytes | None, headers: Any = (), **where: Any) -> tuple[str, str | None]:
    with pytest.raises(BadRecord) as caught:
        receive(topic, value, headers, **where)
    return blame(caught.value)


def now(kind: str, **changes: Any) -> bytes:
    return structured(kind, **{"time": "2026-03-02T09:00:00Z", **changes})


def signed(value: bytes, key: Key = ALICE, topic: str = "control-commands", record_key: bytes = b"checkout") -> Any:
    return [("signature", sign(key, topic, record_key, value).encode())]


# ---- place ----


@pytest.mark.parametrize("kind", sorted(set(TOPIC_OF) - COMMANDS))
def test_an_event_on_its_topic_under_its_project_is_read(kind: str) -> None:
    project, event = receive(TOPIC_OF[kind], now(kind))
    assert (project, event[0], event[3], event[6]) == ("checkout", TIME_US, kind, 42)
    assert event[5] == now(kind)


def test_binary_mode_is_told_by_its_header() -> None:
    value, headers = binary(envelope(time="2026-03-02T09:00:00Z"))
    project, event = receive("agent-events", value, headers)
    assert (project, event[3], event[5]) == ("checkout", "agent.heartbeat", value)


def test_an_empty_record_is_not_json() -> None:
    assert refusal("agent-events", None) == refusal("agent-events", b"") == ("not_json", None)


@pytest.mark.parametrize("key", [None, b"", b"Checkout", b"checkout "])
def test_the_record_key_is_the_project(key: bytes | None) -> None:
    assert refusal("agent-events", now("agent.heartbeat"), key=key) == ("key_mismatch", "project")


@pytest.mark.parametrize("kind", sorted(TOPIC_OF))
def test_a_type_on_a_topic_that_is_not_its_own_is_invalid(kind: str) -> None:
    elsewhere = {"agent-events", "consensus-events", "orchestrator-events", "control-commands"} - {TOPIC_OF[kind]}
    value = now(kind)
    for topic in sorted(elsewhere):
        assert refusal(topic, value, signed(value, topic=topic)) == ("invalid", "type")


def test_an_unknown_type_is_read_on_every_open_topic() -> None:
    for topic in ("agent-events", "consensus-events", "orchestrator-events"):
        assert receive(topic, now("agent.heartbeat", type="agent.sang"))[1][3] == "unknown"


@pytest.mark.parametrize(
    ("key", "java"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_partition_is_that_of_kafkas_java_client(key: bytes, java: int) -> None:
    """The hashes are those of Apache Kafka's own UtilsTest.testMurmur2."""
    assert partition_of(key, 1000) == (java & 0x7FFFFFFF) % 1000


def test_a_record_on_another_partition_is_refused() -> None:
    right = partition_of(b"checkout", PARTITIONS)
    for partition in set(range(PARTITIONS)) - {right}:
        assert refusal("agent-events", now("agent.heartbeat"), partition=partition) == ("wrong_partition", None)


def test_a_time_may_be_a_minute_ahead_of_the_append_time_and_any_time_behind() -> None:
    value = now("agent.heartbeat")
    assert receive("agent-events", value, appended_us=TIME_US - 60_000_000)
    assert receive("agent-events", value, appended_us=TIME_US + 10**15)
    assert refusal("agent-events", value, appended_us=TIME_US - 60_001_000) == ("time_ahead", "time")


def test_a_recorded_time_that_a_sender_wrote_is_not_believed() -> None:
    value = now("agent.heartbeat", recordedtime="2026-03-02T08:00:00Z")
    assert receive("agent-events", value)
    assert refusal("agent-events", value, appended_us=TIME_US - 70_000_000) == ("time_ahead", "time")


@pytest.mark.parametrize("topic", ["agent-events", "consensus-events", "orchestrator-events", "control-commands"])
def test_a_clock_tick_is_read_on_every_input_topic_under_any_key_unsigned(topic: str) -> None:
    value = now("clock.tick")
    for key in (None, b"", b"checkout"):
        for partition in range(PARTITIONS):
            project, event = receive(topic, value, key=key, partition=partition)
            assert (project, event[3]) == (None, "clock.tick")


def test_the_first_reason_in_the_order_of_the_contract_is_given() -> None:
    everything_wrong: dict[str, Any] = {"key": b"other", "partition": 99, "appended_us": 0}
    value = now("control.freeze")
    assert refusal("agent-events", b"x", **everything_wrong)[0] == "not_json"
    assert refusal("agent-events", now("control.freeze", data={}), **everything_wrong)[0] == "invalid"
    assert refusal("agent-events", value, **everything_wrong)[0] == "key_mismatch"
    del everything_wrong["key"]
    assert refusal("agent-events", value, **everything_wrong) == ("invalid", "type")
    assert refusal("control-commands", value, **everything_wrong)[0] == "wrong_partition"
    del everything_wrong["partition"]
    assert refusal("control-commands", value, **everything_wrong)[0] == "time_ahead"


# ---- commands and their forgeries ----

FREEZE = now("control.freeze")


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_a_command_signed_by_an_operator_of_the_project_counts(kind: str) -> None:
    data = {**EXAMPLES[kind]["data"]}
    value = now(kind, data=data)
    assert receive("control-commands", value, signed(value))[1][3] == kind


def other_value(value: bytes) -> bytes:
    return value.replace(b"release day", b"release dax")


def header(text: str | bytes) -> Any:
    return [("signature", text if isinstance(text, bytes) else text.encode())]


GOOD = signed(FREEZE)[0][1].decode()
RAW = b64decode(GOOD.split(":")[1])
FLIPPED = b64encode(bytes([RAW[0] ^ 1]) + RAW[1:]).decode()

FORGERIES: dict[str, tuple[bytes, Any, str]] = {
    "unsigned": (FREEZE, [], "bad_signature"),
    "an empty signature": (FREEZE, header(""), "bad_signature"),
    "a signature without a key id": (FREEZE, header(GOOD.split(":")[1]), "bad_signature"),
    "a signature that is not base64": (FREEZE, header("alice:!!!!"), "bad_signature"),
    "a signature in URL-safe base64": (FREEZE, header("alice:" + "-_" * 43 + "=="), "bad_signature"),
    "a short signature": (FREEZE, header("alice:" + b64encode(RAW[:63]).decode()), "bad_signature"),
    "a long signature": (FREEZE, header("alice:" + b64encode(RAW + b"\0").decode()), "bad_signature"),
    "a header that is not text": (FREEZE, header(b"\xff\xfe:" + GOOD.encode()), "bad_signature"),
    "a signature with one bit flipped": (FREEZE, header(f"alice:{FLIPPED}"), "bad_signature"),
    "a signature of zeros": (FREEZE, header("alice:" + b64encode(bytes(64)).decode()), "bad_signature"),
    "two signatures": (FREEZE, header(GOOD) * 2, "bad_signature"),
    "a changed value": (other_value(FREEZE), header(GOOD), "bad_signature"),
    "a space more": (FREEZE + b" ", header(GOOD), "bad_signature"),
    "signed for another topic": (FREEZE, signed(FREEZE, topic="config-changes"), "bad_signature"),
    "signed for another project": (FREEZE, signed(FREEZE, record_key=b"search"), "bad_signature"),
    "signed with the topic's prefix": (FREEZE, signed(FREEZE, topic="acme.control-commands"), "bad_signature"),
    "signed without the domain": (
        FREEZE,
        header("alice:" + b64encode(ALICE.private.sign(FREEZE)).decode()),
        "bad_signature",
    ),
    "another's signature under alice's name": (
        FREEZE,
        header("alice:" + sign(STRANGER, "control-commands", b"checkout", FREEZE).split(":")[1]),
        "bad_signature",
    ),
    "a key that nobody trusts": (FREEZE, signed(FREEZE, STRANGER), "untrusted"),
    "a worker's key": (FREEZE, signed(FREEZE, WORKER), "untrusted"),
    "an operator of another project": (FREEZE, signed(FREEZE, FOREIGN), "untrusted"),
    "a key past its date": (FREEZE, signed(FREEZE, EXPIRED), "untrusted"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_command_is_refused(name: str) -> None:
    value, headers, reason = FORGERIES[name]
    assert refusal("control-commands", value, headers)[0] == reason


def test_without_a_trust_file_no_command_counts() -> None:
    assert refusal("control-commands", FREEZE, signed(FREEZE), trust=Trust())[0] == "untrusted"


def test_a_command_moved_under_another_project_is_refused() -> None:
    assert refusal("control-commands", FREEZE, signed(FREEZE), key=b"search") == ("key_mismatch", "project")
    moved = now("control.freeze", project="search")
    assert refusal("control-commands", moved, signed(FREEZE), key=b"search")[0] == "bad_signature"


def test_an_unknown_type_among_commands_must_be_signed_too() -> None:
    value = now("control.freeze", type="control.dance")
    assert refusal("control-commands", value)[0] == "bad_signature"
    assert receive("control-commands", value, signed(value))[1][3] == "unknown"


def test_a_command_in_binary_mode_is_refused_since_its_type_and_time_are_not_signed() -> None:
    value, headers = binary(envelope("control.approve", time="2026-03-02T09:00:00Z"))
    assert receive("control-commands", now("control.approve"), signed(now("control.approve")))
    assert refusal("control-commands", value, headers + signed(value))[0] == "bad_signature"
    declined = [(name, b"control.decline" if name == "ce_type" else raw) for name, raw in headers]
    assert refusal("control-commands", value, declined + signed(value))[0] == "bad_signature"


def test_a_signed_command_with_headers_of_binary_mode_beside_it_is_not_taken_for_its_own_data() -> None:
    _, headers = binary(envelope("control.approve", time="2026-03-02T09:00:00Z"))
    value = with_data("control.approve", nothing="else")
    assert refusal("control-commands", value, headers + signed(value))[0] in ("invalid", "bad_signature")


def test_a_command_counts_within_five_minutes_of_its_time() -> None:
    limit_us = 300_000_000
    assert receive("control-commands", FREEZE, signed(FREEZE), appended_us=TIME_US + limit_us)
    late = refusal("control-commands", FREEZE, signed(FREEZE), appended_us=TIME_US + limit_us + 1000)
    assert late == ("replayed", "time")
    ahead = refusal("control-commands", FREEZE, signed(FREEZE), appended_us=TIME_US - limit_us)
    assert ahead == ("time_ahead", "time")


def test_a_key_counts_up_to_its_last_instant() -> None:
    at_us = TIME_US + 1_000_000
    for not_after_us, counts in ((at_us, True), (at_us - 1, False)):
        trust = Trust({"alice": believed(ALICE, "operator", not_after_us=not_after_us)})
        if counts:
            assert receive("control-commands", FREEZE, signed(FREEZE), trust=trust)
        else:
            assert refusal("control-commands", FREEZE, signed(FREEZE), trust=trust)[0] == "untrusted"


def test_events_of_agents_need_no_signature_and_a_wrong_one_does_no_harm() -> None:
    value = now("agent.heartbeat")
    assert receive("agent-events", value, header("alice:nonsense"))[0] == "checkout"


def test_two_spellings_of_one_member_are_read_as_the_signer_wrote_them() -> None:
    """The last of two equal names counts, for the type and for its data alike: no reader sees another command."""
    value = (
        FREEZE[:-1] + b',"type":"control.approve","data":' + orjson.dumps(EXAMPLES["control.approve"]["data"]) + b"}"
    )
    _, event = receive("control-commands", value, signed(value))
    assert (event[3], event[4]["proposal"]) == ("control.approve", EXAMPLES["control.approve"]["data"]["proposal"])


def test_left_out_project_is_named_even_where_the_key_names_one() -> None:
    assert refusal("agent-events", now("agent.heartbeat", project=LEFT_OUT)) == ("not_cloudevent", "project")
