"""Reviews, tests, and what slips through them."""

from collections.abc import Generator
from typing import Any, TypeAlias

import simpy

from meta_orchestrator.simulation.agents import REVIEW, Agent, Pool
from meta_orchestrator.simulation.handoffs import Handoffs
from meta_orchestrator.simulation.truth import HARM
from meta_orchestrator.simulation.work import Piece, Task
from meta_orchestrator.simulation.world import World

Objections: TypeAlias = list[int] | None
"""The defects that were found (none for a nitpick); None: nothing to object to."""
_ROUNDING = 1e-9


class Quality:
    def __init__(self, world: World, handoffs: Handoffs, reviewers: Pool) -> None:
        self.world, self.handoffs, self.reviewers = world, handoffs, reviewers

    def review(self, task: Task, author: Agent) -> Generator[simpy.Event, Any, Objections]:
        """All reviewers at once; the author waits for the last of them."""
        depth = min(self.world.configuration.review_depth, len(self.reviewers.present))
        if depth == 0:
            return None
        task.reviews += 1
        apart: set[str] = set()
        names = [f"{task.id}.v{task.reviews}.{i}" for i in range(1, depth + 1)]
        with self.world.blocked(task.id, author.name, [reviewer.name for reviewer in self.reviewers.present]):
            reviews = [self.world.env.process(self._review(task, author, Piece(name, apart=apart))) for name in names]
            yield self.world.env.all_of(reviews)
        objections = [review.value for review in reviews if review.value is not None]
        return sorted({defect for found in objections for defect in found}) if objections else None

    def _review(self, task: Task, author: Agent, step: Piece) -> Generator[simpy.Event, Any, Objections]:
        world = self.world
        reviewer = yield from self.handoffs.move(step, author, self.reviewers)
        start = world.now
        data = {"task": step.id, "agent": reviewer.name, "item": task.id, "points": 0}
        world.publish("agent.task.started", data, reviewer.name)
        mean_s, cv = world.conditions.review_s * task.size, world.conditions.work_cv
        effort_s = world.chance.lognormal(mean_s, cv, "review", step.id)
        yield from reviewer.work(effort_s / reviewer.member.speed, step.id, "review", REVIEW)
        objections = self._opinion(task, reviewer.name)
        data = {"task": task.id, "agent": reviewer.name, "check": "review", "passed": objections is None}
        world.publish("agent.quality.checked", data | {"regression": False}, reviewer.name)
        data = {"task": step.id, "agent": reviewer.name, "outcome": "succeeded", "points": 0}
        world.publish("agent.task.finished", data | {"duration_ms": world.since_ms(start)}, reviewer.name)
        self.reviewers.leave(step, reviewer)
        return objections

    def _opinion(self, task: Task, reviewer: str) -> Objections:
        conditions, chance = self.world.conditions, self.world.chance
        names = (task.id, task.reworks, reviewer)
        found = [d for d in task.defects if chance.happens(conditions.catch, "catch", *names, d)]
        nitpicks = chance.happens(conditions.nitpick, "nitpick", *names)
        return found if found or nitpicks else None

    def test(self, task: Task, tester: Agent) -> Generator[simpy.Event, Any, Objections]:
        """Run all checks. Too many that fail send the change back; what fails below that is let through."""
        conditions, chance = self.world.conditions, self.world.chance
        mean_s, cv = conditions.test_s * task.size, conditions.work_cv
        effort_s = chance.lognormal(mean_s, cv, "test", task.id, task.reworks)
        yield from tester.work(effort_s / tester.member.speed, task.id, "test")
        seen = [d for d in task.defects if chance.happens(conditions.check_catch, "seen", task.id, task.reworks, d)]
        passed = [self._check(task, tester.name, check, seen) for check in range(conditions.checks)]
        share = sum(passed) / len(passed)
        return None if task.waived or share >= self.world.configuration.min_pass_rate - _ROUNDING else seen

    def _check(self, task: Task, tester: str, check: int, seen: list[int]) -> bool:
        """A check fails for a defect of its own, or for nothing."""
        chance, checks = self.world.chance, self.world.conditions.checks
        flaky = chance.happens(self.world.conditions.flaky, "flaky", task.id, task.reworks, check)
        passed = not flaky and all(defect % checks != check for defect in seen)
        data = {"task": task.id, "agent": tester, "check": f"check-{check + 1}", "passed": passed, "regression": False}
        self.world.publish("agent.quality.checked", data, tester)
        return passed

    def report_regression(self, task: Task, tester: Agent) -> None:
        """A defect has shown itself in production."""
        self.world.truth.count("regressions")
        self.world.truth.count("harm", HARM[task.criticality])
        data = {"task": task.id, "agent": tester.name, "check": "production", "passed": False, "regression": True}
        self.world.publish("agent.quality.checked", data, tester.name)
