"""What a change was kept against still counts when it might be taken back."""

from math import exp

import pytest

from meta_orchestrator.core.adaptation.recall import is_contested, strengths_for
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.weigh import weighed
from meta_orchestrator.core.trial import Lesson
from tests.adaptation.making import Project, ready, us, wish
from tests.adaptation.test_symptoms import HEALTHY

WIP = "workflow.wip_limit"
IDLE = {"starvation": Symptom("starvation", "nobody has anything to do")}


def mended(ending: str = "kept", hours_ago: float = 0.0) -> Project:
    """A limit of 3 that was 4 until too much had been begun."""
    project = ready(learns=True, **{WIP: 3})
    project.run(3600, rows=HEALTHY)
    at_us = us(project.now_s - 3600 * hours_ago)
    project.ledger.learnt = [Lesson(at_us, WIP, 4, 3, ending, 0.02, 0.01, {"overload": 0.9})]
    return project


def test_a_step_back_is_weighed_with_what_the_value_was_kept_against():
    assert strengths_for(mended().moment(), wish(WIP, 4), IDLE) == {"overload": 0.9, "starvation": 1.0}
    [back] = [it for it in weighed(mended().moment(), IDLE) if it.parameter == WIP]
    [fresh] = [it for it in weighed(mended("rolled_back").moment(), IDLE) if it.parameter == WIP]
    assert back.gain.mean < 0.01 < fresh.gain.mean
    assert back.gain.p_positive < 0.55, "so it is not tried: one trouble would be had for the other"


@pytest.mark.parametrize("to", [2, 1])
def test_a_step_further_is_not(to):
    assert strengths_for(mended().moment(), wish(WIP, to), IDLE) == {"starvation": 1.0}


def test_nor_is_what_an_operator_has_moved_since():
    project = mended()
    project.ledger.config[WIP] = 5
    assert strengths_for(project.moment(), wish(WIP, 6), IDLE) == {"starvation": 1.0}


def test_it_is_forgotten_within_about_a_day():
    assert strengths_for(mended(hours_ago=24).moment(), wish(WIP, 4), {}) == {
        "overload": pytest.approx(0.9 * exp(-1), rel=1e-5)
    }


def test_a_step_back_is_contested_until_the_step_is_forgotten():
    week_h = 168
    for hours, contested in ((1, True), (week_h - 1, True), (week_h + 1, False)):
        project = mended(hours_ago=hours)
        project.ledger.turns[WIP] = (f"{WIP} -", 0)
        assert is_contested(project.moment(), WIP, 3, 4) == contested
        assert not is_contested(project.moment(), WIP, 3, 2)


def test_where_trials_have_disagreed_either_way_is_contested():
    project = mended()
    project.ledger.turns[WIP] = (f"{WIP} -", 1)
    assert is_contested(project.moment(), WIP, 3, 4)
    assert is_contested(project.moment(), WIP, 3, 2)
