"""The life of a change: plan → code → review → vote → test → production, and back where something is found."""

from collections.abc import Generator
from typing import Any

import simpy

from meta_orchestrator.simulation.agents import Agent, Pool
from meta_orchestrator.simulation.council import Council
from meta_orchestrator.simulation.handoffs import Handoffs
from meta_orchestrator.simulation.operators import Operators
from meta_orchestrator.simulation.quality import Objections, Quality
from meta_orchestrator.simulation.tangles import Tangles
from meta_orchestrator.simulation.truth import Meter
from meta_orchestrator.simulation.work import Abandoned, Task, new_fix
from meta_orchestrator.simulation.world import Steps, World


class Flow:
    """Leads each change through the team. `open` measures how many are in it (Little's law can be checked on it)."""

    def __init__(self, world: World, pools: dict[str, Pool], council: Council, operators: Operators) -> None:
        self.world, self.council, self.operators = world, council, operators
        self.planners, self.coders, self.testers = pools["planner"], pools["coder"], pools["tester"]
        self.handoffs = Handoffs(world, operators)
        self.quality = Quality(world, self.handoffs, pools["reviewer"])
        self.tangles = Tangles(world, operators)
        self.open = Meter()

    def ask(self, task: Task) -> None:
        """Somebody wants a change; a team with a full backlog promises no more."""
        if self.planners.waiting >= self.world.conditions.backlog:
            self.world.truth.count("turned_away")
        else:
            self.take_in(task)

    def take_in(self, task: Task) -> None:
        self.world.truth.count("arrived")
        self.open.move(+1, self.world.now)
        self.world.env.process(self._life(task))

    def _life(self, task: Task) -> Steps:
        coder = yield from self._plan(task)
        yield from self._code(task, coder)
        try:
            tester = yield from self._refine(task, coder)
        except Abandoned:
            self._finish(task, coder, "abandoned")
            self.coders.leave(task, coder)
            return
        self._finish(task, tester, "succeeded")
        self.testers.leave(task, tester)
        for defect in task.defects:
            self.world.env.process(self._escape(task, defect, tester))

    def _plan(self, task: Task) -> Generator[simpy.Event, Any, Agent]:
        """From the backlog over a planner's desk to a coder's."""
        planner: Agent = yield self.planners.claim(task)
        self._start(task, planner)
        conditions = self.world.conditions
        effort_s = self.world.chance.lognormal(conditions.plan_s * task.size, conditions.work_cv, "plan", task.id)
        yield from planner.work(effort_s / planner.member.speed, task.id, "plan")
        coder = yield from self.handoffs.move(task, planner, self.coders)
        self.planners.leave(task, planner)
        self._start(task, coder)
        return coder

    def _code(self, task: Task, coder: Agent) -> Steps:
        """In one go, or half-way it turns out what else has to be there first."""
        effort_s = task.effort_s * coder.factor(task.skill)
        if self.tangles.begin(task, coder):
            effort_s /= 2
            yield from coder.work(effort_s, task.id, "code")
            yield from self.tangles.wait(task)
        yield from coder.work(effort_s, task.id, "code")
        self.tangles.end(task)

    def _refine(self, task: Task, coder: Agent) -> Generator[simpy.Event, Any, Agent]:
        """Through all gates, as often as needed; the tester who let it pass."""
        while True:
            yield from self._agree(task, coder)
            tester = yield from self.handoffs.move(task, coder, self.testers)
            self.coders.leave(task, coder)
            self._start(task, tester)
            objections = yield from self.quality.test(task, tester)
            if objections is None:
                return tester
            yield from self.handoffs.give_back(task, tester, coder, self.coders)
            self.testers.leave(task, tester)
            self._start(task, coder)
            yield from self._rework(task, coder, tester.name, objections)

    def _agree(self, task: Task, coder: Agent) -> Steps:
        """Review and vote, until neither objects."""
        while not task.waived:
            by, objections = "reviewers", (yield from self.quality.review(task, coder))
            if objections is None:
                by, objections = "council", (yield from self._vote(task, coder))
            if objections is None:
                return
            yield from self._rework(task, coder, by, objections)

    def _vote(self, task: Task, coder: Agent) -> Generator[simpy.Event, Any, Objections]:
        """Once accepted is accepted; a No sends the change back with what was seen in the debate."""
        world = self.world
        voted = task.accepted or not self.council.members
        if voted or not world.configuration.is_voted_on(task.criticality, task.risk):
            return None
        with world.blocked(task.id, coder.name, [voter.name for voter in self.council.voters(coder)]):
            answer = yield from self.council.decide(task, coder)
            if answer == "undecided":
                yield from self.operators.intervene("override", "no_agreement", task.id)
        task.accepted = answer != "rejected"
        return None if task.accepted else self._seen_in_debate(task)

    def _seen_in_debate(self, task: Task) -> list[int]:
        chance, share = self.world.chance, self.world.conditions.debate
        return [d for d in task.defects if chance.happens(share, "debate", task.id, task.reworks, d)]

    def _rework(self, task: Task, coder: Agent, requested_by: str, found: list[int]) -> Steps:
        """Do it again, unless it was done again too often: then a person decides."""
        world, conditions = self.world, self.world.conditions
        task.reworks += 1
        data = {"task": task.id, "agent": coder.name, "requested_by": requested_by, "attempt": task.reworks}
        world.publish("agent.rework.requested", data, requested_by)
        world.truth.count("reworks")
        if task.reworks > world.configuration.max_rework:
            yield from self._escalate(task)
            return
        effort_s = task.effort_s * conditions.rework_share * coder.factor(task.skill)
        yield from coder.work(effort_s, task.id, "rework")
        task.defects = [defect for defect in task.defects if defect not in found]
        is_muddled = world.chance.happens(conditions.muddled, "muddled", task.id)
        share = conditions.muddle if is_muddled else conditions.new_defect
        if world.chance.happens(share, "new_defect", task.id, task.reworks):
            task.defects.append(task.next_defect)
            task.next_defect += 1

    def _escalate(self, task: Task) -> Steps:
        yield from self.operators.intervene("override", "rework_exceeded", task.id)
        if self.world.chance.happens(self.world.conditions.abandons, "abandons", task.id):
            raise Abandoned
        task.waived = True

    def _start(self, task: Task, agent: Agent) -> None:
        task.started = self.world.now if task.started is None else task.started
        data = {"task": task.id, "agent": agent.name, "criticality": task.criticality, "points": task.points}
        data |= {"required_skills": [task.skill]} | ({"item": task.item} if task.item else {})
        self.world.publish("agent.task.started", data, agent.name)

    def _finish(self, task: Task, agent: Agent, outcome: str) -> None:
        world = self.world
        self.open.move(-1, world.now)
        world.truth.count("lead_s", world.now - task.born)
        world.truth.count("left")
        world.truth.count("abandoned" if outcome == "abandoned" else "finished")
        world.truth.count("points", 0 if outcome == "abandoned" else task.points)
        duration_ms = world.since_ms(world.now if task.started is None else task.started)
        data = {"task": task.id, "agent": agent.name, "outcome": outcome, "duration_ms": duration_ms}
        world.publish("agent.task.finished", data | {"points": task.points}, agent.name)

    def _escape(self, task: Task, defect: int, tester: Agent) -> Steps:
        """A defect that went into production shows itself later, and its fix is work for the team."""
        world = self.world
        delay_s = world.conditions.regression_delay_s
        yield world.pause(world.chance.exponential(delay_s, "regression", task.id, defect))
        self.quality.report_regression(task, tester)
        self.take_in(new_fix(task, defect, world.now, world.conditions))
