"""One signed command to the topic of commands, and what becomes of it."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import typer

from meta_orchestrator.cli.times import now_us, rfc3339
from meta_orchestrator.errors import BadRecord

if TYPE_CHECKING:
    from meta_orchestrator.settings import Settings
    from meta_orchestrator.wire.trust import Key

TOPIC = "control-commands"
REFUSED, UNANSWERED = 1, 5
"""Exit statuses, so that a script does not go on as if it were done; what is unanswered may still act."""


@dataclass(frozen=True)
class Order:
    """What the operator typed (`name`), and the command that it is."""

    name: str
    kind: str
    project: str
    data: dict[str, Any]


def send(settings: "Settings", order: Order, wait: bool) -> None:
    """Check, sign and publish it; then say what was sent, and its answer or where that will stand.

    Exit 1 if it is refused, 5 if no answer comes.
    """
    value = checked(envelope(order.kind, order.project, order.data))
    key = own_key(settings, order.project)
    if status := asyncio.run((_send_and_wait if wait else _send)(settings, order, value, key)):
        raise typer.Exit(status)


def own_key(settings: "Settings", project: str) -> "Key":
    """The operator's key. Where a trust file is named, a key that it would not believe is refused here."""
    from meta_orchestrator.wire.trust import require_trusted

    key = settings.signing_key()
    if settings.trust is not None:
        require_trusted(settings.trusted_keys(), key, (settings.trust, settings.key), "operator", project, now_us())
    return key


async def _send(settings: "Settings", order: Order, value: bytes, key: "Key") -> int:
    await _post(settings, order, value, key)
    look = "status" if order.kind == "control.freeze" else "history --last 5"
    typer.echo(
        f"It acts at the next tick: see meta-orchestrator {look} -p {order.project}; "
        "if nothing comes: meta-orchestrator doctor"
    )
    return 0


async def _send_and_wait(settings: "Settings", order: Order, value: bytes, key: "Key") -> int:
    from meta_orchestrator.cli.answers import WAIT_S, following, topic_of_answer
    from meta_orchestrator.cli.known import require_known
    from meta_orchestrator.cli.tables import printable

    await require_known(settings, order.project, now_us())
    async with following(settings, topic_of_answer(order.kind), order.project) as answers:
        await _post(settings, order, value, key)
        typer.echo(f"waiting up to {WAIT_S:g} s for the answer (--no-wait does not)", err=True)
        found = await answers.answer(orjson.loads(value), WAIT_S)
    if found is None:
        doubt = f"does a worker run, and does its trust file name {key.id} (meta-orchestrator doctor)?"
        typer.echo(f"no answer within {WAIT_S:g} s; the {order.name} is sent and may still act: {doubt}", err=True)
        return UNANSWERED
    typer.echo(printable(found.sentence), err=found.refused)
    return REFUSED if found.refused else 0


async def _post(settings: "Settings", order: Order, value: bytes, key: "Key") -> None:
    """Sign, publish, and say so."""
    from meta_orchestrator.wire.signing import sign

    name = order.project.encode()
    partition, offset = await _publish(settings, name, value, sign(key, TOPIC, name, value))
    told = ", ".join(f"{name} {value}" for name, value in order.data.items())
    place = f"partition {partition}, offset {offset}"
    typer.echo(f"sent {order.name} for project {order.project} ({told}), signed by {key.id}; {place}")


def envelope(kind: str, project: str, data: dict[str, Any]) -> bytes:
    """The command as a CloudEvent in structured mode; its time must be now, or it is taken for a replayed one."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "meta-orchestrator/cli",
            "type": kind,
            "time": rfc3339(now_us()),
            "project": project,
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def checked(value: bytes) -> bytes:
    """What the worker would refuse is not sent."""
    from meta_orchestrator.wire.decode import event_of, parse

    try:
        event_of(parse(value), value, 0)
    except BadRecord as error:
        raise typer.BadParameter(f"{error.field}: {error.detail}") from error
    return value


async def _publish(settings: "Settings", key: bytes, value: bytes, signature: str) -> tuple[int, int]:
    """(partition, offset) once all replicas in sync have it."""
    from aiokafka import AIOKafkaProducer

    from meta_orchestrator.cli.connecting import connected

    headers = [("content-type", b"application/cloudevents+json"), ("signature", signature.encode())]
    async with connected(AIOKafkaProducer, settings, acks="all") as producer:
        written = await producer.send_and_wait(settings.prefix + TOPIC, value, key=key, headers=headers)
    return written.partition, written.offset
