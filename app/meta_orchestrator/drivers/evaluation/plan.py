"""How much is run: enough for intervals that mean something, in a time that a person waits for."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from meta_orchestrator.errors import SettingsError
from meta_orchestrator.simulation.scenarios import SCENARIOS


@dataclass(frozen=True)
class Plan:
    scenarios: tuple[str, ...]
    seeds: tuple[int, ...]
    hours: int
    """Of a run from the fault on."""
    judged: int
    """Decisions of the policy, at the most, that are judged by counterfactual runs; which ones is drawn by lot."""
    judged_hours: int
    search_hours: int
    search_rounds: int
    """Of the search for the best fixed configuration; 0: it is not looked for."""
    rules: bool = True
    """Whether the rules alone are run beside the policy."""


FULL = Plan(tuple(SCENARIOS), (1, 2, 3, 4), 30, 120, 48, 8, 2)
QUICK = Plan(tuple(SCENARIOS), (1, 2), 12, 20, 24, 8, 0, rules=False)
"""About 2,200 and 160 seconds of a core, where it is free: an hour with a controller costs a third of a second, one
without a thirtieth, and a decision that is judged three and a half."""


def plan_of(quick: bool, scenarios: Iterable[str], seeds: int | None, days: float | None) -> Plan:
    """The usual plan with what a person wants otherwise."""
    plan, named = QUICK if quick else FULL, tuple(dict.fromkeys(scenarios))
    for name in named:
        if name not in SCENARIOS:
            raise SettingsError("--scenario", name, f"must be one of {', '.join(SCENARIOS)}")
    return replace(
        plan,
        scenarios=named or plan.scenarios,
        seeds=tuple(range(1, seeds + 1)) if seeds else plan.seeds,
        hours=max(1, round(24 * days)) if days else plan.hours,
    )
