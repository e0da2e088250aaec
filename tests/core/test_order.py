"""The order in which a pane's events are taken."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.core.collection.order import in_order
from meta_orchestrator.core.loop import Loop
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.journal import read_line
from tests.core.making import at_us, event, line


def beat(at_s: float, id: str, source: str = "s", utilization: float = 0.5):
    return event(at_s, "agent.heartbeat", id=id, source=source, agent="a", utilization=utilization)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("xy"), st.sampled_from("12"), st.integers(0, 9))),
    st.randoms(),
)
def test_the_order_of_arrival_never_matters(given: list[tuple[int, str, str, int]], shuffler: random.Random) -> None:
    events = [beat(at_s, id, source, n / 10) for at_s, source, id, n in given]
    shuffled = list(events)
    shuffler.shuffle(shuffled)
    assert in_order(events) == in_order(shuffled)


def test_events_are_taken_by_time_then_source_then_id() -> None:
    a, b, c, d = beat(1, "9"), beat(2, "1", "r"), beat(2, "0", "s"), beat(2, "1", "s")
    assert in_order([d, c, b, a]) == [a, b, c, d]


def test_a_copy_counts_once() -> None:
    assert len(in_order([beat(1, "1"), beat(1, "1"), beat(1, "2")])) == 2


def test_of_two_contents_under_one_identity_the_earliest_counts() -> None:
    early, late = beat(1, "1", utilization=0.9), beat(2, "1", utilization=0.1)
    assert in_order([late, early]) == [early]


def test_at_the_same_time_the_least_content_counts() -> None:
    small, large = beat(1, "1", utilization=0.1), beat(1, "1", utilization=0.9)
    assert in_order([large, small, large]) == [small]


def test_copies_can_be_kept_for_whoever_must_refuse_them() -> None:
    small, large = beat(1, "1", utilization=0.1), beat(1, "1", utilization=0.9)
    assert in_order([large, small], keep_copies=True) == [small, large]


@pytest.mark.parametrize("strange", [b"NaN", b"-Infinity", b"1e400", b"9" * 400])
def test_two_copies_with_a_strange_number_in_an_unknown_field_are_one(strange: bytes) -> None:
    """What nobody looks at is not checked; Python's json writes NaN without being asked."""
    text = line(1, "agent.heartbeat", agent="a", utilization=0.5, mood=0).replace(b'"mood":0', b'"mood":' + strange)
    copies = [read_line(text, number)[1] for number in (1, 2)]
    assert in_order(copies) == copies[:1]


def test_data_that_looks_like_half_an_envelope_is_compared_as_data() -> None:
    """In binary mode the value is the data alone."""
    one = beat(1, "1")
    copies = [(*one[:5], value, *one[6:]) for value in (b'{"specversion":2}', b'{"specversion":1}')]
    assert in_order(list(copies)) == [copies[1]]


@pytest.mark.parametrize("first", ["early", "late"])
def test_a_command_before_all_events_does_not_let_their_order_say_how_long_a_project_is_watched(first: str) -> None:
    """It is decided at a tick at which nothing has closed yet; which panes are open by then is chance."""
    loop = Loop(Policy())
    beats = {"early": beat(5, "1"), "late": beat(65, "2")}
    freeze = event(65, "control.freeze", owner="maria", reason="a test", until="2027-01-15T09:00:00Z")
    loop.command("p", freeze, at_us(-20))
    loop.observe("p", beats[first], at_us(-20))
    loop.decide(at_us(0))
    for one in beats.values():
        loop.observe("p", one, at_us(0))  # the first one again is a copy
    loop.decide(at_us(90))
    assert loop.projects["p"].ledger.born_us == at_us(0)
