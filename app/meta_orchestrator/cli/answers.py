"""What became of an order: the decision that answers it, or the phase in which a freeze shows."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from meta_orchestrator.messages.cloudevent import digest
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.view import sentence

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from meta_orchestrator.settings import Settings

WAIT_S = 90.0
"""Three ticks and their lateness by the policy's defaults: what comes at all comes in the first two."""


class Answer(NamedTuple):
    sentence: str
    refused: bool = False


def answer_in(order: dict[str, Any], record: dict[str, Any]) -> Answer | None:
    """By what an output answers an order (both parsed CloudEvents); None if it is about something else."""
    kind, data = order["type"], record["data"]
    if kind == "control.freeze" and record["type"] == "metrics.snapshot":
        return _phase(order, record)
    if kind == "control.freeze" or record["type"] != "decision" or not _ANSWERS[kind](order, data):
        return None
    if kind == "control.decline" and data.get("refused_by") == "operator_command":
        return Answer(str(data["explanation"]))  # what is refused is the proposal
    return Answer(sentence(record), refused=data["verdict"] == "refused")


def topic_of_answer(kind: str) -> str:
    return "metrics" if kind == "control.freeze" else "decisions"


def _phase(order: dict[str, Any], record: dict[str, Any]) -> Answer | None:
    """A freeze until a time that has come is the end of one."""
    frozen = record["data"]["phase"] == "frozen"
    wanted = parse_time_us(order["data"]["until"]) > parse_time_us(order["time"])
    if frozen != wanted:
        return None
    return Answer(f"{record['project']} is {'frozen' if frozen else 'not frozen'} at the tick {record['time']}")


def _is_overridden(order: dict[str, Any], data: dict[str, Any]) -> bool:
    return bool(data["proposal"]["id"] == digest("override", order["source"], order["id"]))


def _is_rolled_back(order: dict[str, Any], data: dict[str, Any]) -> bool:
    """A refusal bears the order's identity; what was done, only its owner and reason."""
    if data["verdict"] == "changed":
        given, told = order["data"], data["explanation"]
        return told.startswith(f"{given['owner']} rolls back ") and given["reason"] in told
    return bool(data["proposal"]["id"] == digest("rollback", order["source"], order["id"]))


def _is_approved(order: dict[str, Any], data: dict[str, Any]) -> bool:
    """A decline's answer begins with who declined; so does that of an approval which cannot be."""
    return _is_declined(order, data) or bool(
        data["verdict"] == "changed" and data["proposal"]["id"] == order["data"]["proposal"]
    )


def _is_declined(order: dict[str, Any], data: dict[str, Any]) -> bool:
    about = data["proposal"]["id"] == order["data"]["proposal"]
    return bool(about and data["explanation"].startswith(order["data"]["owner"]))


_ANSWERS = {
    "control.override": _is_overridden,
    "control.rollback": _is_rolled_back,
    "control.approve": _is_approved,
    "control.decline": _is_declined,
}


class Answers:
    """The project's outputs from now on."""

    def __init__(self, consumer: "AIOKafkaConsumer", key: bytes) -> None:
        self._consumer, self._key = consumer, key

    async def answer(self, order: dict[str, Any], within_s: float) -> Answer | None:
        """None if none came in time."""
        until = time.monotonic() + within_s
        while (left_s := until - time.monotonic()) > 0:
            for records in (await self._consumer.getmany(timeout_ms=min(500, round(1000 * left_s)))).values():
                told = [answer_in(order, orjson.loads(one.value)) for one in records if one.key == self._key]
                if found := next(filter(None, told), None):
                    return found
        return None


@asynccontextmanager
async def following(settings: "Settings", topic: str, project: str) -> AsyncIterator[Answers]:
    """Open it before the order is sent: then its answer comes later than what is skipped."""
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from meta_orchestrator.cli.connecting import connected
    from meta_orchestrator.cli.reading import counts_of
    from meta_orchestrator.wire.records import partition_of

    key, count = project.encode(), (await counts_of(settings, [topic]))[settings.prefix + topic]
    place = TopicPartition(settings.prefix + topic, partition_of(key, count))
    committed: dict[str, Any] = {"isolation_level": "read_committed", "enable_auto_commit": False}
    async with connected(AIOKafkaConsumer, settings, **committed) as consumer:
        consumer.assign([place])
        consumer.seek(place, (await consumer.end_offsets([place]))[place])
        yield Answers(consumer, key)
