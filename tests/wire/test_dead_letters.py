"""Nothing bad vanishes: the bytes stay as they came, and the reason stands beside them."""

from base64 import b64decode
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.event import Refused
from meta_orchestrator.wire.dead_letters import fit, headers, line_of, line_of_refused
from meta_orchestrator.wire.journal import read_line
from tests.wire.making import LEFT_OUT, structured

BAD = BadRecord("invalid", "must be at least 0", "data.duration_ms")


def letter(value: bytes, bad: BadRecord = BAD, number: int = 3) -> Any:
    return orjson.loads(line_of(bad, value, number))


def test_a_letter_tells_reason_field_line_and_the_value_as_it_came() -> None:
    value = structured(time="2026-03-02T10:00:00+01:00")
    seen = letter(value)
    assert seen["data"] == {"reason": "invalid", "field": "data.duration_ms", "line": 3, "value": value.decode()}
    assert (seen["type"], seen["time"], seen["project"]) == ("dead.letter", "2026-03-02T09:00:00Z", "checkout")


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (b"nonsense", set()),
        (b"[1]", set()),
        (structured(time="yesterday"), {"project"}),
        (structured(time="2026-02-30T00:00:00Z"), {"project"}),
        (structured(time=3, project=LEFT_OUT), set()),
        (structured(project=""), {"time"}),
        (structured(project=7), {"time"}),
    ],
)
def test_time_and_project_stand_there_only_where_they_could_be_read(value: bytes, known: set[str]) -> None:
    assert {"time", "project"} & set(letter(value)) == known


def test_without_a_field_to_blame_none_is_named() -> None:
    assert "field" not in letter(b"x", BadRecord("not_json", "no"))["data"]


@given(st.binary(max_size=200), st.integers(1, 10**9))
def test_the_bytes_can_always_be_had_back(value: bytes, number: int) -> None:
    line = line_of(BAD, value, number)
    data = orjson.loads(line)["data"]
    back = data["value"].encode() if "value" in data else b64decode(data["value_base64"])
    assert (back, data["line"]) == (value, number)
    assert b"\n" not in line


def test_the_same_bytes_on_two_lines_are_two_letters_and_the_same_line_always_the_same() -> None:
    assert letter(b"x", number=1)["id"] != letter(b"x", number=2)["id"]
    assert line_of(BAD, b"x", 1) == line_of(BAD, b"x", 1)


def test_what_was_refused_at_a_tick_gets_the_same_letter() -> None:
    value = structured()
    _, event, _ = read_line(value, 9)
    refused = Refused("checkout", event, "over_limit", "too many agents", "data.agent")
    assert line_of_refused(refused) == line_of(BadRecord("over_limit", "too many agents", "data.agent"), value, 9)


def test_in_kafka_the_reason_stands_in_headers_behind_those_of_the_record() -> None:
    original = [("ce_id", b"\xff"), ("dlq.reason", b"forged"), ("content-type", b"x")]
    assert headers(BAD, "acme.agent-events", 2, 77, 1_772_442_000_000_000, original) == [
        ("ce_id", b"\xff"),
        ("content-type", b"x"),
        ("dlq.topic", b"acme.agent-events"),
        ("dlq.partition", b"2"),
        ("dlq.offset", b"77"),
        ("dlq.reason", b"invalid"),
        ("dlq.field", b"data.duration_ms"),
        ("dlq.time", b"2026-03-02T09:00:00Z"),
    ]


def test_in_kafka_no_field_is_no_header() -> None:
    assert "dlq.field" not in dict(headers(BadRecord("not_json", "no"), "t", 0, 0, 0))


def test_a_letter_that_its_topic_takes_goes_as_it_came() -> None:
    told = headers(BAD, "t", 0, 0, 0, [("x", b"y" * 1_000_000), ("empty", None)])  # type: ignore[list-item]
    assert fit(b"k", b"v" * 1_000_000, told) == (b"k", b"v" * 1_000_000, told)
    assert fit(b"k", None, told) == (b"k", None, told)


def test_a_letter_without_key_and_value_has_an_empty_value_since_our_producer_sends_nothing_else() -> None:
    assert fit(None, None, []) == (None, b"", [])


@pytest.mark.parametrize(
    ("key", "value", "header"),
    [(b"k", b"v" * 20_000_000, b""), (b"k" * 3_000_000, b"v", b""), (None, None, b"h" * 3_000_000)],
)
def test_a_letter_that_no_topic_takes_is_cut_and_tells_what_it_was(
    key: bytes | None, value: bytes | None, header: bytes
) -> None:
    """A compressed batch may hold any size; what the broker refuses would stop the partition for good."""
    cut_key, cut_value, told = fit(key, value, headers(BAD, "t", 0, 0, 0, [("x", header)]))
    assert len(cut_key or b"") + len(cut_value or b"") + sum(len(raw) for _, raw in told) < 1 << 20
    assert (key or b"").startswith(cut_key or b"")
    assert (value or b"").startswith(cut_value or b"")
    assert (cut_key is None) == (key is None)
    assert dict(told)["dlq.reason"] == b"invalid"
    assert int(dict(told)["dlq.bytes"]) >= len(key or b"") + len(value or b"") + len(header)
