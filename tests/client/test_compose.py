"""An event is checked where it is made."""

from datetime import UTC, datetime

import orjson
import pytest

from meta_orchestrator.client.compose import InvalidMessage, compose
from meta_orchestrator.wire.decode import parse

BEAT = {"agent": "a1", "utilization": 0.5}


def test_an_event_names_its_sender_its_project_and_the_time_of_now() -> None:
    before = datetime.now(UTC)
    letter = compose("agent.heartbeat", BEAT, "agent-7", "checkout", {})
    event = orjson.loads(letter.value)
    assert (letter.topic, letter.key) == ("agent-events", b"checkout")
    assert (event["specversion"], event["source"], event["project"], event["data"]) == (
        "1.0",
        "agent-7",
        "checkout",
        BEAT,
    )
    assert before <= datetime.fromisoformat(event["time"]) <= datetime.now(UTC)


def test_what_is_composed_is_what_the_worker_reads() -> None:
    letter = compose("agent.heartbeat", BEAT, "agent-7", "checkout", {"configversion": 3, "correlationid": "x"})
    event = parse(letter.value)
    assert (event["type"], event["configversion"], event["correlationid"]) == ("agent.heartbeat", 3, "x")


def test_two_events_have_two_identities_and_a_resend_has_that_of_the_first() -> None:
    ids = {orjson.loads(compose("agent.heartbeat", BEAT, "a", "p", {}).value)["id"] for _ in range(2)}
    assert len(ids) == 2
    when = datetime(2026, 3, 1, tzinfo=UTC)
    again = [compose("agent.heartbeat", BEAT, "a", "p", {"id": "i", "time": when}) for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize(
    ("kind", "data", "attributes", "reason", "field"),
    [
        ("agent.heartbeat", {"agent": "a1"}, {}, "invalid", "data.utilization"),
        ("agent.heartbeat", {"agent": "", "utilization": 0}, {}, "invalid", "data.agent"),
        ("agent.heartbeat", {"agent": "a1", "utilization": 1.5}, {}, "invalid", "data.utilization"),
        ("agent.heartbeat", {"agent": "a1", "utilization": object()}, {}, "not_json", "data"),
        ("agent.heartbeat", BEAT, {"time": "yesterday"}, "not_cloudevent", "time"),
        ("agent.heartbeat", BEAT, {"time": datetime(2026, 3, 1)}, "not_cloudevent", "time"),  # noqa: DTZ001 - no offset
        ("agent.heartbeat", BEAT, {"configversion": -1}, "not_cloudevent", "configversion"),
        ("agent.heartbeat", {**BEAT, "more": "x" * 262_144}, {}, "too_large", None),
        ("agent.heartbeats", BEAT, {}, "invalid", "type"),
        ("config.change", {}, {}, "invalid", "type"),
        ("clock.tick", {}, {}, "invalid", "type"),
        ("control.freeze", {"until": "2026-03-01T00:00:00Z", "reason": "r", "owner": "o"}, {}, "invalid", "type"),
    ],
)
def test_a_mistake_is_named_to_who_makes_it(
    kind: str, data: dict, attributes: dict, reason: str, field: str | None
) -> None:
    with pytest.raises(InvalidMessage) as found:
        compose(kind, data, "agent-7", "checkout", attributes)
    assert (found.value.reason, found.value.field) == (reason, field)
    assert isinstance(found.value, ValueError)


def test_an_empty_project_is_a_mistake() -> None:
    with pytest.raises(InvalidMessage, match="project"):
        compose("agent.heartbeat", BEAT, "agent-7", "", {})
