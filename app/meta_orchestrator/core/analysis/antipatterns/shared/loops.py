"""Single tasks that come back so often that neither chance nor custom explains it, or that used up their handoffs."""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_TASKS
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.messages.outputs import Antipattern, AntipatternKind

ODDS = 16.0
"""In a loop the odds of each return are so many times those of custom; what a bet on loops is best at."""
FLOOR = 0.02
"""Custom is not known better than to this: a return that never happened before is no greater surprise."""
FAMILY = 1_000
"""Chances in a look-back, at the least, that share `analysis.alpha`: in a quiet project a look-back holds next to none,
and over the weeks there would be false alarms nevertheless."""


def grown(evidence: float, hit: bool, expected: float) -> float:
    """The log of the bet's wealth after one more chance, never below its stake.

    An e-detector (Shin, Ramdas, Rinaldo, 2022): the likelihood ratio of a loop against custom, begun anew wherever it
    fell below 1. Under custom it passes A with a probability of at most 1 / A for each chance at which it may begin.
    """
    share = min(max(expected, FLOOR), 1 - FLOOR)
    odds = ODDS * share / (1 - share)
    looping = odds / (1 + odds)
    return max(0.0, evidence + math.log(looping / share if hit else (1 - looping) / (1 - share)))


def enough(alpha: float, chances: float) -> float:
    """The log of the wealth at which a task is said to loop."""
    return math.log(max(chances, FAMILY) / alpha)


class Loop(NamedTuple):
    """A task that is in a loop, as it was last seen."""

    time_us: int
    since_us: int
    agents: tuple[str, ...]
    handoffs: int
    returns: int
    severity: float
    evidence: float
    """Log of the wealth of the bet; 0 where only the limit says so."""


def loop_of(dumped: list[Any]) -> Loop:
    time_us, since_us, agents, *rest = dumped
    return Loop(time_us, since_us, tuple(agents), *rest)


def finding(
    kind: AntipatternKind, loops: dict[str, Loop], limit: int | None, shown: Callable[[tuple[str, ...]], str]
) -> Antipattern:
    """The worst of them as one finding."""
    worst = sorted(loops, key=lambda task: (-loops[task].handoffs, task))[:NAMED_TASKS]
    first = loops[worst[0]]
    return Antipattern(
        kind=kind,
        agents=_agents(loops[task] for task in worst),
        tasks=worst,
        since=format_time_us(min(loops[task].since_us for task in worst)),
        severity=max(loops[task].severity for task in worst),
        evidence={
            "tasks_looping": len(loops),
            "handoffs": first.handoffs,
            "returns_of_task": first.returns,
            "max_handoffs": limit,
            "most_often": f"{shown(first.agents)}: {first.returns}",
            "e_value": math.exp(max(loops[task].evidence for task in worst)),
        },
    )


def _agents(loops: Iterable[Loop]) -> list[str]:
    return sorted({agent for loop in loops for agent in loop.agents})
