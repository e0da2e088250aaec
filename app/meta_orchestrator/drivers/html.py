"""A page of tables and plots in one file: no script, no font, nothing from elsewhere."""

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from io import StringIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console, RenderableType

WIDTH = 150
"""Characters of a line of the tables."""
STYLE = """
body { font-family: system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem }
body { color: #222; background: #fff }
pre { font-family: ui-monospace, monospace; font-size: .8rem; line-height: 1.3; overflow-x: auto }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)); gap: 1rem }
svg { width: 100%; height: auto }
"""
_FORMAT = "<pre>{code}</pre>"
Draw = Callable[[Axes], object]


def page(title: str, told: Iterable[RenderableType], plots: Sequence[str]) -> str:
    """The file: what is told first, the plots (SVG) after it."""
    drawn = f'<div class="plots">{"".join(plots)}</div>' if plots else ""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    body = f"<h1>{escape(title)}</h1>{drawn}{_text(told)}"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def plot(draw: Draw, width: float = 5.0, height: float = 2.8) -> str:
    """What `draw` puts on axes of this size (inches), as SVG."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    draw(axes)
    written = StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    return _own_names(re.sub(r"^.*?(?=<svg)", "", written.getvalue(), flags=re.DOTALL))


_COUNT = iter(range(10**9))


def _own_names(svg: str) -> str:
    """Names of one plot must not be those of another on the same page."""
    mark = f"p{next(_COUNT)}-"
    return re.sub(r'(id="|href="#|url\(#)', lambda found: found[1] + mark, svg)


def _text(told: Iterable[RenderableType]) -> str:
    """As on a terminal, with its colours."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    for one in told:
        console.print(one)
    return console.export_html(inline_styles=True, code_format=_FORMAT)
