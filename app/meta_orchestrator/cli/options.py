"""The flags that several commands share, and how a command gets its settings.

A flag wins over its environment variable, which wins over the settings file.
"""

import getpass
import inspect
import os
import socket
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

PANEL = "Settings"


def _flag(kind: Any, name: str, metavar: str, text: str) -> Any:
    return Annotated[kind, typer.Option(name, metavar=metavar, help=text, rich_help_panel=PANEL)]


FLAGS: dict[str, Any] = {
    "broker": _flag(str | None, "--broker", "HOST:PORT,…", "Kafka's bootstrap servers."),
    "policy": _flag(Path | None, "--policy", "FILE", "Policy (TOML): what may change, how far, how fast."),
    "trust": _flag(Path | None, "--trust", "FILE", "Trust file (TOML): whose signatures count."),
    "key": _flag(Path | None, "--key", "FILE", "Key file to sign with."),
    "prefix": _flag(str | None, "--prefix", "TEXT", "Stands before each topic's name."),
    "settings": _flag(Path | None, "--settings", "FILE", "All of these in a TOML file; the environment's come first."),
}

Project = Annotated[str, typer.Option("--project", "-p", metavar="NAME", help="The project it is about.")]
AnyProject = Annotated[
    str | None, typer.Option("--project", "-p", metavar="NAME", help="Only this project; all if left out.")
]
Reason = Annotated[
    str, typer.Option("--reason", "-r", metavar="TEXT", help="Why, in a few words; others will read it.")
]
Owner = Annotated[
    str | None, typer.Option("--owner", metavar="NAME", help="Who answers for it; user@host if left out.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, one object a line, instead of tables.")]


def takes(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command these settings flags and `--settings`; its first argument is then what they amount to."""

    def give(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command).parameters.values())[1:]
        flags = [_keyword(name, FLAGS[name], None) for name in (*names, "settings")]

        @wraps(command)
        def run(**given: Any) -> None:
            from meta_orchestrator.settings import load_settings

            chosen = {flag.name: given.pop(flag.name) for flag in flags}
            command(load_settings(**chosen), **given)

        parameters = [*(_keyword(p.name, p.annotation, p.default) for p in own), *flags]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return run

    return give


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def console() -> "Console":
    """As wide as the terminal; a file or a pipe gets lines that are wide enough for tables."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 140)


def whoami() -> str:
    """The owner of a command where none is named: user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that no user has
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
