"""One agent that lies cannot move a change alone, however loud it is; many that say the same can."""

from random import Random

import numpy as np
import pytest

from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.loop import Loop
from meta_orchestrator.drivers.closed_loop import ClosedLoop
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.outputs import ConfigChange, Decision
from meta_orchestrator.policy import Policy
from meta_orchestrator.simulation.scenarios import SCENARIOS
from tests.core.making import at_us, event

AGENTS = [f"a{number}" for number in range(10)]
RULES = {
    "parameters": {"mode": "enforce"},
    "adaptation": {"chooser": "rules"},
    "pace": {"warm_up_s": 1200, "cooldown_s": 0},
    "time": {"tick_s": 60},
}
"""Change whatever looks wrong."""


class Team:
    """Ten agents that report honestly for themselves: each minute a task each and a handoff each, one in 25 fails."""

    def __init__(self, seed: int = 1) -> None:
        self.loop = Loop(Policy.model_validate(RULES), assume_orchestrator=True)
        self.chance, self.outputs, self.now_s = Random(seed), [], 0.0

    def run(self, minutes: int, lies=lambda team: ()) -> "Team":
        for _ in range(minutes):
            for agent in AGENTS:
                self._work(agent)
            for source, kind, data in lies(self):
                self.say(source, kind, **data)
            self.now_s += 60
            self.outputs += self.loop.decide(at_us(self.now_s))
        return self

    def say(self, source: str, kind: str, after_s: float | None = None, **data) -> None:
        at_s = self.now_s + (self.chance.uniform(1, 59) if after_s is None else after_s)
        self.loop.observe("p", event(at_s, kind, source=source, **data), at_us(0))

    def _work(self, agent: str) -> None:
        task, other = f"{agent}-{self.now_s}", self.chance.choice(AGENTS)
        self.say(agent, "agent.task.started", 1, task=task, agent=agent)
        self.say(agent, "agent.task.finished", 50, task=task, agent=agent, outcome="succeeded", duration_ms=49_000)
        self.hand(agent, agent, other, fails=self.chance.random() < 0.04)

    def hand(self, source: str, sender: str, receiver: str, fails: bool) -> None:
        data = {"handoff": f"h{self.chance.random()}", "task": "t", "from_agent": sender, "to_agent": receiver}
        kind, more = ("failed", {"cause": "timeout"}) if fails else ("completed", {"wait_ms": 10})
        self.say(source, f"agent.handoff.{kind}", **data, **more)

    def rate(self, part: str, whole: str, minutes: int = 60) -> float:
        rows = self.loop.projects["p"].history.between(at_us(self.now_s - 60 * minutes), at_us(self.now_s))
        return float(rows[:, INDEX[part]].sum() / rows[:, INDEX[whole]].sum())

    @property
    def changed(self) -> list[str]:
        said = [output.data for output in self.outputs if isinstance(output, CloudEvent)]
        return [data.changes[0].parameter for data in said if isinstance(data, ConfigChange)]


class Pipeline(Team):
    """Three of the ten see to it that work gets done in the end; now and then one of the others gives some up."""

    def _work(self, agent: str) -> None:
        chosen = AGENTS.index(agent)
        outcome = "succeeded" if chosen < 3 else "abandoned"
        for number in range(4 if chosen < 3 else self.chance.random() < 0.03):
            task, done = f"{agent}-{self.now_s}-{number}", {"agent": agent, "outcome": outcome}
            self.say(agent, "agent.task.finished", task=task, duration_ms=1000, **done)


def floods(team: Team):
    """A liar's failures, with others' names in them, five times as many as all true ones."""
    for _ in range(2):
        pair = {"from_agent": team.chance.choice(AGENTS), "to_agent": team.chance.choice(AGENTS)}
        data = {"handoff": f"l{team.chance.random()}", "task": "t", "cause": "timeout"} | pair
        yield "a0", "agent.handoff.failed", data


def everybody_fails(team: Team):
    for _ in range(2):
        agent = team.chance.choice(AGENTS)
        data = {"handoff": f"l{team.chance.random()}", "task": "t", "cause": "timeout", "from_agent": agent}
        yield agent, "agent.handoff.failed", data | {"to_agent": team.chance.choice(AGENTS)}


def test_the_reports_of_an_honest_team_count_in_full():
    team = Team().run(60)
    rows = team.loop.projects["p"].history.rows
    assert rows[:, INDEX["tasks_finished"]].sum() == 600
    assert rows[:, INDEX["points"]].sum() == 600
    assert rows[:, INDEX["handoffs_ended"]].sum() == pytest.approx(600, abs=6)
    assert team.rate("handoffs_failed", "handoffs_ended") == pytest.approx(0.04, abs=0.015)


def test_where_one_stage_finishes_all_work_each_of_it_counts():
    """That others gave some up does not make three of ten who finish things too loud."""
    assert Pipeline().run(120).rate("tasks_finished", "seconds", 60) * 60 == pytest.approx(12 + 7 * 0.03, rel=0.02)


def test_one_liar_moves_a_rate_a_little_and_many_agents_move_it_as_it_is():
    lied = Team().run(40).run(60, floods).rate("handoffs_failed", "handoffs_ended")
    true = Team().run(40).run(60, everybody_fails).rate("handoffs_failed", "handoffs_ended")
    assert 0.04 < lied < 0.075
    assert true == pytest.approx((0.04 * 10 + 2) / 12, abs=0.03)


def test_one_liar_causes_no_change_and_many_agents_do():
    assert Team().run(40).run(60, floods).changed == []
    assert "workflow.handoff_timeout_s" in Team().run(40).run(60, everybody_fails).changed


def test_without_the_limit_the_liar_would_have_caused_one(monkeypatch):
    monkeypatch.setattr("meta_orchestrator.core.collection.collect.weigh", lambda row, heard, *rest: heard)
    assert "workflow.handoff_timeout_s" in Team().run(40).run(60, floods).changed


def test_points_that_one_agent_makes_up_are_hardly_worth_anything():
    def boasts(team):
        for _ in range(5):
            data = {"task": f"b{team.chance.random()}", "agent": "a0", "outcome": "succeeded", "duration_ms": 1}
            yield "a0", "agent.task.finished", data | {"points": 8}

    team = Team().run(40).run(40, boasts)
    ratio = team.rate("points", "seconds", 40) * 60 / len(AGENTS)
    assert 1 < ratio < 1.25, "five times as much was claimed"


def test_hearsay_about_tasks_that_nobody_knows_counts_for_nothing():
    def slanders(team):
        task, told = f"x{team.chance.random()}", {"agent": team.chance.choice(AGENTS)}
        yield "a0", "agent.quality.checked", told | {"task": task, "check": "c", "passed": False, "regression": True}
        yield "a0", "agent.rework.requested", told | {"task": task, "requested_by": "a0", "attempt": 1}

    team = Team().run(30).run(30, slanders)
    assert team.rate("tasks_regressed", "tasks_finished") == 0
    assert team.rate("tasks_reworked", "tasks_finished") == 0


def test_a_check_of_known_work_counts_whoever_reports_it():
    def tests(team):
        data = {"check": "c", "passed": False, "regression": True, "agent": "a3"}
        yield "a3", "agent.quality.checked", data | {"task": f"a1-{team.now_s - 60}"}

    team = Team().run(30).run(30, tests)
    assert team.rate("tasks_regressed", "tasks_finished", 29) == pytest.approx(0.1), "the only tester of the team"


def test_where_all_speak_through_one_gateway_each_agent_has_its_own_weight():
    def gateway(team):
        for agent in AGENTS:
            data = {"task": f"g{team.chance.random()}", "agent": agent, "outcome": "succeeded", "duration_ms": 1}
            yield "gateway", "agent.task.finished", data

    team = Team().run(30).run(30, gateway)
    assert team.rate("tasks_finished", "seconds", 29) * 60 == pytest.approx(20)


def test_what_was_heard_is_small_and_fades():
    heard = Team().run(60).loop.projects["p"].ledger.heard
    assert set(heard) == set(AGENTS)
    assert len(repr(heard)) < 100 * len(AGENTS)
    assert np.isclose(sum(counts[2] for counts in heard.values()), 600 * 0.72, rtol=0.02), "∫ of 2^-t over an hour"


def test_the_hostile_team_is_left_as_it_is():
    policy = Policy.model_validate({"parameters": {"mode": "enforce"}})
    loop = ClosedLoop(policy, SCENARIOS["hostile"], seed=1)
    loop.run(3 * 3600)
    decided = [output.data for output in loop.outputs if isinstance(output.data, Decision)]
    assert [told.explanation for told in decided if told.verdict == "changed"] == []
