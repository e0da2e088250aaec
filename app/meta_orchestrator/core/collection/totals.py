"""What is summed up over the window, kept as slots come and go: to add all slots up at each tick would count what
happened once as often as there are ticks in a window, and cost an idle agent as much as a busy one.
"""

from collections import defaultdict

from meta_orchestrator.core.collection.slot import AgentSums, Slot


class Totals:
    """Of the slots that `follow` was told last, at the price of those that are new or gone since then.

    All sums are whole numbers, so what was added is taken off exactly. A closed slot does not change any more.
    """

    def __init__(self, slots: list[Slot] | None = None) -> None:
        self.agents: defaultdict[str, AgentSums] = defaultdict(AgentSums)
        """Agent → its sums."""
        self.finished: dict[str, int] = {}
        """Finished task → the end of the last slot in which it was."""
        self._slots: list[Slot] = []
        if slots is not None:
            self.follow(slots)

    def follow(self, slots: list[Slot]) -> None:
        """From now on these are the slots of the window, in the order of time."""
        before, now = ({id(slot) for slot in some} for some in (self._slots, slots))
        for slot in self._slots:
            if id(slot) not in now:
                self._take_off(slot)
        for slot in slots:
            if id(slot) not in before:
                self._add(slot)
        self._slots = list(slots)

    def _add(self, slot: Slot) -> None:
        self.finished.update(dict.fromkeys(slot.finished, slot.end_us))
        for name, sums in slot.agents.items():
            self.agents[name].add(sums)

    def _take_off(self, slot: Slot) -> None:
        finished, end_us = self.finished, slot.end_us
        for name in [name for name in slot.finished if finished[name] == end_us]:
            del finished[name]
        for name, sums in slot.agents.items():
            total = self.agents[name]
            total.subtract(sums)
            if not total.events and total == _NOTHING:
                del self.agents[name]


_NOTHING = AgentSums()
