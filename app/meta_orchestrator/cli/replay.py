"""`replay`: a journal through the same code as the worker's."""

import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from meta_orchestrator.cli.convert import Out
from meta_orchestrator.cli.options import console, takes
from meta_orchestrator.cli.writing import writing
from meta_orchestrator.errors import SettingsError, did_you_mean
from meta_orchestrator.messages.wording import plural

if TYPE_CHECKING:
    from meta_orchestrator.drivers.replay import Replay
    from meta_orchestrator.policy import Policy
    from meta_orchestrator.settings import Settings


SHOWN = 5
"""Unknown types that are named."""


@takes("policy")
def replay(
    settings: "Settings",
    journal: Annotated[
        str, typer.Argument(metavar="FILE|-", help="JSONL events, maybe gzipped; - reads stdin, in lock-step.")
    ],
    out: Out = None,
    report: Annotated[
        bool, typer.Option("--report", help="A summary for a person on stdout; outputs only where --out says.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="The summary with plots, as a page; also --report.")
    ] = None,
    assume_orchestrator: Annotated[
        bool, typer.Option("--assume-orchestrator", help="As if one supported all parameters and applied every change.")
    ] = False,
) -> None:
    """Events in, every metric, finding, decision and change out, as JSONL. No broker.

    With `-`, each line {"specversion":"1.0","id":"1","source":"clock","type":"clock.tick",
    "time":"2026-01-05T08:00:30Z","data":{}} is answered with what is due and one line `clock.ticked`.

    Example: meta-orchestrator replay events.jsonl --report --assume-orchestrator
    """
    from meta_orchestrator.drivers.garbage import look_seldom
    from meta_orchestrator.policy import load_policy

    look_seldom()
    policy = load_policy(settings.policy)
    source = None if journal == "-" else Path(journal)
    with reading(journal) as lines:
        if report or html:
            with (
                writing("--out", out, source, html) if out else discarding() as target,
                writing("--html", html, source) if html else discarding() as page,
            ):
                done = _reported(lines, policy, target, assume_orchestrator, page if html else None)
        else:
            with writing("--out", out, source) as target:
                done = _written(lines, policy, target, assume_orchestrator, journal == "-")
    for told in [*warnings(done, policy), *told_bad(done, journal)]:
        typer.echo(told, err=True)
    if done.bad:
        raise typer.Exit(3)


def warnings(done: "Replay", policy: "Policy") -> list[str]:
    """What is no error and yet hardly meant: a file that is not in the order of time, a policy for another project."""
    seen, found = sorted(done.loop.projects), []
    if not done.lines:
        found.append("there was nothing to read")
    if done.late:
        found.append(
            f"{plural(done.late, 'event')} came late: what followed was decided before, so they are in no window;"
            " sort the lines by time, or raise time.lateness_s"
        )
    if done.unknown:
        found.append(f"{plural(done.unknown.total(), 'event')} of unknown types: {_named(done.unknown)}")
    there = f"there {'are' if len(seen) != 1 else 'is'} {', '.join(seen) or 'no projects'}"
    return found + [
        f"policy.project.{name}: no event of it; {there}" for name in sorted(set(policy.project) - set(seen))
    ]


def _named(unknown: "Counter[str]") -> str:
    """The most frequent ones, and what may be meant by them."""
    from meta_orchestrator.cli.tables import printable
    from meta_orchestrator.messages.inputs import TOPIC_OF

    names = [printable(f"{name}{did_you_mean(name, TOPIC_OF)}") for name, _ in unknown.most_common(SHOWN)]
    return ", ".join([*names, *(["..."] if len(unknown) > SHOWN else [])])


def told_bad(done: "Replay", journal: str) -> list[str]:
    """How many of each kind, and where the first of them stand; and what to do with a log that is no journal."""
    from meta_orchestrator.cli.tables import printable

    counts = [f"{plural(number, 'bad record')}: {reason}" for reason, number in sorted(done.bad.items())]
    places = [printable(line) for line in done.complaints.lines()]
    form = form_of_log(journal) if 2 * done.bad["not_json"] > done.lines else None
    if form is None:
        return [*counts, *places]
    return [*counts, *places, f"is it a log? make events of it first: meta-orchestrator convert {form} {journal}"]


def _written(lines: BinaryIO, policy: "Policy", target: BinaryIO, assume: bool, lock_step: bool) -> "Replay":
    from meta_orchestrator.drivers.replay import Replay
    from meta_orchestrator.wire.journal import lines_of

    done = Replay(policy, target.write, target.flush if lock_step else None, assume)
    done.run(lines_of(lines))
    return done


def _reported(lines: BinaryIO, policy: "Policy", target: BinaryIO, assume: bool, page: BinaryIO | None) -> "Replay":
    """The report on stdout, and as a page if there is one for it."""
    from meta_orchestrator.drivers.replay import Replay
    from meta_orchestrator.drivers.report import Report
    from meta_orchestrator.wire.journal import lines_of

    watcher = Report(policy)
    done = Replay(policy, target.write, None, assume, watcher)
    done.run(lines_of(lines))
    watcher.late = done.late
    watcher.render(console())
    if page:
        page.write(watcher.html().encode())
    return done


def form_of_log(journal: str) -> str | None:
    """What `convert` would take it for, by its name or its first line; None where it looks like neither."""
    if journal == "-":
        return None
    with reading(journal) as lines:
        name, first = Path(journal).name.lower(), lines.readline(10_000)
    if ".xes" in name or first.lstrip(b"\xef\xbb\xbf ").startswith(b"<"):
        return "xes"
    return "csv" if ".csv" in name or any(sign in first for sign in b",;\t") else None


@contextmanager
def reading(journal: str) -> Iterator[BinaryIO]:
    """The lines of a file, which may be gzipped, or of stdin as they come."""
    if journal == "-":
        yield sys.stdin.buffer
        return
    from meta_orchestrator.convert.reading import opened

    with opened(Path(journal), show_progress=False) as source:
        try:
            yield source
        except (EOFError, BadGzipFile, zlib.error) as error:
            raise SettingsError("FILE", journal, f"must be whole, but cannot be read to its end ({error})") from error


@contextmanager
def discarding() -> Iterator[BinaryIO]:
    with Path("/dev/null").open("wb") as nowhere:
        yield nowhere
