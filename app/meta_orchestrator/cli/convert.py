"""`convert`: the log of another system as events, for `replay`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meta_orchestrator.cli.writing import writing

if TYPE_CHECKING:
    from meta_orchestrator.convert import Mapping
    from meta_orchestrator.convert.run import Format

KEYS = (
    "case, activity, resource, timestamp, group, lifecycle, criticality, cost, instance (which attribute is it),"
    " levels (words for criticality), completed (how a last activity's name begins), unknown (names of nobody),"
    " time_format (strptime), delimiter (CSV)"
)

app = typer.Typer(help="An event log of another system as JSONL events, for `replay`.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The log; may be gzipped.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to; stdout if left out.")]
ProjectName = Annotated[
    str | None,
    typer.Option("--project", "-p", metavar="NAME", help="Of the events; the file's name if left out."),
]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="FILE", help=f"TOML; keys: {KEYS}."),
]
ByGroup = Annotated[bool, typer.Option("--by-group", help="Groups are the agents, not single resources.")]


@app.command()
def xes(
    log: File, out: Out = None, project: ProjectName = None, mapping: MappingFile = None, by_group: ByGroup = False
) -> None:
    """An XES log (IEEE 1849).

    Example: meta-orchestrator convert xes log.xes.gz | meta-orchestrator replay - --report
    """
    from meta_orchestrator.convert import load_mapping

    _convert("xes", log, out, project, load_mapping(mapping), by_group)


@app.command()
def csv(
    log: File,
    out: Out = None,
    project: ProjectName = None,
    mapping: MappingFile = None,
    by_group: ByGroup = False,
    case: Annotated[str | None, typer.Option(metavar="COLUMN", help="What belongs together: ticket, order, …")] = None,
    activity: Annotated[str | None, typer.Option(metavar="COLUMN", help="What was done.")] = None,
    resource: Annotated[str | None, typer.Option(metavar="COLUMN", help="Who did it.")] = None,
    timestamp: Annotated[str | None, typer.Option(metavar="COLUMN", help="When it was done.")] = None,
    group: Annotated[str | None, typer.Option(metavar="COLUMN", help="The team or role of who did it.")] = None,
) -> None:
    """A CSV file with a line for each event; columns with usual names are recognised.

    Example: meta-orchestrator convert csv tickets.csv --case ticket --timestamp changed_at --out events.jsonl
    """
    from meta_orchestrator.convert import load_mapping

    columns = {"case": case, "activity": activity, "resource": resource, "timestamp": timestamp, "group": group}
    _convert("csv", log, out, project, load_mapping(mapping, **columns), by_group)


def _convert(
    form: "Format", log: Path, out: Path | None, project: str | None, mapping: "Mapping", by_group: bool
) -> None:
    from meta_orchestrator.convert import convert

    with writing("--out", out, log) as target:
        summary = convert(form, log, target, mapping, project, by_group, show_progress=sys.stderr.isatty())
    for line in summary.lines():
        typer.echo(line, err=True)
    raise typer.Exit(summary.exit_status)
