"""`evaluate`: the controller against nobody, in simulation."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meta_orchestrator.cli.options import console, takes
from meta_orchestrator.errors import SettingsError

if TYPE_CHECKING:
    from meta_orchestrator.drivers.evaluation.evaluation import Evaluation
    from meta_orchestrator.settings import Settings

STOPPED = 128 + signal.SIGINT
"""As shells count it: whatever asks for the status learns that the plan is not finished."""


@takes("policy")
def evaluate(
    settings: "Settings",
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Two minutes instead of twenty: wider intervals, no best fixed, no rules alone."),
    ] = False,
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", "-s", metavar="NAME", help="Only this one; may be repeated.")
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", min=1, help="Pairs of runs of each scenario.")] = None,
    days: Annotated[float | None, typer.Option("--days", min=0.1, help="Simulated days after the fault.")] = None,
    ablations: Annotated[bool, typer.Option("--ablations", help="Also without each of its parts, one by one.")] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Plots and tables as a page.")] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="The raw results.")] = None,
) -> None:
    """Simulated teams with and without the meta-orchestrator, on the same luck: what it gains, and where it harms.

    Evaluate a policy of your own before you trust it. Ctrl-C ends it early, with the tables of what is finished.

    Example: meta-orchestrator evaluate --quick --policy policy.toml --html evaluation.html
    """
    from rich.console import Console

    from meta_orchestrator.cli.progress import HoursBar
    from meta_orchestrator.drivers.evaluation import evaluate_all, plan_of, tables
    from meta_orchestrator.policy import load_policy

    policy = load_policy(settings.policy)
    plan = plan_of(quick, scenario or (), seeds, days)
    writers = [_checked(file, name) for file, name in ((html, "--html"), (json, "--json"))]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with HoursBar(Console(stderr=True)) as bar:
        done = evaluate_all(plan, policy, ablations, bar)
    screen = console()
    for one in tables(done) if done.runs else ():
        screen.print(one)
    for file, write in zip(writers, (_page, _raw), strict=True):
        if file is not None:
            file.write_text(write(done))
    _end(done)


def _end(done: "Evaluation") -> None:
    """A plan that was stopped is no plan that was done."""
    if done.unfinished:
        compared = f"{len(done.runs)} runs can be compared" if done.runs else "no two runs can be compared yet"
        typer.echo(f"stopped: {compared}, {done.unfinished} jobs of the plan are not finished", err=True)
        raise typer.Exit(STOPPED)


def _checked(file: Path | None, flag: str) -> Path | None:
    """Told before the run, not after it."""
    if file is not None:
        try:
            file.open("ab").close()
        except OSError as error:
            raise SettingsError(flag, str(file), f"must be a file that can be written ({error.strerror})") from error
    return file


def _page(done: "Evaluation") -> str:
    from meta_orchestrator.drivers.evaluation import tables
    from meta_orchestrator.drivers.evaluation.page import evaluation_page

    return evaluation_page(done, tables(done))


def _raw(done: "Evaluation") -> str:
    import orjson

    from meta_orchestrator.drivers.evaluation.raw import raw

    return orjson.dumps(raw(done), option=orjson.OPT_INDENT_2).decode()
