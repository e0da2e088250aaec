"""persistent_dissent: an agent votes against the majority again and again, whatever is voted on."""

import math
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_AGENTS, Detector, cleared
from meta_orchestrator.core.analysis.antipatterns.shared.ballots import Ballots, Habit
from meta_orchestrator.core.analysis.antipatterns.shared.dissenters import (
    Floats,
    discoveries,
    p_among_peers,
    p_more_often,
    p_of_a_coin,
    p_within_rounds,
)
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import format_time_us
from meta_orchestrator.messages.outputs import Antipattern, Evidence
from meta_orchestrator.policy import Policy

LEAST_AGENTS = 3
"""Of two, nobody is against the majority."""
SURPRISE = 0.6
"""Share of `analysis.fdr` of one look for being against more often than the rounds explain: looks are many."""
OUTLIER = 0.4
"""Share of `analysis.fdr` for being unlike the peers; the rest is for the other way in, so that both together keep the
promise."""
COIN = 0.16
"""One standard error: P(Z <= -1). A rate that far below one half is better than a coin's."""
OFTEN = 0.25
"""Half of what a coin would: of few votes any rate may be a coin's, so more than this must be sure."""
GROWTH = 1 / 10
"""A look when this share of the votes is new: looks at nearly the same votes only add false alarms."""
FULL = 200
"""Votes of an agent from which a look may use its whole level; before, in proportion: there are many early looks, and
each sees little (linear alpha spending, Kim and DeMets 1987)."""
SUSPECTS = 50
SURE = math.log(20)
"""Odds at which a dissenter is believed to vote like the others again, 20 to 1, by its latest votes (Page 1954)."""


@dataclass(frozen=True, slots=True)
class Dissenter:
    """One agent as it was found."""

    agent: str
    votes: int
    against: int
    expected: float
    p_value: float
    p_outlier: float | None
    """None where it was not needed: a coin's rate says enough."""
    since_us: int

    @property
    def rate(self) -> float:
        return self.against / self.votes

    @property
    def excess(self) -> float:
        """Votes against beyond those of its peers in the same rounds, as a share of its votes."""
        return max(0.0, self.rate - self.expected / self.votes)


class PersistentDissent(Detector):
    """Agents whose votes are consistently against the majority of the votes, in decided rounds (CONTRACT §8.2).

    That is the outcome, but where a threshold above one half lets a few block the many: then it is the few who dissent.

    Two things must be so. (1) More votes against than a permutation of the votes among the voters of each round gives,
    at `SURPRISE` of `analysis.fdr` over all agents (Benjamini-Hochberg); rounds about one item count as one. (2) It
    matters: either the agent is against the majority about as often as a coin would be (not a standard error below one
    half, and surely in more than `OFTEN` of its votes), or it is an outlier among the rates of its peers (posterior
    predictive); these two share `analysis.fdr`. The first alone flags somebody in half of all healthy teams, since
    people differ.

    Looked at whenever a tenth of the votes is new, over half a day to a day of votes, longer where votes are rare;
    an agent of whom fewer than `FULL` votes are known is tested at as much less of the level, and two looks in a row
    must agree. False alarms, all looks together: where everybody votes alike, anybody is found in at most
    `analysis.fdr` of the teams in a day; where rates differ (beta around .15, spread 15 to 10,000) in .05 of teams of
    twelve in 150 rounds, .13 in 400: agents who are against so often by nature. Of those found beside true dissenters
    .01 to .06 are found wrongly, in teams of 12 to 150. Cleared when the latest votes say, 20 to 1, that all of them
    vote like the others again, or when they have not voted for `time.history_s`.
    Severity: by how much more of the worst one's votes are against than those of others in the same rounds.
    """

    kind = "persistent_dissent"

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self.ballots = Ballots(policy.time.history_us)
        self._found: dict[str, Dissenter] = {}
        self._doubt: dict[str, float] = {}
        """Of those found: nats that their latest votes speak against it, at most 0 (CUSUM)."""
        self._suspected: list[str] = []
        """At the last look: called if the next one agrees."""
        self._next_votes = policy.analysis.min_events * LEAST_AGENTS

    def look(self, moment: Moment) -> None:
        self.ballots.read(moment)
        for name in self._found:
            if name in self.ballots.latest:
                self._doubt[name] = min(0.0, self._doubt[name] + self._odds(name))

    def judge(self, tick_us: int) -> list[Antipattern]:
        if not self.ballots.latest:
            return self._over() if self._found and tick_us >= (self.next_look_us or 0) else []
        return self._settle(tick_us, self._judge() if self.ballots.heard >= self._next_votes else [])

    @property
    def next_look_us(self) -> int | None:
        """Those who have not voted for long are not found any more."""
        return self.ballots.last_us + self.policy.time.history_us if self._found else None

    def _judge(self) -> list[Dissenter]:
        """The look at all agents that have voted enough."""
        known = {name: habit for name, habit in self.ballots.all().items() if habit.votes > 0}
        total = sum(habit.votes for habit in known.values())
        least = self.policy.analysis.min_events
        self._next_votes = self.ballots.heard + max(least * LEAST_AGENTS, round(total * GROWTH))
        enough = {name: known[name] for name in sorted(known) if known[name].votes >= least}
        found = self._test(enough) if len(enough) >= LEAST_AGENTS else []
        before, self._suspected = self._suspected, [dissenter.agent for dissenter in found]
        return [dissenter for dissenter in found if dissenter.agent in before]

    def _test(self, habits: dict[str, Habit]) -> list[Dissenter]:
        sums = np.array([habit.numbers for habit in habits.values()], np.float64) / self.ballots.rounds_an_item
        votes, against, expected, variance = sums.T
        p_values = p_within_rounds(against, expected, variance)
        fdr = self.policy.analysis.fdr
        called = discoveries(p_values / np.minimum(1, votes / FULL), SURPRISE * fdr)
        if not called.any():
            return []
        suspects = np.flatnonzero(called)
        suspects = suspects[np.argsort(p_values[suspects], kind="stable")][:SUSPECTS]
        outliers = np.ones(len(votes))
        outliers[suspects] = p_among_peers(against, votes, suspects)
        unlike = discoveries(outliers, OUTLIER * fdr)
        often = discoveries(p_more_often(against, votes, OFTEN), (1 - OUTLIER) * fdr)
        bad = called & (unlike | (often & (p_of_a_coin(against, votes) >= COIN)))
        return self._named(habits, bad, p_values, outliers)

    def _named(self, habits: dict[str, Habit], bad: NDArray[np.bool_], p: Floats, outlier: Floats) -> list[Dissenter]:
        found = [
            Dissenter(
                agent=name,
                votes=habit.votes,
                against=habit.against,
                expected=habit.expected,
                p_value=float(p[i]),
                p_outlier=float(outlier[i]),
                since_us=self.ballots.since_us(name, habit),
            )
            for i, (name, habit) in enumerate(habits.items())
            if bad[i]
        ]
        return sorted(found, key=lambda dissenter: (-dissenter.excess, dissenter.agent))[:NAMED_AGENTS]

    # ---- from found to cleared -----------------------------------------------------------------------------------

    def _settle(self, tick_us: int, found: list[Dissenter]) -> list[Antipattern]:
        """Said when somebody new is found; taken back when all of them have changed their ways."""
        for name in [name for name in self._found if self._reformed(name)]:
            del self._found[name]
            self.ballots.forget(name)
        new = {dissenter.agent: dissenter for dissenter in found if dissenter.agent not in self._found}
        self._found |= new
        self._doubt = {name: self._doubt.get(name, 0.0) for name in self._found}
        if new:
            self.ballots.turn(tick_us)
        if not self._found:
            return self._over()
        self.active = self._finding()
        return [self.active] if new else []

    def _over(self) -> list[Antipattern]:
        """Nobody is found any more."""
        if not self.active:
            return []
        over, self.active, self._found, self._doubt = cleared(self.active), None, {}, {}
        return [over]

    def _reformed(self, agent: str) -> bool:
        """Do its latest votes speak for the rate of the others, against its own? Or are there none for long?"""
        return self._doubt[agent] < -SURE or not self.ballots.knows(agent)

    def _odds(self, agent: str) -> float:
        """Nats by which its votes of this tick speak for its own rate, against that of the others."""
        votes, against, expected, _ = self.ballots.latest[agent].numbers
        usual = min(max(expected / votes, 0.01), 0.98)
        own = min(usual + self._found[agent].excess / 2, 0.99)  # half: who stands out most is overrated
        return against * math.log(own / usual) + (votes - against) * math.log((1 - own) / (1 - usual))

    def _finding(self) -> Antipattern:
        found = sorted(self._found.values(), key=lambda dissenter: (-dissenter.excess, dissenter.agent))
        return Antipattern(
            kind=self.kind,
            agents=[dissenter.agent for dissenter in found][:NAMED_AGENTS],
            since=format_time_us(min(dissenter.since_us for dissenter in found)),
            severity=found[0].excess,
            evidence=self._evidence(found),
        )

    def _evidence(self, found: list[Dissenter]) -> Evidence:
        worst = found[0]
        return {
            "against": ", ".join(f"{one.agent}: {one.against} of {one.votes}" for one in found[:NAMED_AGENTS]),
            "rate": worst.rate,
            "expected_rate": worst.expected / worst.votes,
            "p_value": worst.p_value,
            "p_outlier": worst.p_outlier,
            "fdr": self.policy.analysis.fdr,
        }

    def dump(self) -> dict[str, Any]:
        return super().dump() | {
            "ballots": self.ballots.dump(),
            "found": [list(astuple(dissenter)) for dissenter in self._found.values()],
            "doubt": self._doubt,
            "suspected": self._suspected,
            "next_votes": self._next_votes,
        }

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        self.ballots.load(dumped["ballots"])
        self._doubt = dict(dumped["doubt"])
        self._found = {packed[0]: Dissenter(*packed) for packed in dumped["found"]}
        self._suspected, self._next_votes = dumped["suspected"], dumped["next_votes"]
