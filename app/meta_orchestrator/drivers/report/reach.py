"""How far the numbers carry: which rates have values in the loop's window, and in which window they would."""

from collections.abc import Iterator

from rich.console import RenderableType

from meta_orchestrator.drivers.report.outcome import Outcome
from meta_orchestrator.drivers.report.windows import RateView, Windows
from meta_orchestrator.drivers.report.wording import bullet, day, duration, heading, line, percent
from meta_orchestrator.messages.wording import plural


def reach(windows: Windows, outcome: Outcome) -> Iterator[RenderableType]:
    """The section."""
    yield heading("How far the numbers carry")
    rates = windows.rates()
    if not rates:
        yield line("No rate has anything to count: no handoffs, votes, checks or rework.")
        return
    window = duration(windows.window_us / 1000)
    snapshots = plural(outcome.snapshots, "snapshot")
    yield line(f"{snapshots}, each over a window of {window}. A rate of too few events is null in a snapshot, not 0.")
    for rate in rates:
        yield bullet(f"{rate.metric}: {_whole(rate)}; {_windows(rate, window, windows.window_us)}.")
    yield line(_advice(rates, windows.window_us))


def _whole(rate: RateView) -> str:
    value = "" if rate.whole is None else f"{percent(rate.whole)} of "
    return f"{value}{rate.count:,} over the whole log"


def _windows(rate: RateView, window: str, window_us: int) -> str:
    """Where it has values: in most windows of some length that hold anything to count."""
    if rate.length_us is None:
        return f"no length of window gives it values (it takes {rate.least} in one)"
    if rate.length_us <= window_us:
        return f"a value in {percent(rate.share_at_window)} of the windows{_worst(rate)}"
    now = f"a value in {percent(rate.share_at_window)} of windows of {window}"
    return f"{now}, values in windows of {duration(rate.length_us / 1000)}{_worst(rate)}"


def _worst(rate: RateView) -> str:
    if rate.worst is None or rate.worst_us is None or rate.worst == rate.whole:
        return ""
    return f", the worst of them {percent(rate.worst)} from {day(rate.worst_us)}"


def _advice(rates: list[RateView], window_us: int) -> str:
    """The one sentence about the length of window."""
    lengths = [rate.length_us for rate in rates if rate.length_us is not None]
    if not lengths:
        return "No length of window would give a rate a value: there are too few events in all."
    if max(lengths) <= window_us:
        return "The window is long enough for all of them."
    return (
        f"In windows of {duration(max(lengths) / 1000)} every rate that can have values has them. "
        "Findings and decisions look back further than one window on their own."
    )
