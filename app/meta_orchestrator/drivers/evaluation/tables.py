"""The figures as a person reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf, isinf

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from meta_orchestrator.drivers.evaluation.endurance import endurances
from meta_orchestrator.drivers.evaluation.evaluation import Evaluation
from meta_orchestrator.drivers.evaluation.intervals import Interval
from meta_orchestrator.drivers.evaluation.rows import OTHERS, POOLED, Row, rows
from meta_orchestrator.simulation.scenarios import SCENARIOS
from meta_orchestrator.simulation.truth import HOUR_S

TARGETS = {"velocity": 0.15, "failures": -0.25, "utilization": 0.20, "interventions": -0.50}
"""CONTRACT §7, relative to the static team: the interval's near end is to be beyond."""
RIGHT = 0.95
GAP = 0.4
HARMLESS_UTILITY = 0.01
HARMLESS_CHANGES_A_DAY = 1.0
WRONG_SHOWN = 10
MOST_HALF = 1.0
"""A change that may be 100 % more or less was not measured."""
HEADINGS = {
    "velocity": "velocity",
    "failures": "coordination failures",
    "utilization": "utilization, where low",
    "interventions": "interventions",
    "utility": "utility",
}


def tables(done: Evaluation) -> Iterator[RenderableType]:
    """The first arm in each scenario, all arms beside one another, and whether what is asked for is met."""
    made, arm = rows(done), next(iter(done.policies))
    own = [row for row in made if row.arm == arm]
    yield _changes(f"{arm} against the static team, from the fault on (95 % intervals)", own, "scenario")
    yield _decisions(f"{arm}: decisions", own, "scenario")
    yield from _wrong(done, arm)
    for which in (POOLED, OTHERS):
        pooled = [replace(row, name=row.arm) for row in made if row.name == which]
        if len(pooled) > 1:
            yield _changes(f"{which.capitalize()} scenarios together, by arm", pooled, "arm")
            yield _decisions(f"{which.capitalize()} scenarios together, by arm: decisions", pooled, "arm")
    yield from _endurance(done)
    asked = list(_asked(own))
    if asked:
        yield _targets(asked)


def _endurance(done: Evaluation) -> Iterator[RenderableType]:
    """Only of runs of weeks."""
    found = list(endurances(done))
    if not found:
        return
    head = ("changes a week", "kept a week", "turned round", "state at the end of each week, kB")
    table = _table(f"{next(iter(done.policies))}: week after week", "run", *head)
    for one in found:
        turned = ", ".join(f"{name} {number}" for name, number in one.reversals.items()) or "nothing"
        changed, kept = (" ".join(map(str, numbers)) for numbers in (one.changed, one.kept))
        state = " ".join(f"{size / 1000:.0f}" for size in one.state_bytes)
        table.add_row(f"{one.run.scenario}, seed {one.run.seed}", changed, kept, turned, state)
    yield table


def _wrong(done: Evaluation, arm: str) -> Iterator[RenderableType]:
    """The costliest of the wrong decisions, to learn from."""
    found = [one for one in done.judged if one.arm == arm and one.finding == "wrong"]
    for one in sorted(found, key=lambda one: -abs(one.gain.value))[:WRONG_SHOWN]:
        decided = one.decided
        move = f"{decided.parameter} {decided.without[decided.parameter]} → {decided.with_[decided.parameter]}"
        where = f"{one.scenario}, seed {one.seed}, after {decided.at_s / HOUR_S:.1f} h"
        verdict = decided.verdict.replace("_", " ")
        yield Text(f"wrong: {where}: {verdict} {move}, worth {percent(one.gain)} of the utility")


def _changes(title: str, made: Sequence[Row], names: str) -> Table:
    table = _table(title, names, *HEADINGS.values())
    for row in made:
        _add(table, row, *(percent(row.changes[what]) for what in HEADINGS))
    return table


def _decisions(title: str, made: Sequence[Row], names: str) -> Table:
    head = ("right decisions", "judged", "unclear", "changes a day", "of the gap recovered", "half recovered after")
    table = _table(title, names, *head)
    for row in made:
        unclear = f"{row.unclear / row.decisions:.0%}" if row.decisions else "-"
        hours = "-" if row.recovery_h is None else f"{row.recovery_h:.1f} h"
        cells = (plain(row.right), str(row.decisions), unclear, f"{row.changes_a_day:.1f}", plain(row.gap), hours)
        _add(table, row, *cells)
    return table


def _targets(asked: Sequence[tuple[str, str, str, bool]]) -> Table:
    table = _table("What is asked for", "what", "target", "measured", "met")
    for what, target, measured, met in asked:
        table.add_row(what, target, measured, Text("yes", "green") if met else Text("no", "red"))
    return table


def _asked(made: Sequence[Row]) -> Iterator[tuple[str, str, str, bool]]:
    """(what, target, measured, met) of the pooled row and of the scenarios in which nothing is to be mended."""
    for row in made:
        if row.name == POOLED:
            yield from _asked_of_pooled(row)
        elif row.name != OTHERS and not SCENARIOS[row.name].is_faulty:
            yield from _asked_of_harmless(row)


def _asked_of_pooled(row: Row) -> Iterator[tuple[str, str, str, bool]]:
    for what, target in TARGETS.items():
        found = row.changes[what]
        met = found is not None and (found.low >= target if target > 0 else found.high <= target)
        yield HEADINGS[what], f"{target:+.0%}, all of the interval", percent(found), met
    met = row.right is not None and row.right.low >= RIGHT
    yield (
        "right decisions",
        f"{RIGHT:.0%}, all of the interval",
        f"{plain(row.right)} of {row.decisions - row.unclear}",
        met,
    )
    if row.gap is not None:
        yield "of the gap recovered", f"{GAP:.0%}", plain(row.gap), row.gap.value >= GAP
    yield "safety loosened", "0", str(row.loosened), row.loosened == 0


def _asked_of_harmless(row: Row) -> Iterator[tuple[str, str, str, bool]]:
    found = row.changes["utility"]
    met = found is not None and found.value >= -HARMLESS_UTILITY
    yield f"{row.name}: utility", f"on average within {HARMLESS_UTILITY:.0%}", percent(found), met
    few = row.changes_a_day <= HARMLESS_CHANGES_A_DAY
    yield f"{row.name}: changes a day", f"<= {HARMLESS_CHANGES_A_DAY:g}", f"{row.changes_a_day:.2f}", few
    yield f"{row.name}: safety loosened", "0", str(row.loosened), row.loosened == 0


def percent(found: Interval | None) -> str:
    """A relative change with its interval."""
    if found is None:
        return "-"
    if MOST_HALF < found.half < inf:
        return "too few to tell"
    return f"{100 * found.value:+.1f} %" + _between(found, "{:+.1f}")


def plain(found: Interval | None) -> str:
    """A share with its interval."""
    if found is None:
        return "-"
    return f"{100 * found.value:.0f} %" + _between(found, "{:.0f}")


def _between(found: Interval, form: str) -> str:
    """One seed has no interval."""
    if isinf(found.half):
        return ""
    return f" [{form.format(100 * found.low)}, {form.format(100 * found.high)}]"


def _table(title: str, names: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(names)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _add(table: Table, row: Row, *cells: str) -> None:
    if row.name == POOLED:
        table.add_section()
    table.add_row(row.name, *cells, style="bold" if row.name in {POOLED, OTHERS} else None)
