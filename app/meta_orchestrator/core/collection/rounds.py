"""Rounds that are voted on: the last vote of each agent before the first close counts (CONTRACT §4.4, §8.2)."""

from dataclasses import dataclass, field

from meta_orchestrator.core.collection.book import Book
from meta_orchestrator.core.collection.remembered import Remembered
from meta_orchestrator.core.collection.slot import Slot
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import DAY_US, SMALL

MILLION = 1_000_000
_SIDE = {"accepted": "approve", "rejected": "reject"}


@dataclass(slots=True)
class Round:
    seen_us: int
    criticality: str | None = None
    votes: dict[str, str] = field(default_factory=dict)

    def is_forgotten(self, now_us: int) -> bool:
        return now_us - self.seen_us > DAY_US


class Rounds(Book[Round]):
    """Rounds not yet closed; forgotten 24 h after their last event."""

    def __init__(self, ended: Remembered) -> None:
        super().__init__(Round)
        self.ended = ended

    def open(self, event: Event, slot: Slot) -> None:
        found = self._named(event)
        if found is not None:
            found.criticality = event[4]["criticality"]

    def vote(self, event: Event, slot: Slot) -> None:
        found = self._named(event)
        if found is not None:
            found.votes[event[4]["agent"]] = event[4]["choice"]

    def close(self, event: Event, slot: Slot) -> None:
        """The first close of a round; later ones are ignored for 24 h."""
        data = event[4]
        found = self._named(event)
        if found is None:
            return
        self.drop(data["round"])
        self.ended.add(data["round"], event[0])
        slot.latencies_ms.append(data["latency_ms"])
        slot.rounds_repeated += data["attempt"] > 1
        slot.rounds_needless += found.criticality in SMALL and data["outcome"] == "accepted"
        side = _SIDE.get(data["outcome"])
        if side is not None:
            slot.rounds_decided += 1
            _count_votes(found.votes, side, slot)

    def forget(self, now_us: int) -> None:
        for name, found in list(self.items()):
            if found.is_forgotten(now_us):
                self.drop(name)

    def _named(self, event: Event) -> Round | None:
        """The round of an event, None if it has been closed."""
        name = event[4]["round"]
        if self.ended.knows(name, event[0]):
            return None
        found = self.get(name)
        if found is None or found.is_forgotten(event[0]):
            found = self[name] = Round(event[0])
        found.seen_us = event[0]
        self.changed.add(name)
        return found


def _count_votes(votes: dict[str, str], side: str, slot: Slot) -> None:
    """Against the outcome, as CONTRACT §4.4 has it; and against the majority of the votes, which is another one where a
    threshold above one half lets a few block the many. Beside it what a permutation of the votes would expect.
    """
    sided = [(slot.agents[agent], choice) for agent, choice in votes.items() if choice != "abstain"]
    approving = sum(choice == "approve" for _, choice in sided)
    lesser = min(approving, len(sided) - approving)
    minority = "approve" if 2 * approving < len(sided) else "reject"
    share = lesser / len(sided) if sided else 0.0
    expected, variance = round(MILLION * share), round(MILLION * share * (1 - share))
    for sums, choice in sided:
        sums.votes += 1
        sums.votes_against += choice != side
        if 2 * lesser < len(sided):
            sums.sided += 1
            sums.minority += choice == minority
            sums.minority_expected += expected
            sums.minority_variance += variance
