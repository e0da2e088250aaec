"""`status`, `explain`, `history`: what is in force and why, read from the topics."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from meta_orchestrator.cli.known import check_known
from meta_orchestrator.cli.options import AnyProject, AsJson, console, takes
from meta_orchestrator.cli.times import now_us, span_us
from meta_orchestrator.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from meta_orchestrator.settings import Settings
    from meta_orchestrator.view import View
    from meta_orchestrator.wire.trust import Trust

READS = ("broker", "trust", "prefix")
METRICS = "metrics"
DAY_US = 86_400 * 1_000_000


@takes(*READS)
def status(settings: "Settings", project: AnyProject = None, as_json: AsJson = False) -> None:
    """What is in force, what runs on trial, what waits for an answer, what is wrong and the last metrics.

    Example: meta-orchestrator status -p checkout
    """
    from meta_orchestrator.cli.tables import printable, silence, status_tables, status_value

    view, bad = asyncio.run(read_view(settings, project))
    for name in projects_of(view, project):
        if as_json:
            _line(status_value(view.projects[name], now_us()))
        else:
            show(*status_tables(view.projects[name], now_us()))
        if doubt := silence(view.projects[name], now_us()):
            typer.echo(printable(doubt), err=True)
    _end(bad)


@takes(*READS)
def explain(
    settings: "Settings",
    change: Annotated[
        str, typer.Argument(metavar="CHANGE", help="A change (its id or version), a proposal or a decision.")
    ],
    project: AnyProject = None,
    as_json: AsJson = False,
) -> None:
    """Tell a change from its trigger to its verdict, each step in a sentence, as the broker's topics have it.

    Example: meta-orchestrator explain 3 -p checkout
    """
    from meta_orchestrator.cli.tables import story_table

    view, bad = asyncio.run(read_view(settings, project))
    names = projects_of(view, project)
    stories = [(name, story) for name in names if (story := view.explain(name, change)) is not None]
    if not stories:
        where = f" of {', '.join(names)}" if names else ""
        raise SettingsError("CHANGE", change, f"is no change, proposal or decision{where}")
    for name, story in stories:
        if as_json:
            _line({"project": name, "story": [{"time": when, "sentence": said} for when, said in story.lines()]})
        else:
            show(story_table(name, story))
    _end(bad)


@takes(*READS)
def history(
    settings: "Settings",
    project: AnyProject = None,
    since: Annotated[str | None, typer.Option(metavar="SPAN", help="Only the last 2h, 7d, …")] = None,
    last: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many, the newest.")] = 50,
    as_json: AsJson = False,
    lessons: Annotated[bool, typer.Option("--lessons", help="What trials have taught, as Markdown to share.")] = False,
) -> None:
    """Findings, changes and decisions of the broker's topics, the refused ones too, oldest first; or what was learnt.

    Example: meta-orchestrator history -p checkout --since 2h
    Example: meta-orchestrator history -p checkout --lessons > LESSONS.md
    """
    from meta_orchestrator.cli.tables import history_table
    from meta_orchestrator.messages.fields import parse_time_us
    from meta_orchestrator.view import lessons as lessons_of

    from_us = now_us() - span_us(since, "--since") if since else 0
    view, bad = asyncio.run(read_view(settings, project))
    for name in projects_of(view, project):
        records = [record for record in view.history(name) if parse_time_us(record["time"]) >= from_us]
        if lessons:
            typer.echo(lessons_of(name, [record for record in records if record["type"] == "decision"]), nl=False)
            continue
        records = records[-last:]
        if as_json:
            for record in records:
                _line(record)
        else:
            show(history_table(name, records))
    _end(bad)


async def read_view(settings: "Settings", project: str | None) -> "tuple[View, int]":
    """(all that outputs and inputs say of a project or of all, how many changes were left out because their signature
    does not hold). Of the metrics, most of all records by far, only a day: a view keeps no more of them."""
    from meta_orchestrator.cli.hearing import hear_inputs
    from meta_orchestrator.cli.reading import Since, read_topics
    from meta_orchestrator.view import View
    from meta_orchestrator.wire.topics import DEAD_LETTERS, OUTPUT_TOPICS

    view, trust = View(), settings.trusted_keys()
    said = [topic for topic in OUTPUT_TOPICS if topic not in (DEAD_LETTERS, METRICS)]
    bad = await _fold(view, read_topics(settings, said, project=project), settings, trust)
    lately = Since(now_us() - DAY_US, or_last=True)
    bad += await _fold(view, read_topics(settings, [METRICS], lately, project), settings, trust)
    if project is not None and not (project in view.projects and view.projects[project].snapshot):
        bad += await _fold(view, read_topics(settings, [METRICS], project=project), settings, trust)
    if project is not None and project not in view.projects:  # to name those that are known
        return await read_view(settings, None)
    await hear_inputs(settings, view, trust, project)
    return view, bad


async def _fold(view: "View", records: "AsyncIterator[tuple[Any, int]]", settings: "Settings", trust: "Trust") -> int:
    """Into the view; how many were left out, each with a sentence."""
    bad = 0
    async for record, _ in records:
        refusal = _refusal(record, record.topic.removeprefix(settings.prefix), trust)
        if refusal is None:
            view.add(orjson.loads(record.value))
        else:
            bad += 1
            typer.echo(f"left out {record.topic}/{record.partition}/{record.offset}: {refusal}", err=True)
    return bad


def _refusal(record: Any, topic: str, trust: "Trust") -> str | None:
    """Why a record is not to be believed; None if it is. Without a trust file nobody can tell, and all are."""
    from meta_orchestrator.errors import BadRecord
    from meta_orchestrator.wire.signing import signature_of, verify

    if not record.value:
        return "it is empty"
    if topic != "config-changes" or not trust.keys:
        return None
    project = record.key.decode(errors="replace")
    signature = signature_of(record.headers)
    try:
        verify(trust, "worker", project, signature, topic, record.key, record.value, record.timestamp * 1000)
    except BadRecord as error:
        return str(error)
    return None


def projects_of(view: "View", project: str | None) -> list[str]:
    """The projects to show; SettingsError where the one that was asked for has never been heard of."""
    names = sorted(view.projects)
    if not names:
        typer.echo("no outputs yet: a project appears at the first tick after its first event", err=True)
    if project is None:
        return names
    if names:
        check_known(project, names)
    return [project] if names else []


def show(*tables: Any) -> None:
    screen = console()
    for table in tables:
        screen.print(table)


def _line(value: Any) -> None:
    typer.echo(orjson.dumps(value).decode())


def _end(bad: int) -> None:
    if bad:
        raise typer.Exit(3)
