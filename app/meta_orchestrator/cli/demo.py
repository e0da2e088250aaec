"""`demo`: the whole loop on this machine."""

from typing import Annotated

import typer


def demo(
    for_s: Annotated[
        float | None,
        typer.Option("--for", min=1, metavar="SECONDS", help="End by itself; exit 1 if nothing was applied."),
    ] = None,
) -> None:
    """A simulated team with a fault, its orchestrator, the worker and an embedded broker, with a live view.

    Example: meta-orchestrator demo --for 120
    """
    from meta_orchestrator.demo import run

    raise typer.Exit(run(for_s))
