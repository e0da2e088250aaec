"""The quick reader beside pydantic: whatever bytes it takes, pydantic takes with the same values."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.inputs import MESSAGES, type_of
from meta_orchestrator.wire.decode import event_of, parse
from meta_orchestrator.wire.quick import TOPICS, usual_event
from tests.wire.making import EXAMPLES, structured, with_data

KINDS = [type_of(message) for topic in TOPICS for message in MESSAGES[topic]]
NUMBERS = ["0", "-0", "-0.0", "1", "1.0", "1e0", "10e-1", "2", "-1", "0.5", "1.5", "1e15", "1e400", "01", "1.", "+1"]
NUMBERS += ["1000000000000001", "1000000000000000.5", "9007199254740993", "5e-324", "0." + "1234567890" * 4, "9" * 30]
TEXTS = [
    '""',
    '"x"',
    '"é"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ud83d\\ude00"',
    '"\\x"',
    '"\\/"',
    '"\x01"',
]
TEXTS += [f'"{letter * length}"' for letter in "xé" for length in (1024, 1025)]
TEXTS += [
    '"2026-03-02T09:00:00Z"',
    '"2026-03-02T09:00:00Z\\n"',
    '"minor"',
    '"agent.heartbeat"',
    '"agent.task.finished"',
]
OTHERS = [
    "true",
    "false",
    "null",
    "NaN",
    "Infinity",
    "[]",
    '[""]',
    '["a"]',
    "[1]",
    "{}",
    '{"a":1}',
    "[" * 999 + "]" * 999,
]
NAMES = [
    "x",
    "type",
    "\\u0074ype",
    "data",
    "id",
    "time",
    "agent",
    "task",
    "points",
    "project",
    "subject",
    "traceparent",
]
NAMES += ["configversion", "recordedtime", "specversion"]
BYTES = [
    b"\xff",
    b"\xc3\xa9",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\x00",
    b"\\",
    b'"',
    b"{",
    b"}",
    b",",
    b" ",
    b"\xef\xbb\xbf",
]

raw_values = st.sampled_from([text.encode() for text in NUMBERS + TEXTS + OTHERS])


@st.composite
def wrong_or_odd(draw: st.DrawFn) -> bytes:
    """An event of ours with a few values replaced, fields added (known ones twice), or bytes changed."""
    value = orjson.dumps(EXAMPLES[draw(st.sampled_from(KINDS))])
    for change in draw(st.lists(st.sampled_from([_replace, _add, _damage]), min_size=1, max_size=3)):
        value = change(draw, value)
    return value


def _replace(draw: st.DrawFn, value: bytes) -> bytes:
    colons = [at + 1 for at in range(1, len(value)) if value[at - 1 : at + 1] == b'":']
    if not colons:
        return value
    begin = draw(st.sampled_from(colons))
    try:
        _, end = json.JSONDecoder().raw_decode(value[begin:].decode("latin-1"))
    except ValueError:
        return value
    return value[:begin] + draw(raw_values) + value[begin + end :]


def _add(draw: st.DrawFn, value: bytes) -> bytes:
    opened = [at + 1 for at in range(len(value)) if value[at : at + 1] == b"{"]
    if not opened:
        return value
    at = draw(st.sampled_from(opened))
    comma = b"" if value[at : at + 1] == b"}" else b","
    return value[:at] + b'"%s":%s' % (draw(st.sampled_from(NAMES)).encode(), draw(raw_values)) + comma + value[at:]


def _damage(draw: st.DrawFn, value: bytes) -> bytes:
    at = draw(st.integers(0, len(value)))
    return value[:at] + draw(st.sampled_from(BYTES)) + value[at + draw(st.integers(0, 3)) :]


def by_the_rules(value: bytes) -> tuple[Event, str, str | None]:
    envelope = parse(value)
    return event_of(envelope, value, 7), envelope["project"], envelope.get("recordedtime")


def exactly(event: Event) -> Any:
    """With types and signs: 1 is not 1.0, 0.0 not -0.0."""
    return [repr(part) for part in event[:4]], sorted(map(repr, event[4].items())), event[5:]


@settings(max_examples=800, deadline=None)
@given(wrong_or_odd())
@example(structured(strange="x").replace(b'"x"', b'"\xff"'))
def test_what_it_takes_pydantic_takes_as_well_with_the_same_values(value: bytes):
    found = usual_event(value, 7)
    if found is not None:
        one, event = found
        expected, project, recorded = by_the_rules(value)
        assert (exactly(event), one.project, one.recordedtime) == (exactly(expected), project, recorded)


@pytest.mark.parametrize("kind", KINDS)
def test_it_takes_every_usual_event(kind: str):
    value = orjson.dumps(EXAMPLES[kind])
    found = usual_event(value, 7)
    assert found is not None
    assert exactly(found[1]) == exactly(by_the_rules(value)[0])


@pytest.mark.parametrize("kind", sorted(EXAMPLES.keys() - set(KINDS)))
def test_it_leaves_the_others_to_the_rules(kind: str):
    assert usual_event(orjson.dumps(EXAMPLES[kind]), 7) is None


@pytest.mark.parametrize("field", ["time", "recordedtime"])
@pytest.mark.parametrize(
    "text", ["yesterday", "2026-02-30T09:00:00Z", "2026-03-02T09:00:00Z\n", "2026-03-02 09:00:00Z"]
)
def test_a_wrong_time_is_left_to_the_rules_which_refuse_it(field: str, text: str):
    value = structured(**{field: text})
    if usual_event(value, 7) is not None:  # a day that no calendar has is found when it is turned into a number
        assert (field, text) == ("recordedtime", "2026-02-30T09:00:00Z")
    else:
        with pytest.raises(BadRecord, match=r"no such time|should match"):
            event_of(parse(value), value, 7)


def test_free_text_is_cut_as_the_rules_do():
    value = with_data("agent.task.blocked", reason="x" * 501)
    found = usual_event(value, 7)
    assert found is not None
    assert found[1][4]["reason"] == "x" * 500 == parse(value)["data"]["reason"]
