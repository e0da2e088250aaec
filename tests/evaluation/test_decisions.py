"""When a decision was right, by what it was worth."""

import pytest

from meta_orchestrator.drivers.evaluation.counterfactual import Judged, judge
from meta_orchestrator.drivers.evaluation.intervals import Interval
from meta_orchestrator.drivers.evaluation.runs import Decided, Run
from meta_orchestrator.simulation.scenarios import SCENARIOS


def judged(verdict: str, gain: float, half: float) -> str:
    decided = Decided(0.0, verdict, "workflow.wip_limit", {}, {}, "")
    return Judged("x", "adaptive", 1, decided, Interval(gain, gain - half, gain + half)).finding


@pytest.mark.parametrize(
    ("verdict", "gain", "half", "finding"),
    [
        ("kept", 0.1, 0.01, "right"),
        ("kept", -0.1, 0.01, "wrong"),
        ("kept", -0.004, 0.001, "right"),  # within half a percent is no difference
        ("kept", -0.008, 0.01, "right"),  # nor what chance explains
        ("kept", -0.01, 0.03, "unclear"),
        ("kept", 0.04, 0.03, "right"),
        ("rolled_back", 0.1, 0.01, "wrong"),
        ("rolled_back", -0.1, 0.01, "right"),
        ("rolled_back", 0.004, 0.001, "right"),
        ("rolled_back", 0.01, 0.03, "unclear"),
    ],
)
def test_kept_and_not_worse_or_rolled_back_and_not_better(verdict: str, gain: float, half: float, finding: str):
    assert judged(verdict, gain, half) == finding


def test_two_runs_tell_what_a_change_is_worth():
    """Receivers need longer than the timeout: with a longer one it gets done, without it does not."""
    baseline = SCENARIOS["handoff_storm"].baseline()
    longer = baseline | {"workflow.handoff_timeout_s": 300}
    run, asked = Run("handoff_storm", "adaptive", 1), (3 * 3600.0, "kept", "workflow.handoff_timeout_s")
    assert judge(run, Decided(*asked, longer, baseline, ""), 8).gain.low > 0.1
    assert judge(run, Decided(*asked, baseline, longer, ""), 8).finding == "wrong"


def test_a_change_without_effect_is_worth_exactly_nothing():
    """Luck belongs to causes and names, so what differs between the runs is the change alone."""
    baseline = SCENARIOS["no_votes"].baseline()
    other = baseline | {"consensus.threshold.minor": 0.9}
    found = judge(Run("no_votes", "adaptive", 1), Decided(7300.0, "kept", "x", other, baseline, ""), 8)
    assert found.gain == Interval(0, 0, 0)
