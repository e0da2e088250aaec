"""A review at which the model leans to neither side is put off: more time tells more than a coin."""

from statistics import NormalDist

import pytest

from meta_orchestrator.core.adaptation.belief import Gain
from tests.adaptation.making import Project
from tests.validation.test_trials import BETTER, QUIET, started

PATIENT = {"trial": {"alpha": 1e-9}}
"""Nothing is clear ahead of its review."""


def ended(project: Project, rows: dict[str, float]) -> tuple[float, str]:
    """(seconds, verdict)."""
    began_s = project.now_s
    project.applied()
    while project.ledger.trial:
        project.tick(rows=rows)
    return project.now_s - began_s, project.decisions[-1].verdict


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
    assert ended(started(PATIENT), QUIET) == (seconds, verdict)


def test_where_the_aim_is_surely_better_the_model_must_only_not_be_against_it(believing):
    believing(0.4)
    assert ended(started(PATIENT), BETTER)[1] == "kept"
    believing(0.2)
    assert ended(started(PATIENT), BETTER) == (1800, "rolled_back")


def test_a_policy_may_say_that_nothing_is_put_off(believing):
    believing(0.45)
    assert ended(started({"trial": {"alpha": 1e-9, "put_off_s": 0}}), QUIET) == (1800, "rolled_back")


def test_what_the_model_begins_to_lean_to_is_not_waited_for_any_longer(believing):
    believing(0.5)
    project = started(PATIENT)
    project.applied().run(2400, rows=QUIET)
    assert project.ledger.trial
    believing(0.7)
    project.tick(rows=QUIET)
    assert project.decisions[-1].verdict == "kept"
