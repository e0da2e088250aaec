"""The figures, and how each scenario went on, as one HTML file."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from rich.console import RenderableType

from meta_orchestrator.drivers.evaluation.arms import BEST, STATIC
from meta_orchestrator.drivers.evaluation.evaluation import Evaluation
from meta_orchestrator.drivers.evaluation.rows import SMOOTH_H
from meta_orchestrator.drivers.evaluation.runs import FAULT_AT_H, Run
from meta_orchestrator.drivers.html import page, plot
from meta_orchestrator.simulation.truth import HOUR_S

COLOURS = {STATIC: "0.45", BEST: "#2a9d4a"}


def evaluation_page(done: Evaluation, told: Iterable[RenderableType]) -> str:
    """One plot a scenario, then the tables."""
    return page("Evaluation of the meta-orchestrator", told, [_scenario(done, name) for name in done.plan.scenarios])


def _scenario(done: Evaluation, name: str) -> str:
    def draw(axes: Axes) -> None:
        for arm in (STATIC, *done.policies, BEST):
            if done.of(arm, name):
                _course(axes, done.of(arm, name), arm)
        _changes(axes, done, name)
        axes.axvline(FAULT_AT_H, color="crimson", linewidth=0.8, linestyle=":")
        axes.set_title(name, fontsize=10, loc="left")
        axes.set_xlabel("hours", fontsize=8)
        axes.set_ylabel(f"utility, {SMOOTH_H} h mean", fontsize=8)
        axes.legend(fontsize=7, frameon=False, loc="lower right")

    return plot(draw)


def _course(axes: Axes, runs: list[Run], arm: str) -> None:
    """The mean over the seeds, and where the seeds lie."""
    kernel = np.ones(SMOOTH_H) / SMOOTH_H
    lines = np.array([np.convolve([span.utility for span in run.hours], kernel, "valid") for run in runs])
    hours = np.arange(lines.shape[1]) + SMOOTH_H / 2
    (line,) = axes.plot(hours, lines.mean(axis=0), label=arm, color=COLOURS.get(arm), linewidth=1.4)
    axes.fill_between(hours, lines.min(axis=0), lines.max(axis=0), color=line.get_color(), alpha=0.12, linewidth=0)


def _changes(axes: Axes, done: Evaluation, name: str) -> None:
    """When the first arm's trials were kept or taken back."""
    runs, at = done.of(next(iter(done.policies)), name), axes.get_xaxis_transform()
    for verdict, colour in (("kept", COLOURS[BEST]), ("rolled_back", "crimson")):
        hours = [decided.at_s / HOUR_S for run in runs for decided in run.decided if decided.verdict == verdict]
        axes.plot(hours, [0.02] * len(hours), "|", color=colour, transform=at, label=verdict.replace("_", " "))
