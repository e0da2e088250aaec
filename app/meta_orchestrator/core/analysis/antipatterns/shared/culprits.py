"""Whose it is, of what is too much all together."""

from collections.abc import Mapping

from meta_orchestrator.core.analysis.antipatterns.shared.excess import Excess, Habits, Tally


def culprits(now: Mapping[str, Tally], found: Excess, habits: Habits, quiet: float, most: int) -> list[str]:
    """The fewest keys without whom the rest of the window is unremarkable (p > `quiet`), worst first."""
    less = {key: tally.expected * habits.rate(key) - tally.hits for key, tally in now.items()}
    named: list[str] = []
    for key in sorted(now, key=lambda key: (less[key], key)):
        if len(named) == most or (named and found.p_value > quiet) or less[key] >= 0:
            break
        named.append(key)
        found = found.without(round(now[key].hits), now[key].expected * habits.rate(key))
    return named
