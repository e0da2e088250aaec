"""`topics`: made once before the first worker, checked whenever in doubt."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from meta_orchestrator.cli.options import takes
from meta_orchestrator.errors import SettingsError

if TYPE_CHECKING:
    from meta_orchestrator.settings import Settings
    from meta_orchestrator.wire.topics import Difference

app = typer.Typer(help="The topics in Kafka: create them, check them.", no_args_is_help=True)


@app.command()
@takes("broker", "prefix")
def create(
    settings: "Settings",
    partitions: Annotated[int, typer.Option(min=1, help="Of every topic; at most so many workers share the load.")] = 8,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each record; 1 for a single broker.")] = 3,
    acls: Annotated[bool, typer.Option("--acls", help="Print the rights for kafka-acls.sh as well.")] = False,
) -> None:
    """Create the topics that are missing, each with the settings it needs. What exists is left as it is.

    Example: meta-orchestrator topics create --broker localhost:9092 --partitions 8 --replication 1
    """
    from meta_orchestrator.wire.topics import acls as rights

    for name in asyncio.run(_create(settings, partitions, replication)) or ["nothing: all topics are there"]:
        typer.echo(f"created {name}")
    for line in rights(settings.prefix) if acls else []:
        typer.echo(line)


@app.command()
@takes("broker", "prefix")
def check(settings: "Settings") -> None:
    """Compare the topics with what the worker needs; exit 2 where one would stop it.

    Example: meta-orchestrator topics check --broker localhost:9092
    """
    differences = asyncio.run(differences_of(settings))
    for difference in differences:
        typer.echo(f"{'WRONG ' if difference.stops_worker else 'differs '}{difference}")
    if any(difference.stops_worker for difference in differences):
        raise typer.Exit(2)
    typer.echo("the worker can start")


async def _create(settings: "Settings", partitions: int, replication: int) -> list[str]:
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    from meta_orchestrator.cli.connecting import connected
    from meta_orchestrator.wire.topics import create as create_topics

    async with connected(AIOKafkaAdminClient, settings) as admin:
        try:
            return await create_topics(admin, settings.prefix, partitions, replication)
        except KafkaError as error:
            advice = f"the broker refused this: {error}"
            raise SettingsError("--replication", replication, advice) from error


async def differences_of(settings: "Settings") -> "list[Difference]":
    from aiokafka.admin import AIOKafkaAdminClient

    from meta_orchestrator.cli.connecting import connected
    from meta_orchestrator.wire.topics import check as check_topics

    async with connected(AIOKafkaAdminClient, settings) as admin:
        return await check_topics(admin, settings.prefix)
