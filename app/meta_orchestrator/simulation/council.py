"""Votes on changes: rounds until there is a clear answer, or no round is left."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import simpy

from meta_orchestrator.simulation.agents import VOTE, Agent
from meta_orchestrator.simulation.work import Task
from meta_orchestrator.simulation.world import Steps, World

Answer: TypeAlias = Literal["accepted", "rejected", "undecided"]


@dataclass(eq=False)
class Ballot:
    """One round about one change."""

    id: str
    task: Task
    attempt: int
    threshold: float
    votes: dict[str, str] = field(default_factory=dict)
    objected: bool = False  # somebody pointed at a defect

    def share(self) -> float | None:
        """Of the approvals among those who took a side; None where nobody did."""
        sides = [choice for choice in self.votes.values() if choice != "abstain"]
        return sides.count("approve") / len(sides) if sides else None


class Council:
    """Everybody with a vote. Votes cost attention, and each interrupts other work."""

    def __init__(self, world: World, members: list[Agent]) -> None:
        self.world, self.members = world, members
        self._batch: list[tuple[Task, simpy.Event]] = []

    def voters(self, author: Agent | None) -> list[Agent]:
        """Everybody who is there, but not about one's own change."""
        return [agent for agent in self.members if agent.present and agent is not author]

    def decide(self, task: Task, author: Agent) -> Generator[simpy.Event, Any, Answer]:
        """The answer to a change, after as many rounds as it takes and is allowed."""
        answer: Answer = yield from self._first_round(task, author)
        attempt = 1
        while answer == "undecided" and attempt < self.world.configuration.max_rounds:
            attempt += 1
            yield self.world.pause(self.world.conditions.discuss_s)
            [answer] = yield from self._sitting([task], attempt, author)
        return answer

    def _first_round(self, task: Task, author: Agent) -> Generator[simpy.Event, Any, Answer]:
        answer: Answer
        batch_s = self.world.configuration.batch_s
        if batch_s is None:
            [answer] = yield from self._sitting([task], 1, author)
            return answer
        answered = self.world.env.event()
        self._batch.append((task, answered))
        if len(self._batch) == 1:
            self.world.env.process(self._next_batch(batch_s))
        answer = yield answered
        return answer

    def _next_batch(self, batch_s: float) -> Steps:
        """What was collected until the next full `batch_s` is voted on together."""
        yield self.world.pause(batch_s - self.world.now % batch_s)
        batch, self._batch = self._batch, []
        answers = yield from self._sitting([task for task, _ in batch], 1, None)
        for (_, answered), answer in zip(batch, answers, strict=True):
            answered.succeed(answer)

    def _sitting(
        self, tasks: list[Task], attempt: int, author: Agent | None
    ) -> Generator[simpy.Event, Any, list[Answer]]:
        """One round about each of the tasks; every voter looks at all of them in one go."""
        world, start = self.world, self.world.now
        voters = self.voters(author)
        ballots = [self._open(task, attempt, voters) for task in tasks]
        voting = [world.env.process(self._vote(agent, ballots)) for agent in voters]
        yield world.env.all_of(voting) | world.pause(world.conditions.vote_deadline_s)
        for process in voting:
            if process.is_alive:
                process.interrupt()
        return [self._close(ballot, len(voters), start) for ballot in ballots]

    def _open(self, task: Task, attempt: int, voters: list[Agent]) -> Ballot:
        task.rounds += 1
        threshold = self.world.configuration.thresholds[task.criticality]
        ballot = Ballot(f"{task.id}.r{task.rounds}", task, attempt, threshold)
        data = {
            "round": ballot.id,
            "item": task.id,
            "criticality": task.criticality,
            "eligible": [agent.name for agent in voters],
            "threshold": threshold,
            "attempt": attempt,
            "risk": task.risk,
        }
        self.world.publish("consensus.round.opened", data, "council")
        return ballot

    def _vote(self, agent: Agent, ballots: list[Ballot]) -> Steps:
        conditions = self.world.conditions
        effort_s = conditions.vote_s * (1 + conditions.batch_share * (len(ballots) - 1))
        ponder_s = self.world.chance.lognormal(conditions.ponder_s, 1.0, "ponder", ballots[0].id, agent.name)
        try:
            yield self.world.pause(ponder_s)
            yield from agent.work(effort_s, ballots[0].id, "vote", VOTE)
        except simpy.Interrupt:  # the deadline has passed
            return
        for ballot in ballots:
            choice = ballot.votes[agent.name] = self._choice(agent.name, ballot)
            data = {"round": ballot.id, "agent": agent.name, "choice": choice}
            self.world.publish("consensus.vote.cast", data, agent.name)

    def _choice(self, voter: str, ballot: Ballot) -> str:
        """Against what has a visible defect, and sometimes against what is sound."""
        conditions, chance, task = self.world.conditions, self.world.chance, ballot.task
        names = (task.id, task.reworks, voter)
        if chance.happens(conditions.abstain, "abstain", *names, ballot.attempt):
            return "abstain"
        if chance.happens(1 - (1 - conditions.insight) ** len(task.defects), "insight", *names, ballot.attempt):
            ballot.objected = True
            return "reject"
        doubt = conditions.doubt[task.criticality] * conditions.persuaded ** (ballot.attempt - 1)
        doubt = conditions.stubborn.get(voter, doubt)
        return "reject" if chance.happens(doubt, "doubt", *names, ballot.attempt) else "approve"

    def _close(self, ballot: Ballot, eligible: int, start: float) -> Answer:
        outcome, answer = self._count(ballot, eligible)
        final = answer != "undecided" or ballot.attempt >= self.world.configuration.max_rounds
        data = {
            "round": ballot.id,
            "item": ballot.task.id,
            "outcome": outcome,
            "latency_ms": self.world.since_ms(start),
            "attempt": ballot.attempt,
            "final": final,
        }
        self.world.truth.count("rounds")
        if outcome in ("no_quorum", "timed_out"):
            self.world.truth.count("rounds_undecided")
        self.world.publish("consensus.round.closed", data, "council")
        return answer

    def _count(self, ballot: Ballot, eligible: int) -> tuple[str, Answer]:
        """The outcome as CONTRACT §5 defines it. A No is clear when it would pass the threshold itself, and in the last
        round also when it has a reason; without one there is no agreement."""
        share = ballot.share()
        sides = sum(choice != "abstain" for choice in ballot.votes.values())
        if share is None or sides < self.world.conditions.quorum * eligible:
            return ("timed_out" if len(ballot.votes) < eligible else "no_quorum"), "undecided"
        if share >= ballot.threshold:
            return "accepted", "accepted"
        last = ballot.attempt >= self.world.configuration.max_rounds
        clear = 1 - share >= ballot.threshold or (last and ballot.objected)
        return "rejected", "rejected" if clear else "undecided"
