"""The product's metrics against a second, brute-force reading of the contract, over files of every kind."""

import json
import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.policy import Policy
from tests.oracle.minimize import minimize
from tests.oracle.oracle import Expected, expect
from tests.oracle.reading import Settings, time_us
from tests.oracle.strategies import File, files

HALF_A_DIGIT = 0.51
"""Of the 6 significant digits; .01 is for how floats add up."""
P95_ERROR = 0.01
WHOLE = ("handoff_failure_causes", "coordination_failures", "manual_interventions", "counts", "late_events")


def policy_of(settings: Settings) -> Policy:
    time = {
        "pane_s": settings.pane_us / 1e6,
        "tick_s": settings.tick_us / 1e6,
        "window_s": settings.window_us / 1e6,
        "lateness_s": settings.lateness_us / 1e6,
    }
    return Policy.model_validate({"time": time, "samples": {"p95": settings.p95, "rate": settings.rate}})


def replay(file: File) -> list[dict[str, Any]]:
    written: list[bytes] = []
    Replay(policy_of(file.settings), written.append).run(file.bytes)
    return [json.loads(line) for line in written]


def same(name: str, got: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and got.keys() == expected.keys()
            and all(same(name, got[key], expected[key]) for key in expected)
        )
    if name not in WHOLE and isinstance(expected, int | float | Fraction) and isinstance(got, int | float):
        exact = float(expected)
        digit = 10.0 ** (math.floor(math.log10(abs(exact))) - 5) if exact else 0.0
        return abs(got - exact) <= (P95_ERROR * exact if name.endswith("_p95_ms") else HALF_A_DIGIT * digit)
    return type(got) is type(expected) and got == expected


def differences(outputs: list[dict[str, Any]], expected: Expected) -> list[str]:
    """In words, in the order of the file."""
    snapshots = {
        (output["project"], time_us(output["time"])): output["data"]
        for output in outputs
        if output["type"] == "metrics.snapshot"
    }
    agents = {
        (output["project"], time_us(output["time"]), output["data"]["agent"]): output["data"]
        for output in outputs
        if output["type"] == "metrics.agent"
    }
    bad = [output["data"]["line"] for output in outputs if output["type"] == "dead.letter"]
    found = [] if bad == expected.bad else [f"bad lines {bad}, expected {expected.bad}"]
    for got, wanted in ((snapshots, expected.snapshots), (agents, expected.agents)):
        for key in sorted(got.keys() | wanted.keys()):
            if key not in got or key not in wanted:
                found.append(f"{key}: {'missing' if key in wanted else 'not expected'}")
                continue
            found += [
                f"{key} {name}: {got[key].get(name)!r}, expected {value!r}"
                for name, value in wanted[key].items()
                if not same(name, got[key].get(name), value)
            ]
    return found


def disagreements(file: File) -> list[str]:
    return differences(replay(file), expect(file.lines, file.settings))


@settings(phases=(Phase.explicit, Phase.reuse, Phase.generate))  # `minimize` shrinks, by lines
@given(files())
def test_the_metrics_are_what_the_contract_says(file: File) -> None:
    if disagreements(file):
        least = minimize(file, disagreements)
        pytest.fail("\n".join([*disagreements(least), repr(least)]), pytrace=False)
