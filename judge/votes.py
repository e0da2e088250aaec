"""persistent_dissent on real votes and on made-up councils: who is named, and how often somebody who should not be.

A row of the data is a round, a column a voter; the outcome is what the majority said (a tie is `no_quorum`). By the
product's own path: events → replay → insights.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from judge.data import data
from judge.row import Row
from meta_orchestrator.core.analysis.antipatterns.persistent_dissent import PersistentDissent
from meta_orchestrator.core.analysis.antipatterns.shared.dissenters import discoveries, p_among_peers
from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.policy import Policy

SETS = {"Supreme Court 2000": "SupremeCourt.csv", "House 1984": "HouseVotes84.csv"}
NO_VOTES = ("rownames", "Class")
YES, NO = ("y", "1", "1.0"), ("n", "0", "0.0")
EVERY_S = 30
START_US = 1_767_600_000 * SECOND
PERMUTATIONS = 4_000
SHUFFLED = 20
COUNCILS = 150
FIXED = 0.4
ONE_LOOK = "one look at the end"

Ballot = Mapping[str, bool]
"""Voter → yes or no; who did not vote is left out."""
Bools = NDArray[np.bool_]


def rows() -> list[Row]:
    return [row for name, file in SETS.items() for row in _real(name, read(file))] + _made_up()


# ---- real votes ------------------------------------------------------------------------------------------------------


def read(file: str) -> list[Ballot]:
    """The rounds of a set."""
    with data("votes", file).open() as lines:
        table = [{voter: said for voter, said in row.items() if voter not in NO_VOTES} for row in csv.DictReader(lines)]
    return [{voter: said in YES for voter, said in row.items() if said in YES + NO} for row in table]


def _real(name: str, ballots: list[Ballot]) -> list[Row]:
    found = named(ballots)
    against, voted = matrix(ballots)
    voters = sorted({voter for ballot in ballots for voter in ballot})
    p = p_by_permutation(against, voted)
    supported = {voters[k] for k in np.flatnonzero(discoveries(p, Policy().analysis.fdr))}
    first = int(p.argmin())
    random = np.random.default_rng(0)
    shuffled = [bool(named(_shuffled(ballots, random))) for _ in range(SHUFFLED)]
    rates = against.sum(0) / voted.sum(0)
    trivial = {
        "z > 2": _names(voters, (rates - rates.mean()) / rates.std() > 2),
        f"fixed {FIXED:.0%}": _names(voters, rates > FIXED),
        "never": "nobody",
    }
    note = f"most against: {voters[first]}, {rates[first]:.0%}, p = {p[first]:.4f} by permutation within rounds"
    beyond = len(set(found) - supported)
    return [
        Row(name, "named", ", ".join(found) or "nobody", trivial, ", ".join(sorted(supported)) or "nobody", note),
        Row(name, "named beyond the permutation test at 5 % FDR", beyond, mark=0),
        Row(name, f"anybody named, votes shuffled within rounds ({SHUFFLED})", sum(shuffled) / SHUFFLED, mark="≤ .05"),
    ]


def matrix(ballots: list[Ballot]) -> tuple[Bools, Bools]:
    """(against the outcome, voted) of decided rounds: shape (rounds, voters), voters by name."""
    voters = sorted({voter for ballot in ballots for voter in ballot})
    decided = [(ballot, outcome(ballot) == "accepted") for ballot in ballots if outcome(ballot) != "no_quorum"]
    voted = np.array([[voter in ballot for voter in voters] for ballot, _ in decided])
    against = np.array([[ballot.get(voter, side) != side for voter in voters] for ballot, side in decided])
    return against, voted


def p_by_permutation(against: Bools, voted: Bools) -> NDArray[np.float64]:
    """P(so many votes against or more) of each voter if the votes of each round are dealt anew among its voters."""
    random = np.random.default_rng(0)
    place = np.where(voted, 0.0, 2.0)
    dissents = against.sum(1)
    most = against.sum(0)
    reached = np.zeros(against.shape[1])
    for _ in range(PERMUTATIONS):
        ranks = (place + random.random(place.shape)).argsort(1).argsort(1)
        reached += (ranks < dissents[:, None]).sum(0) >= most
    return (1 + reached) / (1 + PERMUTATIONS)


def _shuffled(ballots: list[Ballot], random: np.random.Generator) -> list[Ballot]:
    """The same choices, dealt anew among the voters of each round."""
    return [dict(zip(ballot, random.permutation(list(ballot.values())).tolist(), strict=True)) for ballot in ballots]


def outcome(ballot: Ballot) -> str:
    yes = sum(ballot.values())
    return "no_quorum" if 2 * yes == len(ballot) else "accepted" if 2 * yes > len(ballot) else "rejected"


def _names(voters: list[str], which: Iterable[bool]) -> str:
    return ", ".join(voter for voter, chosen in zip(voters, which, strict=True) if chosen) or "nobody"


# ---- through the product ---------------------------------------------------------------------------------------------


def named(ballots: list[Ballot]) -> list[str]:
    """All who are ever called a persistent dissenter, by name."""
    found = [one for one in insights(list(lines(ballots))) if one["kind"] == PersistentDissent.kind]
    return sorted({agent for one in found for agent in one["agents"]})


def insights(journal: list[bytes]) -> list[dict[str, Any]]:
    """The antipatterns that are detected, in order."""
    out: list[bytes] = []
    replay = Replay(Policy(), out.append)
    replay.run(journal)
    if replay.bad:
        raise AssertionError(f"bad records: {replay.bad}")
    return [orjson.loads(line)["data"] for line in out if b'"antipattern.detected"' in line]


def lines(ballots: list[Ballot]) -> Iterable[bytes]:
    """A journal of the rounds, one after the other."""
    for n, ballot in enumerate(ballots):
        yield from _round(n, ballot)
    yield _line("end", "clock.tick", (len(ballots) + 2) * EVERY_S, {})


def _round(n: int, ballot: Ballot) -> Iterable[bytes]:
    name, at_s = f"r{n}", n * EVERY_S
    about = {"round": name, "item": name, "attempt": 1}
    opened = about | {"criticality": "normal", "eligible": list(ballot), "threshold": 0.5}
    yield _line(name, "consensus.round.opened", at_s, opened)
    for voter, yes in ballot.items():
        vote = {"round": name, "agent": voter, "choice": "approve" if yes else "reject"}
        yield _line(f"{name} {voter}", "consensus.vote.cast", at_s + 1, vote)
    closed = about | {"outcome": outcome(ballot), "latency_ms": 2000}
    yield _line(f"{name} end", "consensus.round.closed", at_s + 2, closed)


def _line(id_: str, kind: str, at_s: int, about: dict[str, object]) -> bytes:
    time = format_time_us(START_US + at_s * SECOND)
    envelope = {"specversion": "1.0", "id": id_, "source": "judge", "type": kind, "time": time, "project": "votes"}
    return orjson.dumps(envelope | {"data": about})


# ---- made-up councils ------------------------------------------------------------------------------------------------


def _made_up() -> list[Row]:
    """Twelve agents, rates beta around .15 (spread 15, 40, 10,000), two of them .30 higher.

    The product looks again and again and says what it finds at once, with anybody named in at most 5 % of the quiet
    teams; the marks are those of one look at the end that names somebody in 7 %, and of 150 councils (± .04). The
    method that they were measured with stands beside ours, on the same councils.
    """
    quiet, bad = [_council(seed, 0) for seed in range(COUNCILS)], [_council(seed, 2) for seed in range(COUNCILS)]
    rules = list(bad[0])
    hits, false, anybody = (dict.fromkeys(rules, 0.0) for _ in range(3))
    for rule in rules:
        hits[rule] = float(np.mean([len(one[rule] & {"a", "b"}) / 2 for one in bad]))
        false[rule] = float(np.mean([len(one[rule] - {"a", "b"}) / max(1, len(one[rule])) for one in bad]))
        anybody[rule] = float(np.mean([bool(one[rule]) for one in quiet]))
    marks = {"power": (hits, "≥ .59"), "wrongly named (FDP)": (false, "≤ .05"), "anybody, none bad": (anybody, "≤ .07")}
    return [
        Row("12 agents, 2 planted", what, table.pop("ours"), dict(table), mark, f"{COUNCILS} councils of 150 rounds")
        for what, (table, mark) in marks.items()
    ]


def _council(seed: int, bad: int) -> dict[str, set[str]]:
    """Rule → whom it names in one council."""
    random = np.random.default_rng(seed)
    spread, voters = (15.0, 40.0, 1e4)[seed % 3], list("abcdefghijkl")
    rates = random.beta(0.15 * spread, 0.85 * spread, len(voters))
    rates[:bad] += 0.3
    turnout = random.uniform(20 / 150, 1, len(voters))
    ballots = [_ballot(voters, rates, turnout, random) for _ in range(150)]
    found = {"ours": set(named(ballots))}
    votes = Counter(voter for ballot in ballots for voter in ballot)
    against = Counter(voter for ballot in ballots for voter, side in ballot.items() if not side)
    shares = np.array([against[voter] / max(1, votes[voter]) for voter in voters])
    found["z > 2"] = {voters[k] for k in np.flatnonzero((shares - shares.mean()) / shares.std() > 2)}
    found[f"fixed {FIXED:.0%}"] = {voters[k] for k in np.flatnonzero(shares > FIXED)}
    found[ONE_LOOK] = {voters[k] for k in np.flatnonzero(_one_look(votes, against, voters))}
    return found


def _one_look(votes: Mapping[str, int], against: Mapping[str, int], voters: list[str]) -> Bools:
    """What the mark was measured with: who is unlike the peers by the final counts, at 5 % FDR."""
    counts = np.array([[against[voter], votes[voter]] for voter in voters], np.float64)
    return discoveries(p_among_peers(counts[:, 0], counts[:, 1], np.arange(len(voters))), Policy().analysis.fdr)


def _ballot(
    voters: list[str], rates: NDArray[np.float64], turnout: NDArray[np.float64], random: np.random.Generator
) -> Ballot:
    """A round about something sound: who is against says no; it is accepted, as hardly ever a majority is against."""
    there, against = random.random(len(voters)) < turnout, random.random(len(voters)) < rates
    ballot = {voter: not no for voter, here, no in zip(voters, there, against, strict=True) if here}
    return ballot if outcome(ballot) == "accepted" else dict.fromkeys(ballot, True)
