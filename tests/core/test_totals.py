"""The sums of a window that moves on."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.core.collection.slot import AgentSums, Slot
from meta_orchestrator.core.collection.totals import Totals

slots_of_agents = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.tuples(st.integers(0, 5), st.integers(0, 10**12))), max_size=12
)
"""Agent → (events, busy_us); its name is also that of a task which it finishes."""


@given(slots_of_agents, st.integers(1, 5))
def test_sums_of_a_moving_window_are_those_of_its_slots(contents: list[dict[str, tuple[int, int]]], width: int) -> None:
    slots = []
    for number, content in enumerate(contents):
        slot = Slot(number)
        slot.agents.update({name: AgentSums(events=events, busy_us=busy) for name, (events, busy) in content.items()})
        slot.finished.update(dict.fromkeys(content))
        slots.append(slot)
    totals = Totals()
    for end in range(len(slots) + 1):
        window = slots[max(0, end - width) : end]
        totals.follow(window)
        found = totals.agents
        events, busy = Counter[str](), Counter[str]()
        for slot in window:
            for name, sums in slot.agents.items():
                events[name] += sums.events
                busy[name] += sums.busy_us
        assert {name: sums.events for name, sums in found.items() if sums.events} == dict(+events)
        assert {name: sums.busy_us for name, sums in found.items() if sums.busy_us} == dict(+busy)
        assert found.keys() <= {name for slot in window for name in slot.agents}
        assert totals.finished.keys() == {name for slot in window for name in slot.finished}
