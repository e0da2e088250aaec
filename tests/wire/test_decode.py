"""Bytes → events: what is good comes through whole, what is bad says why and where."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.inputs import TOPIC_OF
from meta_orchestrator.wire.decode import event_of, parse, parse_binary
from tests.wire.making import EXAMPLES, LEFT_OUT, binary, blame, envelope, structured, with_data

INPUTS = [*TOPIC_OF, "clock.tick"]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def refusal(value: bytes) -> tuple[str, str | None]:
    with pytest.raises(BadRecord) as caught:
        event_of(parse(value), value, 0)
    return blame(caught.value)


# ---- good ----


@pytest.mark.parametrize("kind", INPUTS)
def test_every_example_comes_through_with_its_data(kind: str) -> None:
    assert parse(orjson.dumps(EXAMPLES[kind]))["data"] == EXAMPLES[kind]["data"]


def test_an_event_is_its_time_identity_type_data_bytes_position_and_config_version() -> None:
    value = structured(time="1970-01-01T01:00:00.000002+00:30", id="i", source="s", configversion=4)
    data = EXAMPLES["agent.heartbeat"]["data"]
    assert event_of(parse(value), value, 7) == (1_800_000_002, "s", "i", "agent.heartbeat", data, value, 7, 4)


def test_a_type_that_is_not_known_is_unknown_and_keeps_its_envelope() -> None:
    value = structured(type="agent.sang", data={"song": "la"})
    seen = parse(value)
    assert (seen["type"], seen["data"], seen["project"], seen["id"]) == (
        "unknown",
        {},
        "checkout",
        EXAMPLES["agent.heartbeat"]["id"],
    )


def test_null_for_what_is_optional_is_the_same_as_leaving_it_out() -> None:
    assert parse(structured(subject=None, configversion=None))["data"] == EXAMPLES["agent.heartbeat"]["data"]
    assert parse(with_data("agent.heartbeat", queue_depth=None))["data"].get("queue_depth") is None


def test_fields_that_nobody_knows_are_ignored() -> None:
    assert "mood" not in parse(with_data("agent.heartbeat", mood="fine"))["data"]
    assert parse(structured(comexampleextension="x"))["type"] == "agent.heartbeat"


def test_free_text_is_cut_at_500_characters() -> None:
    for kind, field in (
        ("agent.rework.requested", "reason"),
        ("agent.handoff.failed", "detail"),
        ("agent.feedback", "comment"),
    ):
        assert parse(with_data(kind, **{field: "ü" * 501}))["data"][field] == "ü" * 500
    assert len(parse(with_data("control.freeze", reason="x" * 9000))["data"]["reason"]) == 500


def test_an_override_may_last_seven_days_to_the_microsecond() -> None:
    good = with_data("control.override", until="2026-03-09T09:00:21Z")
    start = EXAMPLES["control.override"]["time"]
    assert (datetime.fromisoformat("2026-03-09T09:00:21Z") - datetime.fromisoformat(start)) == timedelta(days=7)
    assert parse(good)["type"] == "control.override"
    assert refusal(with_data("control.override", until="2026-03-09T09:00:21.000001Z")) == ("invalid", "data.until")


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),  # noqa: DTZ001
    st.integers(-23 * 60, 23 * 60),
    st.text("0123456789", max_size=4),
)
def test_times_are_whole_microseconds_and_what_is_finer_is_cut(naive: datetime, minutes: int, finer: str) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    fraction = f"{moment.microsecond:06d}{finer}"
    sign, hours, rest = "-" if minutes < 0 else "+", *divmod(abs(minutes), 60)
    text = f"{moment:%H:%M:%S}.{fraction}{sign}{hours:02d}:{rest:02d}"
    value = structured(time=f"{moment.year:04d}-{moment:%m-%d}T{text}")
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert event_of(parse(value), value, 0)[0] == expected


@pytest.mark.parametrize("text", ["2026-03-02t09:00:00z", "2026-03-02T10:00:00+01:00", "2026-03-02T09:00:00.0Z"])
def test_every_spelling_of_an_rfc_3339_time_is_the_same_instant(text: str) -> None:
    value = structured(time=text)
    assert event_of(parse(value), value, 0)[0] == 1_772_442_000_000_000


# ---- bad ----


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"nonsense",
        b'{"id":',
        b"\xff\xfe",
        b'{"a":"\xc3\x28"}',
        b'{"a": NaN}',
        b"{} {}",
        b'{"a":"\\ud800"}',
        b"[" * 5000,
    ],
)
def test_what_is_no_json_is_not_json(value: bytes) -> None:
    assert refusal(value) == ("not_json", None)


@pytest.mark.parametrize("value", [b"[]", b"null", b"3", b'"text"', b"[{}]"])
def test_json_that_is_no_object_is_no_cloudevent(value: bytes) -> None:
    assert refusal(value) == ("not_cloudevent", None)


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "time", "project"])
@pytest.mark.parametrize("wrong", [LEFT_OUT, None, "", 1, [], {}, True])
def test_a_required_attribute_that_is_missing_or_wrong_is_named(name: str, wrong: Any) -> None:
    assert refusal(structured(**{name: wrong})) == ("not_cloudevent", name)
    assert refusal(structured(**{name: wrong, "data": LEFT_OUT})) == ("not_cloudevent", name), (
        "the envelope comes first"
    )


@pytest.mark.parametrize(
    "name", ["subject", "dataschema", "traceparent", "correlationid", "causationid", "recordedtime"]
)
def test_an_optional_attribute_of_the_wrong_kind_is_named(name: str) -> None:
    assert refusal(structured(**{name: 5})) == ("not_cloudevent", name)


@pytest.mark.parametrize("wrong", ["3", 1.5, -1, True, 10**16])
def test_a_config_version_is_a_whole_number(wrong: Any) -> None:
    assert refusal(structured(configversion=wrong)) == ("not_cloudevent", "configversion")


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T09:00:60Z",
        "2026-03-02T09:00:00",
        "2026-03-02 09:00:00Z",
        "2026-03-02",
        "2026-W10-1T09:00:00Z",
        "20260302T090000Z",
        "2026-03-02T09:00:00Z\n",
        "\uff12026-03-02T09:00:00Z",  # a digit, but not one of ours
        "9999-12-31T23:59:59-00:01",
        "0001-01-01T00:00:00+00:01",
        "yesterday",
    ],
)
def test_a_time_that_no_calendar_has_is_the_fault_of_its_field(text: str) -> None:
    assert refusal(structured(time=text)) == ("not_cloudevent", "time")
    assert refusal(with_data("control.freeze", until=text)) == ("invalid", "data.until")
    assert refusal(with_data("control.override", until=text)) == ("invalid", "data.until")


@pytest.mark.parametrize("kind", [*INPUTS, "agent.sang"])
@pytest.mark.parametrize("data", [LEFT_OUT, None, [], "text", 3])
def test_data_that_is_missing_or_no_object_is_invalid(kind: str, data: Any) -> None:
    known = kind if kind in EXAMPLES else "agent.heartbeat"
    assert refusal(structured(known, type=kind, data=data)) == ("invalid", "data")


@pytest.mark.parametrize(
    ("kind", "field", "wrong"),
    [
        ("agent.heartbeat", "utilization", 1.01),
        ("agent.heartbeat", "utilization", "0.5"),
        ("agent.heartbeat", "utilization", True),
        ("agent.heartbeat", "utilization", LEFT_OUT),
        ("agent.heartbeat", "agent", ""),
        ("agent.heartbeat", "queue_depth", -1),
        ("agent.registered", "capacity", 0),
        ("agent.registered", "skills", ["python", ""]),
        ("agent.task.started", "criticality", "huge"),
        ("agent.task.finished", "duration_ms", -0.1),
        ("agent.task.finished", "duration_ms", 1e16),
        ("agent.task.finished", "outcome", "done"),
        ("agent.task.blocked", "waiting_for", "ben"),
        ("agent.rework.requested", "attempt", 0),
        ("agent.rework.requested", "attempt", 1.5),
        ("agent.quality.checked", "passed", 1),
        ("agent.feedback", "rating", -1.5),
        ("consensus.round.opened", "eligible", [1]),
        ("consensus.vote.cast", "choice", "maybe"),
        ("orchestrator.registered", "supports", {"workflow.wip_limit": True}),
        ("orchestrator.registered", "supports", {"workflow.wip_limit": 10**17}),
        ("orchestrator.registered", "supports", {"": 1}),
        ("config.applied", "version", -1),
        ("operator.intervened", "kind", "shout"),
        ("control.override", "value", None),
        ("control.approve", "proposal", ""),
    ],
)
def test_a_field_of_data_that_breaks_its_rule_is_named(kind: str, field: str, wrong: Any) -> None:
    assert refusal(with_data(kind, **{field: wrong})) == ("invalid", f"data.{field}")


def test_a_rollback_names_exactly_one_of_version_and_change() -> None:
    assert parse(with_data("control.rollback", change=LEFT_OUT, to_version=0))["data"]["to_version"] == 0
    assert parse(with_data("control.rollback", to_version=None))["type"] == "control.rollback"
    assert refusal(with_data("control.rollback", to_version=0)) == ("invalid", "data")
    assert refusal(with_data("control.rollback", change=LEFT_OUT)) == ("invalid", "data")


def test_a_value_over_262144_bytes_is_too_large_whatever_it_says() -> None:
    padding = 262_144 - len(structured(subject=""))
    assert parse(structured(subject="x" * padding))["type"] == "agent.heartbeat"
    assert refusal(structured(subject="x" * (padding + 1))) == ("too_large", None)
    assert refusal(b"x" * 262_145) == ("too_large", None)


def test_a_name_of_more_than_1024_characters_is_refused_where_it_stands() -> None:
    """Longer ones would make outputs and state that Kafka does not take."""
    longest = "ä" * 1024
    assert parse(structured(id=longest, data={"agent": longest, "utilization": 1}))["id"] == longest
    assert refusal(structured(id=longest + "a")) == ("not_cloudevent", "id")
    assert refusal(structured(data={"agent": longest + "a", "utilization": 1})) == ("invalid", "data.agent")


# ---- binary mode ----


def test_binary_mode_holds_data_to_the_same_size_without_its_headers() -> None:
    value, headers = binary(envelope(data={"agent": "a", "utilization": 1, "padding": ""}))
    grown = value.replace(b'"padding":""', b'"padding":"' + b"x" * (262_144 - len(value)) + b'"')
    assert len(grown) == 262_144
    assert parse_binary(grown, headers)["type"] == "agent.heartbeat"
    with pytest.raises(BadRecord, match="too_large"):
        parse_binary(grown + b" ", headers)


def test_data_cannot_smuggle_attributes_into_the_envelope() -> None:
    value, headers = binary(envelope("clock.tick"))
    for crafted in (value + b',"project":"other"', value + b'},{"a":1', b'{},"type":"agent.heartbeat"', b""):
        with pytest.raises(BadRecord) as caught:
            parse_binary(crafted, headers)
        assert caught.value.reason == "not_json"


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("configversion", b"three"),
        ("configversion", b"-1"),
        ("configversion", "³".encode()),
        ("id", b"\xff"),
        ("id", None),
        ("specversion", None),
        ("time", b"now"),
        ("project", b"p" * 1025),
    ],
)
def test_a_header_that_cannot_be_read_is_named_without_its_prefix(name: str, raw: bytes | None) -> None:
    value, headers = binary(envelope())
    with pytest.raises(BadRecord) as caught:
        event_of(parse_binary(value, [*headers, (f"ce_{name}", raw)]), value, 0)  # type: ignore[list-item]
    assert blame(caught.value) == ("not_cloudevent", name)


attributes = st.fixed_dictionaries(
    {"id": st.text(min_size=1), "source": st.text(min_size=1), "project": st.text(min_size=1)},
    optional={"subject": st.text(), "traceparent": st.text(), "configversion": st.integers(0, 10**15)},
)


def outcome(read: Any, *arguments: Any) -> Any:
    try:
        return event_of(read(*arguments), b"", 0)  # a wrong time is found only in here
    except BadRecord as bad:
        return blame(bad)


@given(st.sampled_from([*INPUTS, "agent.sang"]), attributes, st.none() | json_values, st.booleans())
def test_both_modes_of_the_same_event_give_the_same(
    kind: str, given_attributes: dict[str, Any], extra: Any, whole: bool
) -> None:
    event = {**EXAMPLES.get(kind, EXAMPLES["agent.heartbeat"]), **given_attributes, "type": kind}
    event["data"] = {**event["data"], "extra": extra} if whole else extra
    assert outcome(parse_binary, *binary(event)) == outcome(parse, orjson.dumps(event))


# ---- anything ----


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_bad_record(value: bytes) -> None:
    assert isinstance(outcome(parse, value), tuple)
    assert isinstance(
        outcome(parse_binary, value, [("ce_id", value), ("ce_type", b"agent.heartbeat"), (value.hex(), value)]), tuple
    )


@given(st.sampled_from(INPUTS), st.data())
def test_no_json_in_any_place_raises_anything_but_a_bad_record(kind: str, data: st.DataObject) -> None:
    event = dict(EXAMPLES[kind])
    for name in data.draw(st.lists(st.sampled_from(sorted(event)), max_size=2)):
        event[name] = data.draw(json_values)
    if isinstance(event["data"], dict) and event["data"]:
        field = data.draw(st.sampled_from(sorted(event["data"])))
        event["data"] = {**event["data"], field: data.draw(json_values)}
    assert isinstance(outcome(parse, orjson.dumps(event)), tuple)


@given(st.sampled_from(INPUTS), st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_a_damaged_record_is_read_or_refused_and_never_breaks_anything(kind: str, place: int, damage: bytes) -> None:
    value = structured(kind)
    assert isinstance(outcome(parse, value[:place] + damage + value[place + len(damage) :]), tuple)
