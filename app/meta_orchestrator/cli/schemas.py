"""`schemas`: what others need to read and write our messages without our code."""

import json
from pathlib import Path
from typing import Annotated

import typer

from meta_orchestrator.errors import SettingsError


def schemas(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where to.")] = Path("schemas"),
    policy: Annotated[bool, typer.Option("--policy", help="Print the schema of the policy file instead.")] = False,
) -> None:
    """Write JSON Schema 2020-12 of each message, an example of each, and one AsyncAPI 3 document.

    Example: meta-orchestrator schemas --out schemas
    """
    if policy:
        from meta_orchestrator.policy import Policy

        typer.echo(json.dumps(Policy.model_json_schema(), indent=2))
        return
    from meta_orchestrator.messages.schemas import write

    try:
        written = write(out)
    except OSError as error:
        raise SettingsError("--out", str(out), f"must be a folder that can be written ({error.strerror})") from error
    typer.echo(f"{len(written)} files in {out}")
