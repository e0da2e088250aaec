"""Judge the product by the sets that are named, by all if none is, and print one table."""

import argparse
import time
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from judge.data import Absent
from judge.row import Row, text

HERE = Path(__file__).parent
COLUMNS = ("set", "what", "ours", "trivial rules", "mark", "note")


def judges() -> list[str]:
    """Modules beside this one that have `rows()`; found without importing them: one may be broken."""
    return sorted(path.stem for path in HERE.glob("*.py") if "\ndef rows(" in path.read_text())


def judged(name: str, console: Console) -> list[Row]:
    """The rows of one module, one that says so where its data is absent."""
    begin = time.perf_counter()
    try:
        rows: list[Row] = import_module(f"judge.{name}").rows()
    except Absent as absent:
        rows = [Row(name, "-", "not judged", note=str(absent))]
    console.print(f"{name}: {time.perf_counter() - begin:.0f} s")
    return rows


def table(rows: list[Row]) -> Table:
    made = Table(*COLUMNS)
    for row in rows:
        trivial = "\n".join(f"{rule} {text(figure)}" for rule, figure in row.trivial.items())
        made.add_row(row.set, row.what, text(row.ours), trivial, text(row.mark), row.note)
    return made


def main() -> None:
    known = judges()
    parser = argparse.ArgumentParser(prog="python -m judge", description=__doc__)
    parser.add_argument("names", nargs="*", default=known, help=f"some of: {', '.join(known)}")
    names = parser.parse_args().names
    if unknown := sorted({*names} - {*known}):
        parser.error(f"{', '.join(unknown)}: none of {', '.join(known)}")
    console = Console()
    found: list[Row] = []
    for name in track(names, "judging", console=console):
        found += judged(name, console)
    console.print(table(found))


if __name__ == "__main__":
    main()
