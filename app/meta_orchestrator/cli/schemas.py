"""`schemas`: what others need to read and write our messages without our code."""

from pathlib import Path
from typing import Annotated

import typer


def schemas(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where to.")] = Path("schemas"),
) -> None:
    """Write JSON Schema 2020-12 of each message, an example of each, and one AsyncAPI 3 document.

    Example: meta-orchestrator schemas --out schemas
    """
    from meta_orchestrator.messages.schemas import write

    write(out)
