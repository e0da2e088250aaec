"""Small plots of how a project went on."""

from datetime import UTC, datetime
from typing import Any

from matplotlib.axes import Axes

from meta_orchestrator.drivers.html import plot
from meta_orchestrator.drivers.report.course import Course
from meta_orchestrator.messages.fields import SECOND


def plots(name: str, course: Course) -> list[str]:
    """One for each line that there is, with the drifts of its metric and all changes of the configuration."""
    return [_plot(f"{name}: {metric}", metric, line, course) for metric, line in course.lines().items()]


def _plot(title: str, metric: str, line: list[tuple[int, float]], course: Course) -> str:
    def draw(axes: Axes) -> None:
        axes.plot([_time(at_us) for at_us, _ in line], [value for _, value in line], linewidth=1.3)
        for at_us in course.changes_us:
            axes.axvline(_time(at_us), color="0.6", linewidth=0.8)
        for at_us, drifted in course.drifts:
            if drifted.partition(".")[0] == metric:
                axes.axvline(_time(at_us), color="crimson", linewidth=1, linestyle="--")
        axes.set_ylim(bottom=0)
        axes.set_title(title, fontsize=9, loc="left")
        axes.tick_params(axis="x", rotation=30)

    return plot(draw)


def _time(time_us: int) -> Any:
    """Matplotlib's own kind of date."""
    return datetime.fromtimestamp(time_us / SECOND, UTC)
