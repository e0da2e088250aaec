"""What can befall a team: each scenario is a row of conditions that change by themselves, and why it is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import simpy

from meta_orchestrator.messages.fields import Value
from meta_orchestrator.simulation.conditions import Conditions, Member
from meta_orchestrator.simulation.configuration import BASELINE
from meta_orchestrator.simulation.team import Fault, Team
from meta_orchestrator.simulation.truth import HOUR_S
from meta_orchestrator.simulation.world import Publish


@dataclass(frozen=True)
class Scenario:
    """`always` holds from the start, `faults` begin `at_s` after the fault's time; `config` is how the team is set up.

    `is_faulty`: something is wrong that a better configuration can mend.
    """

    name: str
    reason: str
    faults: tuple[Fault, ...] = ()
    always: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Value] = field(default_factory=dict)
    is_faulty: bool = True

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
        faults = tuple(_placed(fault, conditions, fault_at_s, scale) for fault in self.faults)
        return Team(env, publish, seed, conditions.scaled(scale), faults, self.baseline(scale))

    def baseline(self, scale: float = 1.0) -> dict[str, Value]:
        """The golden baseline, whole seconds at the scale."""
        config = BASELINE | dict(self.config)
        timeout_s = float(config["workflow.handoff_timeout_s"]) * scale
        return config | {"workflow.handoff_timeout_s": max(1, round(timeout_s))}


def _placed(fault: Fault, conditions: Conditions, fault_at_s: float, scale: float) -> Fault:
    after = replace(conditions, **fault.changes).scaled(scale)
    changes = {name: getattr(after, name) for name in fault.changes}
    return replace(fault, at_s=fault_at_s + fault.at_s * scale, over_s=fault.over_s * scale, changes=changes)


def _at(hours: float, over_hours: float = 0.0, **changes: Any) -> Fault:
    """Conditions that are others some hours after the fault began."""
    return Fault(hours * HOUR_S, changes, over_hours * HOUR_S)


_DEBATE: dict[str, Any] = {
    "doubt": {"minor": 0.22, "normal": 0.22, "major": 0.22, "critical": 0.22},
    "ponder_s": 600.0,
    "vote_s": 20.0,
    "discuss_s": 240.0,
    "quorum": 0.75,
    "persuaded": 0.95,
}
_ALL = (
    Scenario("nothing_wrong", "a controller that changes a healthy team does harm", is_faulty=False),
    Scenario(
        "over_deliberation",
        "most changes are trifles, and the team begins to debate each of them at length while the work waits",
        (_at(0, **_DEBATE),),
        {
            "criticalities": {"minor": 0.75, "normal": 0.13, "major": 0.09, "critical": 0.03},
            "vote_deadline_s": 1200.0,
            "interarrival_s": 80.0,
        },
        {"consensus.threshold.minor": 0.65},
    ),
    Scenario(
        "under_review",
        "changes become more defective while only one looks at them",
        (_at(0, defects_per_point=0.8, fix_share=1.0),),
        {"review_s": 36.0},
        {"workflow.review_depth": 1},
    ),
    Scenario(
        "blind_review",
        "more defects, but reviewers ask for rework of what is sound instead: the usual remedy, more review, does harm",
        (_at(0, defects_per_point=0.6, catch=0.05, nitpick=0.25),),
    ),
    Scenario(
        "handoff_storm",
        "receivers become slow to answer: what would have been taken in time runs into the timeout",
        (_at(0, accept_s=110.0, accept_cv=0.4),),
    ),
    Scenario(
        "overload",
        "more work than before and more to keep in mind: everybody has begun too much at once",
        (_at(0, interarrival_s=70.0, switch_s=8.0, tangle=0.03),),
    ),
    Scenario(
        "load_step",
        "a third more work of the same kind, as after a release date was set",
        (_at(0, interarrival_s=65.0),),
    ),
    Scenario(
        "slow_drift",
        "receivers take longer to answer from hour to hour: no step to be seen, only a trend",
        (_at(0, 18, accept_s=130.0, accept_cv=0.4),),
    ),
    Scenario(
        "stubborn_voter",
        "three of eight voters are against nearly everything, whatever is said in the debate",
        (_at(0, stubborn={"reviewer-1": 0.9, "coder-1": 0.9, "coder-4": 0.9}),),
    ),
    Scenario(
        "agent_outage",
        "two of five coders go: what the others still do besides coding counts double",
        (Fault(leave=("coder-1", "coder-4")),),
    ),
    Scenario(
        "changing_team",
        "agents come and go all the time, and newcomers are slow",
        (
            Fault(0, leave=("coder-2",), join=(Member("coder-6", "coder", speed=0.6),)),
            Fault(8 * HOUR_S, leave=("reviewer-2",), join=(Member("reviewer-4", "reviewer", speed=0.8),)),
            Fault(16 * HOUR_S, leave=("coder-3",), join=(Member("coder-7", "coder", speed=0.7),)),
            Fault(28 * HOUR_S, leave=("tester-1",), join=(Member("tester-3", "tester"),)),
        ),
        is_faulty=False,
    ),
    Scenario(
        "mixed",
        "one thing after the other, as in life: long debates, then slow receivers, then more work",
        (
            _at(0, **_DEBATE),
            _at(12, accept_s=110.0, accept_cv=0.4),
            _at(24, interarrival_s=72.0),
        ),
        {"vote_deadline_s": 1200.0, "interarrival_s": 85.0},
    ),
    Scenario(
        "no_votes",
        "a project without votes has to work as well",
        (_at(0, defects_per_point=1.2, fix_share=1.0),),
        {"voters": (), "review_s": 36.0},
    ),
    Scenario(
        "lost_handoffs",
        "a quarter of all handoffs is never seen by the receiver: the usual remedy, a longer timeout, waits longer",
        (_at(0, lost=0.25),),
        is_faulty=False,
    ),
    Scenario(
        "hostile",
        "one agent makes up its reports, about itself and about others: no single agent may move a change",
        (_at(0, liars=("coder-3",)),),
        is_faulty=False,
    ),
)
SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
