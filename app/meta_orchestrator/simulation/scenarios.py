"""What can befall a team: each scenario is a row of conditions that change by themselves, and why it is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import simpy

from meta_orchestrator.messages.fields import Value
from meta_orchestrator.simulation.conditions import Conditions
from meta_orchestrator.simulation.configuration import BASELINE
from meta_orchestrator.simulation.team import Fault, Team
from meta_orchestrator.simulation.world import Publish

HOUR_S = 3600.0


@dataclass(frozen=True)
class Scenario:
    """`always` holds from the start, `fault` from the fault on; `config` is how the team is set up at first."""

    name: str
    reason: str
    fault: Mapping[str, Any] = field(default_factory=dict)
    always: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Value] = field(default_factory=dict)
    leave: tuple[str, ...] = ()

    def team(
        self,
        env: simpy.Environment,
        publish: Publish,
        seed: int = 0,
        fault_at_s: float = 2 * HOUR_S,
        scale: float = 1.0,
    ) -> Team:
        """The team of this scenario. `scale` shrinks all durations; `fault_at_s` is meant as it is."""
        conditions = replace(Conditions(), **self.always)
        after = replace(conditions, **self.fault).scaled(scale)
        fault = Fault(fault_at_s, {name: getattr(after, name) for name in self.fault}, self.leave)
        return Team(env, publish, seed, conditions.scaled(scale), (fault,), self.baseline(scale))

    def baseline(self, scale: float = 1.0) -> dict[str, Value]:
        """The golden baseline, whole seconds at the scale."""
        config = BASELINE | dict(self.config)
        timeout_s = float(config["workflow.handoff_timeout_s"]) * scale
        return config | {"workflow.handoff_timeout_s": max(1, round(timeout_s))}


_ALL = (
    Scenario("nothing_wrong", "a controller that changes a healthy team does harm"),
    Scenario(
        "over_deliberation",
        "most changes are trifles, and the team begins to debate each of them at length while the work waits",
        {
            "doubt": {"minor": 0.22, "normal": 0.22, "major": 0.22, "critical": 0.22},
            "ponder_s": 150.0,
            "vote_s": 15.0,
            "discuss_s": 60.0,
            "persuaded": 0.95,
        },
        {"criticalities": {"minor": 0.75, "normal": 0.13, "major": 0.09, "critical": 0.03}, "vote_deadline_s": 900.0},
        {"consensus.threshold.minor": 0.65},
    ),
    Scenario(
        "handoff_storm",
        "receivers become slow to answer: what would have been taken in time runs into the timeout",
        {"accept_s": 90.0, "accept_cv": 0.4},
    ),
    Scenario(
        "overload",
        "more work than before and more to keep in mind: everybody has begun too much at once",
        {"interarrival_s": 25.0, "switch_s": 2.0},
    ),
    Scenario(
        "under_review",
        "changes become more defective while only one looks at them",
        {"defects_per_point": 0.6},
        config={"workflow.review_depth": 1},
    ),
    Scenario(
        "load_step", "a third more work of the same kind, as after a release date was set", {"interarrival_s": 22.5}
    ),
    Scenario(
        "stubborn_voter",
        "two voters are against nearly everything, whatever is said in the debate",
        {"stubborn": {"reviewer-1": 0.9, "coder-1": 0.9}},
    ),
    Scenario("agent_outage", "two of five coders go", leave=("coder-1", "coder-4")),
    Scenario("no_votes", "a project without votes has to work as well", {"defects_per_point": 0.5}, {"voters": ()}),
)
SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
