"""Weeks under constant conditions: changes die out, no parameter goes to and fro, and the state does not grow."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from meta_orchestrator.core.adaptation.features import place
from meta_orchestrator.drivers.evaluation.evaluation import Evaluation
from meta_orchestrator.drivers.evaluation.runs import Run
from meta_orchestrator.policy import Policy
from meta_orchestrator.simulation.truth import HOUR_S

WEEK_H = 168
LEAST_WEEKS = 2


@dataclass(frozen=True)
class Endurance:
    """Of one run, week by week."""

    run: Run
    changed: list[int]
    """Decisions to change something."""
    kept: list[int]
    reversals: dict[str, int]
    """Parameter → how often its kept value turned round."""
    state_bytes: list[int]
    """At the end of each week."""


def endurances(done: Evaluation) -> Iterator[Endurance]:
    """Of runs that are long enough to tell, the first arm's."""
    arm = next(iter(done.policies))
    for name in done.plan.scenarios:
        yield from (
            endurance(run, done.policies[arm]) for run in done.of(arm, name) if len(run.hours) >= LEAST_WEEKS * WEEK_H
        )


def endurance(run: Run, policy: Policy) -> Endurance:
    weeks = len(run.hours) // WEEK_H
    changed, kept = (_weekly(run, verdict, weeks) for verdict in ("changed", "kept"))
    return Endurance(run, changed, kept, reversals(run, policy), run.state_bytes[6::7])


def reversals(run: Run, policy: Policy) -> dict[str, int]:
    """Kept moves of a parameter the other way than the kept one before it; what never turned is left out."""
    ways: dict[str, list[bool]] = {}
    for decided in run.decided:
        if decided.verdict == "kept":
            parameter = policy.parameters[decided.parameter]
            before, after = (place(parameter, side[decided.parameter]) for side in (decided.without, decided.with_))
            if before is not None and after is not None:
                ways.setdefault(decided.parameter, []).append(after > before)
    turned = {name: sum(one != other for one, other in pairwise(way)) for name, way in ways.items()}
    return {name: number for name, number in turned.items() if number}


def _weekly(run: Run, verdict: str, weeks: int) -> list[int]:
    found = Counter(int(one.at_s / HOUR_S) // WEEK_H for one in run.decided if one.verdict == verdict)
    return [found[week] for week in range(weeks)]
