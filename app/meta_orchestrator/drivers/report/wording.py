"""Numbers and names as a person reads them."""

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from meta_orchestrator.messages.fields import format_time_us

_UNITS = ((86_400_000.0, "d"), (3_600_000.0, "h"), (60_000.0, "min"), (1000.0, "s"))


def clean(words: object) -> str:
    """Names are other people's: nothing in them may command the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(words))


def duration(ms: float | None) -> str:
    """In the unit in which it is a small number."""
    if not ms:
        return "-" if ms is None else "0"
    for size, unit in _UNITS:
        if ms >= size:
            return f"{ms / size:.3g} {unit}" if ms / size < 100 else f"{ms / size:,.0f} {unit}"
    return f"{ms:.3g} ms"


def percent(part: float, whole: float = 1.0) -> str:
    """A share; `-` of nothing."""
    if not whole:
        return "-"
    share = 100 * part / whole
    if 0 < share < 0.05:
        return "< 0.1 %"
    return f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.1f} %"


def day(time_us: int) -> str:
    return format_time_us(time_us)[:10]


def moment(time_us: int) -> str:
    return format_time_us(time_us)[:16].replace("T", " ")


def between(first_us: int, last_us: int) -> str:
    """From when to when; within one day the hours tell them apart."""
    if day(first_us) == day(last_us):
        return f"{moment(first_us)} to {moment(last_us)[11:]}"
    return f"{day(first_us)} to {day(last_us)}"


def heading(words: str) -> Text:
    return Text(f"\n{clean(words)}", style="bold")


def line(words: str, style: str = "") -> RenderableType:
    """A sentence, indented also where it is broken."""
    return Padding(Text(clean(words), style=style), (0, 0, 0, 2), expand=False)


def bullet(words: str) -> RenderableType:
    """One of several things."""
    made = Table.grid(padding=(0, 1, 0, 0))
    made.add_row(Text("  •"), Text(clean(words)))
    return made


def table(*columns: str) -> Table:
    """The first column is a name, the others are numbers."""
    made = Table(box=None, padding=(0, 0, 0, 2), header_style="dim")
    made.add_column(columns[0], overflow="fold")
    for column in columns[1:]:
        made.add_column(column, justify="right")
    return made


def row(target: Table, *cells: object) -> None:
    target.add_row(*(Text(clean(cell)) for cell in cells))
