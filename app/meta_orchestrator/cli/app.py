"""The list of commands, in the order in which a newcomer needs them."""

from typing import Annotated

import typer

from meta_orchestrator import __version__
from meta_orchestrator.cli import convert, demo, doctor, evaluate, keys, look, orders, replay, schemas, topics, worker

app = typer.Typer(
    name="meta-orchestrator",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Watches a team of agents through Kafka and tunes its orchestrator, one small, reversible change at a time.",
)
TRY, RUN, LOOK, ORDER, SET_UP = "Try it", "Run it", "See what it does", "Command it (signed)", "Set up and check"


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Typer shows the help of the app, not this one."""


app.command(rich_help_panel=TRY)(demo.demo)
app.add_typer(convert.app, name="convert", rich_help_panel=TRY)
app.command(rich_help_panel=TRY)(replay.replay)
app.command(rich_help_panel=TRY)(evaluate.evaluate)
app.command(rich_help_panel=RUN)(worker.worker)
for command in (look.status, look.explain, look.history):
    app.command(rich_help_panel=LOOK)(command)
for command in (
    orders.freeze,
    orders.unfreeze,
    orders.override,
    orders.rollback,
    orders.reset,
    orders.approve,
    orders.decline,
):
    app.command(rich_help_panel=ORDER)(command)
app.add_typer(topics.app, name="topics", rich_help_panel=SET_UP)
app.add_typer(keys.app, name="keys", rich_help_panel=SET_UP)
app.command(rich_help_panel=SET_UP)(doctor.doctor)
app.command(rich_help_panel=SET_UP)(schemas.schemas)
