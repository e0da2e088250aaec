"""`worker`: the stream processor."""

from typing import TYPE_CHECKING, Annotated

import typer

from meta_orchestrator.cli.options import takes

if TYPE_CHECKING:
    from meta_orchestrator.settings import Settings


@takes("broker", "policy", "trust", "key", "prefix")
def worker(
    settings: "Settings",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of /healthz and /readyz; 0 takes a free one.")] = 6066,
) -> None:
    """Watch all projects and tune those that allow it. Run as many as there are partitions to share.

    Example: meta-orchestrator worker --broker localhost:9092 --key worker.key --trust trust.toml
    """
    from meta_orchestrator.drivers.live.worker import run_with

    raise typer.Exit(run_with(settings, port))
