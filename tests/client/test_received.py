"""Every forgery is refused, with the reason that tells it from the others."""

import orjson
import pytest

from meta_orchestrator.client.received import read_change
from meta_orchestrator.errors import BadRecord
from tests.client.material import (
    FORMER,
    NEIGHBOUR,
    OPERATOR,
    PROJECT,
    STRANGER,
    TICK_US,
    TRUST,
    altered,
    change,
    signed,
)

GOOD = change(7)
OF_NEIGHBOUR = change(7, project="warehouse")
OTHER_TYPE = orjson.dumps(orjson.loads(GOOD) | {"type": "config.changed"})


def read(value: bytes | None, headers: list[tuple[str, bytes]], at_us: int = TICK_US) -> int:
    return read_change(PROJECT, value, headers, TRUST, at_us).version


def test_what_a_trusted_worker_signed_is_believed() -> None:
    assert read(GOOD, signed(GOOD)) == 7


def test_fields_that_are_not_known_yet_do_no_harm() -> None:
    newer = altered(GOOD, mood="good")
    assert read(newer, signed(newer)) == 7


FORGERIES = {
    "unsigned": (GOOD, [], "bad_signature"),
    "signed twice": (GOOD, signed(GOOD) * 2, "bad_signature"),
    "an empty signature": (GOOD, [("signature", b"")], "bad_signature"),
    "no base64": (GOOD, [("signature", b"worker:%%%")], "bad_signature"),
    "another value under its signature": (altered(GOOD, version=8), signed(GOOD), "bad_signature"),
    "one space more": (GOOD + b" ", signed(GOOD), "bad_signature"),
    "signed for another topic": (GOOD, signed(GOOD, topic="decisions"), "bad_signature"),
    "signed under another record key": (GOOD, signed(GOOD, project="warehouse"), "bad_signature"),
    "a stranger who takes the worker's name": (GOOD, signed(GOOD, STRANGER), "bad_signature"),
    "an operator": (GOOD, signed(GOOD, OPERATOR), "untrusted"),
    "the worker of another project": (GOOD, signed(GOOD, NEIGHBOUR), "untrusted"),
    "a key past its end": (GOOD, signed(GOOD, FORMER), "untrusted"),
    "another project's change, signed for ours": (OF_NEIGHBOUR, signed(OF_NEIGHBOUR), "key_mismatch"),
    "a deletion": (None, [], "bad_signature"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused(name: str) -> None:
    value, headers, reason = FORGERIES[name]
    with pytest.raises(BadRecord) as refused:
        read(value, headers)
    assert refused.value.reason == reason


MALFORMED = {
    "no JSON": (b"{", "not_json", None),
    "no object": (b"[]", "not_cloudevent", None),
    "no envelope": (b"{}", "not_cloudevent", "specversion"),
    "another type": (OTHER_TYPE, "not_cloudevent", "type"),
    "no version": (altered(GOOD, version=None), "invalid", "data.version"),
    "a configuration that is none": (altered(GOOD, config=[4]), "invalid", "data.config"),
    "an infinite value": (altered(GOOD, config={"a": {}}), "invalid", "data.config.a"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_even_the_worker_is_not_believed_what_cannot_be_read(name: str) -> None:
    value, reason, field = MALFORMED[name]
    with pytest.raises(BadRecord) as refused:
        read(value, signed(value))
    assert refused.value.reason == reason
    assert (refused.value.field or "").startswith(field or "")


def test_a_key_counts_up_to_its_end() -> None:
    assert read(GOOD, signed(GOOD, FORMER), at_us=TICK_US - 1) == 7
