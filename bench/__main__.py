"""Run the parts that are named, all of them if none is, and print one table each."""

import argparse

from rich.console import Console
from rich.table import Table

from bench import analysis, live, memory, replay, stages

PARTS = {
    "replay": replay.measure,
    "stages": stages.measure,
    "memory": memory.measure,
    "analysis": analysis.measure,
    "live": live.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"some of: {', '.join(PARTS)}")
    parser.add_argument("--events", type=int, default=400_000, help="in the backlog of the live part and in the file")
    given = parser.parse_args()
    console = Console()
    for part in given.parts:
        console.print(f"[bold]{part}[/bold]: {PARTS[part].__doc__.splitlines()[0]}")
        rows = PARTS[part](given.events)
        table = Table("what", "figure", "unit", "ratio")
        for row in rows:
            table.add_row(*row)
        console.print(table)


if __name__ == "__main__":
    main()
