"""One signed command to the topic of commands."""

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import typer

from meta_orchestrator.cli.times import now_us, rfc3339
from meta_orchestrator.errors import BadRecord

if TYPE_CHECKING:
    from meta_orchestrator.settings import Settings

TOPIC = "control-commands"


def send(settings: "Settings", kind: str, project: str, data: dict[str, Any]) -> None:
    """Check, sign and publish it; then say what was sent and where its result will stand."""
    from meta_orchestrator.wire.signing import sign

    value = checked(envelope(kind, project, data))
    key = settings.signing_key()
    signature = sign(key, TOPIC, project.encode(), value)
    partition, offset = asyncio.run(_publish(settings, project.encode(), value, signature))
    told = ", ".join(f"{name} {value}" for name, value in data.items())
    typer.echo(
        f"sent {kind} for project {project} ({told}), signed by {key.id}; partition {partition}, offset {offset}"
    )
    look = f"status -p {project}" if kind == "control.freeze" else f"history -p {project} --last 5"
    typer.echo(f"It acts at the next tick: see meta-orchestrator {look}; if nothing comes: meta-orchestrator doctor")


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
    from meta_orchestrator.wire.decode import parse

    try:
        parse(value)
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
