"""Councils made by hand: who votes No how often, told to a detector round by round."""

from collections.abc import Iterable, Mapping

import numpy as np

from meta_orchestrator.core.analysis.antipatterns.persistent_dissent import PersistentDissent
from meta_orchestrator.core.collection.history import History
from meta_orchestrator.core.collection.remembered import Remembered
from meta_orchestrator.core.collection.rounds import Rounds
from meta_orchestrator.core.collection.slot import Slot
from meta_orchestrator.core.collection.window import Window
from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy
from tests.analysis.making import TICK_S, event, row, us

POLICY = Policy()
Ballot = Mapping[str, bool]
"""Voter → whether it votes No."""


def ballots(rates: Mapping[str, float], rounds: int, seed: int) -> list[Ballot]:
    """Rounds in which everybody says No by its own rate."""
    chances = np.random.default_rng(seed).random((rounds, len(rates)))
    return [{name: bool(chance < rates[name]) for name, chance in zip(rates, row, strict=True)} for row in chances]


class Chamber:
    """One round a tick, through the books and into the detector."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.detector = PersistentDissent(policy)
        self.rounds, self.ticks = Rounds(Remembered(1000)), 0
        self.history = History(policy.time.history_us)

    def hold(
        self, ballots: Iterable[Ballot], every_s: int = TICK_S, outcome: str = "accepted"
    ) -> list[tuple[int, Antipattern]]:
        """(number of the round, finding) of all rounds."""
        found = []
        for ballot in ballots:
            found += [(self.ticks // every_s, finding) for finding in self._sit(ballot, every_s, outcome)]
        return found

    def _sit(self, ballot: Ballot, every_s: int, outcome: str) -> list[Antipattern]:
        self.ticks += every_s
        tick_us, slot, name = us(self.ticks), Slot(us(self.ticks)), f"r{self.ticks}"
        for voter, against in ballot.items():
            choice = "reject" if against else "approve"
            self.rounds.vote(event(self.ticks - 2, "consensus.vote.cast", round=name, agent=voter, choice=choice), slot)
        closed = {"round": name, "item": name, "outcome": outcome, "latency_ms": 1, "attempt": 1}
        self.rounds.close(event(self.ticks - 1, "consensus.round.closed", **closed), slot)
        self.history.add(tick_us, row(votes=len(ballot), rounds_closed=1, rounds_decided=1))
        moment = Moment("p", tick_us, self.detector.policy, Ledger(), self.history)
        moment.window = Window([slot], tick_us, us(300))
        self.detector.look(moment)
        return self.detector.judge(tick_us)

    def idle(self, tick_us: int) -> list[Antipattern]:
        """A tick at which nothing has happened."""
        self.detector.look(Moment("p", tick_us, self.detector.policy, Ledger(), self.history))
        return self.detector.judge(tick_us)
