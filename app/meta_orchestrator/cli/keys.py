"""`keys`: who signs, and who believes it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from meta_orchestrator.cli.times import now_us, span_us
from meta_orchestrator.errors import SettingsError

app = typer.Typer(help="Keys to sign commands and changes with.", no_args_is_help=True)


@app.command()
def generate(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="A name for the key, such as alice or worker-1.")],
    role: Annotated[
        Literal["operator", "worker"], typer.Option(help="operator signs commands, worker signs changes.")
    ] = "operator",
    projects: Annotated[str, typer.Option(metavar="A,B,…", help="Projects it may speak for; * is all.")] = "*",
    valid: Annotated[str, typer.Option(metavar="SPAN", help="How long the key is good.")] = "365d",
    key_file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The key file; ID.key if left out.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Trust file to add it to; printed instead if left out.")
    ] = None,
) -> None:
    """Make a key file (read by you only) and the entry by which others believe it.

    Example: meta-orchestrator keys generate alice --role operator --trust trust.toml
    """
    from meta_orchestrator.wire.trust import generate as new_key
    from meta_orchestrator.wire.trust import trust_entry, write_key

    key = new_key(key_id)
    names = [name.strip() for name in projects.split(",") if name.strip()]
    valid_us = span_us(valid, "--valid")
    if valid_us <= 0:
        raise SettingsError("--valid", valid, "must be longer: the key would be no good from the start")
    entry = trust_entry(key, role, names, now_us() + valid_us)
    _check_trust(trust, key_id)
    path = key_file or Path(f"{key_id}.key")
    write_key(path, key)
    typer.echo(f"key file {path}: keep it secret", err=True)
    _believe(trust, entry)


def _check_trust(trust: Path | None, key_id: str) -> None:
    """Before a key is written that nobody would believe."""
    from meta_orchestrator.wire.trust import load_trust

    if trust is None or (trust.parent.is_dir() and not trust.exists()):
        return
    if not trust.is_file():
        raise SettingsError("--trust", str(trust), "must be a file, there or new, in an existing folder")
    if trust.read_text(encoding="utf-8").strip() and key_id in load_trust(trust).keys:
        raise SettingsError("ID", key_id, f"{trust} has a key of this name; choose another")


def _believe(trust: Path | None, entry: str) -> None:
    if trust is None:
        typer.echo("add this to the trust files of those who should believe it:", err=True)
        typer.echo(entry, nl=False)
        return
    try:
        with trust.open("a", encoding="utf-8") as file:
            file.write(("\n" if file.tell() else "") + entry)
    except OSError as error:
        typer.echo(entry, nl=False)
        right = f"must be a file that can be written ({error.strerror}); add the entry on stdout yourself"
        raise SettingsError("--trust", str(trust), right) from error
    typer.echo(f"added to {trust}", err=True)
