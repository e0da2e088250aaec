"""One line of the table."""

from dataclasses import dataclass, field

Figure = float | int | str


@dataclass(frozen=True)
class Row:
    """What we reach on a set, beside what needs no thought and what others have published."""

    set: str
    what: str
    ours: Figure
    trivial: dict[str, Figure] = field(default_factory=dict)
    """Rule (`never fire`, `most frequent`) → its figure on the same data."""
    mark: Figure = ""
    """Published, or promised by us; what it must be (`≤ 2`) or what it is."""
    note: str = ""


def text(figure: Figure) -> str:
    """Three significant digits, where it is a fraction."""
    return f"{figure:.3g}" if isinstance(figure, float) else str(figure)
