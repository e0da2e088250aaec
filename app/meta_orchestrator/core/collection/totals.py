"""The sums of each agent over the window, kept as slots come and go: to add all of them up at each tick would cost an
idle agent as much as a busy one, slot by slot.
"""

from collections import defaultdict

from meta_orchestrator.core.collection.slot import AgentSums, Slot


class Totals:
    """`of` gives the sums of some slots, at the price of those that are new or gone since it was asked last.

    All sums are whole numbers, so what was added is taken off exactly. A closed slot does not change any more.
    """

    def __init__(self) -> None:
        self._agents: defaultdict[str, AgentSums] = defaultdict(AgentSums)
        self._slots: list[Slot] = []

    def of(self, slots: list[Slot]) -> defaultdict[str, AgentSums]:
        """Agent → its sums over these slots; to be read only, and until the next call."""
        before, now = ({id(slot) for slot in some} for some in (self._slots, slots))
        for slot in self._slots:
            if id(slot) not in now:
                self._take_off(slot)
        for slot in slots:
            if id(slot) not in before:
                for name, sums in slot.agents.items():
                    self._agents[name].add(sums)
        self._slots = list(slots)
        return self._agents

    def _take_off(self, slot: Slot) -> None:
        for name, sums in slot.agents.items():
            total = self._agents[name]
            total.subtract(sums)
            if total == _NOTHING:
                del self._agents[name]


_NOTHING = AgentSums()
