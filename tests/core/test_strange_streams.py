"""Valid input at the ends of its ranges, under a policy at the ends of its own: that stops nobody either."""

import orjson
import pytest
from pydantic import ValidationError

from meta_orchestrator.core.adaptation.symptoms.places import _gap
from meta_orchestrator.core.analysis.antipatterns.shared.durations import LEAST, Durations
from meta_orchestrator.core.loop import Loop
from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.messages.fields import GREATEST
from meta_orchestrator.policy import Policy
from tests.core.making import START_S, at_us, clock, event, line


def test_a_file_may_speak_of_the_time_before_1970() -> None:
    written: list[bytes] = []
    replay = Replay(Policy(), written.append)
    replay.run([line(-START_S - 5, "agent.task.started", task="t", agent="a"), clock(60 - START_S)])
    assert orjson.loads(written[0])["data"]["counts"] == {"agent.task.started": 1}


@pytest.mark.parametrize("metric", ["deadlock.x", "dissent_rate.a", "late_events."])
def test_an_escalation_watches_an_entry_only_of_what_has_entries(metric: str) -> None:
    with pytest.raises(ValidationError, match="has no entries"):
        Policy.model_validate({"escalation": [{"metric": metric, "threshold": 0.5}]})


@pytest.mark.parametrize("sd", [1e-300, 1e300])
def test_a_spread_that_has_no_single_precision_is_refused(sd: float) -> None:
    with pytest.raises(ValidationError, match="noise_sd"):
        Policy.model_validate({"adaptation": {"noise_sd": sd}})


def test_numbers_as_great_as_may_be_can_be_stored() -> None:
    """20 minutes of an agent that may hold 10^15 tasks and waited 10^15 ms for each of them."""
    loop = Loop(Policy())
    for n in range(120):
        moved = {"handoff": f"h{n}", "task": "t", "from_agent": "b", "to_agent": "a", "wait_ms": GREATEST}
        for kind, data in (
            ("agent.registered", {"agent": "a", "agent_type": "coder", "capacity": GREATEST}),
            ("agent.handoff.completed", moved),
        ):
            loop.observe("p", event(10 * n, kind, **data), at_us(10 * n))
    while (tick_us := loop.due(at_us(1200))) is not None:
        loop.decide(tick_us)
        assert loop.rows()


def test_who_holds_more_than_all_is_beyond_a_target_of_all() -> None:
    assert _gap(1.2, 1.0) == 1.0
    assert _gap(0.975, 0.95) == pytest.approx(0.5)


def test_a_tail_too_long_for_any_clock_is_infinitely_long_at_most() -> None:
    durations = Durations()
    for n in range(LEAST):
        durations.add(1 if n < 95 else 10**15)
    assert durations.exceeded_by(1e-9) > 1e30
    assert durations.exceeded_by(1e-300) > 1e300


@pytest.mark.parametrize("wrong", [{"review_s": 1e12}, {"alpha": 0.9}, {"guard_alpha": 0.9}])
def test_a_trial_ends_in_a_year_that_can_be_written_and_more_often_right_than_wrong(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Policy.model_validate({"trial": wrong})
