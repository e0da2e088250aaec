"""Values, bounds and steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.core.adaptation.frequency import is_frequency, less_voting, more_voting, voting
from meta_orchestrator.core.adaptation.parameters import fault, is_looser, normal, stepped
from meta_orchestrator.policy import BUILT_IN, Parameter

FREQUENCIES = st.one_of(
    st.sampled_from(["every_change", "critical_changes_only"]),
    st.integers(60, 86_400).map(lambda seconds: f"timeboxed_batches({seconds})"),
    st.integers(0, 100).map(lambda hundredths: f"adaptive_threshold({hundredths / 100})"),
)


@pytest.mark.parametrize(
    ("value", "less", "more"),
    [
        ("every_change", "adaptive_threshold(0.3)", None),
        ("adaptive_threshold(0.3)", "adaptive_threshold(0.5)", "every_change"),
        ("adaptive_threshold(0.5)", "critical_changes_only", "adaptive_threshold(0.3)"),
        ("critical_changes_only", None, "adaptive_threshold(0.5)"),
        ("adaptive_threshold(0.1)", "adaptive_threshold(0.3)", "every_change"),
        ("adaptive_threshold(0.4)", "adaptive_threshold(0.5)", "adaptive_threshold(0.3)"),
        ("adaptive_threshold(1)", "critical_changes_only", "adaptive_threshold(0.5)"),
        ("timeboxed_batches(300)", "timeboxed_batches(600)", "timeboxed_batches(150)"),
        ("timeboxed_batches(60000)", "timeboxed_batches(86400)", "timeboxed_batches(30000)"),
        ("timeboxed_batches(86400)", None, "timeboxed_batches(43200)"),
        ("timeboxed_batches(61)", "timeboxed_batches(122)", "timeboxed_batches(60)"),
        ("timeboxed_batches(60)", "timeboxed_batches(120)", "every_change"),
    ],
)
def test_one_step_of_voting_less_and_one_of_voting_more(value, less, more):
    assert (less_voting(value), more_voting(value)) == (less, more)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "never",
        "timeboxed_batches",
        "timeboxed_batches(59)",
        "timeboxed_batches(86401)",
        "timeboxed_batches(90.5)",
        "timeboxed_batches(-60)",
        "timeboxed_batches(99999999999999)",
        "adaptive_threshold(1.01)",
        "adaptive_threshold(-0.1)",
        "adaptive_threshold(nan)",
        "adaptive_threshold(0.3) ",
        "adaptive_threshold(٣)",
        "EVERY_CHANGE",
    ],
)
def test_what_is_not_one_of_the_four_forms_is_no_frequency(value):
    assert not is_frequency(value)
    assert "is none of every_change" in (fault(BUILT_IN["consensus.frequency"], value) or "")


@given(FREQUENCIES)
def test_a_step_of_voting_is_a_frequency_on_the_side_it_says_or_there_is_none(value):
    less, more = less_voting(value), more_voting(value)
    assert is_frequency(value)
    assert less is None or (is_frequency(less) and voting(less) < voting(value))
    assert more is None or (is_frequency(more) and voting(more) > voting(value))


@given(st.sampled_from(sorted(name for name, it in BUILT_IN.items() if it.low is not None)), st.data())
def test_a_step_from_inside_the_bounds_stays_inside_them_and_moves(name, data):
    parameter = BUILT_IN[name]
    kinds = st.integers if parameter.type == "int" else st.floats
    value = data.draw(kinds(parameter.low, parameter.high))
    for direction in (-1, 1):
        at_the_bound = value == (parameter.low if direction < 0 else parameter.high)
        moved = stepped(parameter, value, direction)
        assert (fault(parameter, moved) is not None) == at_the_bound
        assert (moved - value) * direction > 0 or parameter.type == "float"
        assert abs(moved - value) <= parameter.step * 1.001


def test_a_step_of_a_fraction_has_no_dust():
    assert stepped(BUILT_IN["consensus.threshold.normal"], 0.6, 1) == 0.65


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("workflow.wip_limit", 0, "0 is outside 1 to 10"),
        ("workflow.wip_limit", 11, "11 is outside 1 to 10"),
        ("workflow.wip_limit", 2.5, "2.5 is not a whole number"),
        ("workflow.wip_limit", "4", "4 is not a whole number"),
        ("quality.min_pass_rate", 0.69, "0.69 is outside 0.7 to 1"),
        ("quality.min_pass_rate", "high", "high is not a number"),
        ("consensus.frequency", 3, "3 is not a text"),
    ],
)
def test_a_wrong_value_says_what_is_wrong(name, value, sentence):
    assert fault(BUILT_IN[name], value) == sentence


def test_whole_numbers_and_fractions_are_taken_as_they_are_meant():
    assert repr(normal(BUILT_IN["workflow.wip_limit"], 5.0)) == "5"
    assert repr(normal(BUILT_IN["quality.min_pass_rate"], 1)) == "1.0"
    assert fault(BUILT_IN["workflow.wip_limit"], normal(BUILT_IN["workflow.wip_limit"], 5.0)) is None


def test_choices_move_one_place_and_end():
    parameter = Parameter(type="choice", choices=("low", "mid", "high"))
    assert [stepped(parameter, "mid", way) for way in (-1, 1)] == ["low", "high"]
    assert stepped(parameter, "high", 1) is None
    assert stepped(parameter, "low", -1) is None
    assert stepped(parameter, "unheard of", -1) is None
    assert fault(parameter, "unheard of") == "unheard of is none of low, mid, high"


def test_looser_is_the_side_that_the_parameter_names():
    down, up = BUILT_IN["workflow.review_depth"], BUILT_IN["workflow.review_depth"].model_copy(update={"looser": "up"})
    assert (is_looser(down, 1, 2), is_looser(down, 2, 2), is_looser(down, 3, 2)) == (True, False, False)
    assert (is_looser(up, 1, 2), is_looser(up, 3, 2)) == (False, True)
    assert is_looser(BUILT_IN["consensus.frequency"], "critical_changes_only", "adaptive_threshold(0.5)")
