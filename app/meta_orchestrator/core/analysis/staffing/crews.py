"""Who is at work, and how much at once."""

from collections.abc import Mapping

from meta_orchestrator.core.moment import Moment


def crews(moment: Moment) -> dict[str, dict[str, int]]:
    """Agent type → {agent: its tasks at once}, by name, of all who are at work."""
    found: dict[str, dict[str, int]] = {}
    for name, agent in sorted(moment.books.agents.items()):
        if agent.agent_type is not None and agent.is_at_work(moment.tick_us):
            found.setdefault(agent.agent_type, {})[name] = agent.capacity
    return found


def typical_capacity(crew: Mapping[str, int]) -> int:
    """The tasks at once of one more of them: the mean of those there, rounded."""
    return max(1, round(sum(crew.values()) / len(crew)))
