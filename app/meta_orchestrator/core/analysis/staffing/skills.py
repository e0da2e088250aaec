"""Who can do what, and what the work needs: skills of agents from their registration, of tasks from their starts."""

from typing import Any

from meta_orchestrator.core.moment import Moment

REMEMBERED = 4_000
"""Starts of a type after which all its counts are halved: what was needed long ago fades."""
SKILLS = 200
"""Skills of a type that are counted; further ones are left out."""


class Skills:
    """Agent → its skills (missing where it never named any: then it can do all), and needs of tasks by agent type."""

    def __init__(self) -> None:
        self.of: dict[str, list[str]] = {}
        self.needs: dict[str, dict[str, int]] = {}
        """Agent type → skill → tasks started that require it."""
        self.starts: dict[str, int] = {}
        """Agent type → tasks started."""

    def read(self, moment: Moment) -> None:
        """The registrations and starts of this tick."""
        agents = moment.books.agents
        for event in moment.told.get("agent.task.started", ()):
            agent = agents.get(event[4]["agent"])
            if agent is not None and agent.agent_type is not None:
                self._start(agent.agent_type, event[4].get("required_skills"))
        for event in moment.told.get("agent.registered", ()):
            if event[4].get("skills") is not None:
                self.of[event[4]["agent"]] = sorted(set(event[4]["skills"]))

    def _start(self, agent_type: str, required: list[str] | None) -> None:
        self.starts[agent_type] = self.starts.get(agent_type, 0) + 1
        needs = self.needs.setdefault(agent_type, {})
        for skill in sorted(set(required)) if required else ():
            if skill in needs or len(needs) < SKILLS:
                needs[skill] = needs.get(skill, 0) + 1
        if self.starts[agent_type] >= REMEMBERED:
            self.starts[agent_type] //= 2
            self.needs[agent_type] = {skill: count // 2 for skill, count in needs.items() if count > 1}

    def forget(self, moment: Moment) -> None:
        """Who is not in the books any more."""
        self.of = {name: skills for name, skills in self.of.items() if name in moment.books.agents}

    def shares(self, agent_type: str) -> dict[str, float]:
        """Skill → the share of a type's tasks that require it."""
        starts = self.starts.get(agent_type, 0)
        return {skill: count / starts for skill, count in sorted(self.needs.get(agent_type, {}).items())}

    def can(self, agent: str, skill: str) -> bool:
        return agent not in self.of or skill in self.of[agent]

    def dump(self) -> dict[str, Any]:
        return {"of": self.of, "needs": self.needs, "starts": self.starts}

    def load(self, dumped: dict[str, Any]) -> None:
        self.of, self.needs, self.starts = dict(dumped["of"]), dict(dumped["needs"]), dict(dumped["starts"])
