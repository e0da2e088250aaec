"""`schemas`: what others need to read and write our messages without our code."""

import json
from pathlib import Path
from typing import Annotated

import typer


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

    typer.echo(f"{len(write(out))} files in {out}")
