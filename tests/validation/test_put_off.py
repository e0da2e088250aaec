"""A review at which the model leans to neither side is put off: more time tells more than a coin."""

from statistics import NormalDist

import pytest

from meta_orchestrator.core.adaptation.belief import Gain
from tests.adaptation.making import Project, ready, wish
from tests.validation.test_trials import BETTER, QUIET, started

PATIENT = {"trial": {"alpha": 1e-9}}
"""Nothing is clear ahead of its review."""
UP, DOWN = "workflow.wip_limit +", "workflow.wip_limit -"


def ended(project: Project, rows: dict[str, float]) -> tuple[float, str]:
    """(seconds, verdict)."""
    began_s = project.now_s
    project.applied()
    while project.ledger.trial:
        project.tick(rows=rows)
    return project.now_s - began_s, project.decisions[-1].verdict


def unshown() -> Project:
    """A trial whose aim follows the load: its verdict is the model's."""
    return aimed("development_velocity", PATIENT)


@pytest.fixture
def believing(monkeypatch: pytest.MonkeyPatch):
    """The model is sure of a gain with this probability, whatever happens."""

    def believe(sure: float) -> None:
        gain = Gain(0.01 * NormalDist().inv_cdf(sure), 0.01)
        monkeypatch.setattr("meta_orchestrator.core.validation.judge.posterior_gain", lambda *_: gain)

    return believe


@pytest.mark.parametrize(
    ("sure", "seconds", "verdict"),
    [
        (0.7, 1800, "kept"),
        (0.3, 1800, "rolled_back"),
        (0.55, 1800 + 3600, "kept"),
        (0.45, 1800 + 3600, "rolled_back"),
    ],
)
def test_only_what_the_model_doubts_waits_and_not_for_ever(believing, sure, seconds, verdict):
    believing(sure)
    assert ended(unshown(), SICK) == (seconds, verdict)


def test_where_the_aim_is_surely_better_the_model_must_only_not_be_against_it(believing):
    believing(0.4)
    assert ended(started(PATIENT), BETTER)[1] == "kept"
    believing(0.2)
    assert ended(started(PATIENT), BETTER) == (1800, "rolled_back")


def test_a_remedy_that_does_not_move_what_it_is_for_is_taken_back_whatever_is_believed_of_it(believing):
    believing(0.99)
    project = started(PATIENT)
    assert ended(project, QUIET) == (1800 + 3600, "rolled_back")
    doubt = "handoff_failure_rate better with a probability of 50% only, 90% are needed"
    assert doubt in project.decisions[-1].explanation


@pytest.mark.parametrize(
    ("failures", "seconds", "verdict"), [(0, 1800, "kept"), (1, 2880, "kept"), (2, 1800 + 3600, "rolled_back")]
)
def test_each_try_after_one_that_failed_must_show_its_aim_more_clearly(believing, failures, seconds, verdict):
    """15 % fewer handoffs fail: 90 % sure at once, 95 % sure after a while, never 97.5 %."""
    believing(0.7)
    project = started(PATIENT)
    project.ledger.failures[project.ledger.trial.proposal.parameter] = failures
    assert ended(project, QUIET | {"handoffs_failed": 1.7}) == (seconds, verdict)


def test_a_policy_may_say_that_nothing_is_put_off(believing):
    believing(0.45)
    assert ended(started({"trial": {"alpha": 1e-9, "put_off_s": 0}}), QUIET) == (1800, "rolled_back")


def test_what_the_model_begins_to_lean_to_is_not_waited_for_any_longer(believing):
    believing(0.5)
    project = unshown()
    project.applied().run(2400, rows=SICK)
    assert project.ledger.trial
    believing(0.7)
    project.tick(rows=SICK)
    assert project.decisions[-1].verdict == "kept"


@pytest.mark.parametrize(("sure", "seconds", "verdict"), [(0.85, 1800 + 3600, "rolled_back"), (0.92, 1800, "kept")])
def test_what_was_kept_is_turned_back_only_where_that_is_shown(believing, sure, seconds, verdict):
    """The first way may follow what helps elsewhere; the way back has the verdict of a trial against it."""
    believing(sure)
    project = unshown()
    project.ledger.turns[project.ledger.trial.proposal.parameter] = (DOWN, 0)
    assert ended(project, SICK) == (seconds, verdict)


@pytest.mark.parametrize(("turned", "verdict"), [(0, "kept"), (1, "rolled_back")])
def test_what_goes_the_way_of_the_last_kept_step_is_no_turn_but_for_one_before(believing, turned, verdict):
    believing(0.7)
    project = unshown()
    project.ledger.turns[project.ledger.trial.proposal.parameter] = (UP, turned)
    assert ended(project, SICK)[1] == verdict


WIP = "workflow.wip_limit"
SICK = QUIET | {"tasks_regressed": 2}


def aimed(metric: str, policy: dict[str, object]) -> Project:
    """A step up of the limit on trial, with this aim."""
    project = ready(policy)
    project.run(3600, rows=SICK)
    project.tick(wish(WIP, 5, metric=metric), rows=SICK)
    return project


@pytest.mark.parametrize(
    ("metric", "better"),
    [
        ("development_velocity", {"points": 10}),
        ("agent_utilization", {"busy_us": 90}),
        ("quality_regression_rate", {"tasks_regressed": 0}),
    ],
)
def test_an_aim_that_follows_the_load_or_comes_late_does_not_stand_for_all_in_all(believing, metric, better):
    believing(0.4)
    project = aimed(metric, PATIENT)
    project.ledger.trial.proposal.expected["agent_utilization"] = 0.1
    assert ended(project, SICK | better)[1] == "rolled_back"
    assert project.decisions[-1].evidence["p_target"] > 0.99, "and yet it looked so good"


@pytest.mark.parametrize(("sure", "verdict"), [(0.4, "kept"), (0.3, "rolled_back")])
def test_where_all_places_are_taken_how_busy_agents_are_stands_for_all_in_all(believing, sure, verdict):
    """The load plays no part in it then; the model must only not be against it."""
    believing(sure)
    assert ended(crowded(), SICK | {"busy_us": 63})[1] == verdict


@pytest.mark.parametrize(("failures", "verdict"), [(0, "kept"), (3, "rolled_back")])
def test_that_agents_with_more_places_are_busier_need_only_show_until_it_has_failed(believing, failures, verdict):
    """87 % sure: 60 % are needed at first, 95 % after three failures."""
    believing(0.5)
    project = crowded()
    project.ledger.failures[WIP] = failures
    flickering = [SICK | {"busy_us": busy} for busy in (40, 84)]
    project.applied()
    while project.ledger.trial:
        for rows in flickering:
            if project.ledger.trial:
                project.tick(rows=rows)
    told = project.decisions[-1]
    assert 0.6 < told.evidence["p_target"] < 0.95
    assert told.verdict == verdict


def crowded() -> Project:
    """The limit is raised since all places are taken by agents who are not busy."""
    project = ready(PATIENT)
    project.run(3600, rows=SICK)
    project.tick(wish(WIP, 5, metric="agent_utilization", evidence={"places_taken": 1.0}), rows=SICK)
    project.ledger.trial.proposal.expected["agent_utilization"] = 0.1
    return project


def test_what_is_to_save_regressions_is_watched_for_longer(believing):
    """Those of its first hour were made before it, so that nothing is kept ahead of time either."""
    believing(0.99)
    project = aimed("quality_regression_rate", {})
    assert ended(project, QUIET | {"tasks_regressed": 0}) == (7200, "kept")
