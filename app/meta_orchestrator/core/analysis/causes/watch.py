"""Keeps the sums of the past, and breaks down what was found."""

from collections.abc import Mapping
from typing import Any, TypeVar

from meta_orchestrator.core.analysis.causes import changes, explain
from meta_orchestrator.core.analysis.causes.blocks import Blocks
from meta_orchestrator.core.analysis.causes.explain import Sides
from meta_orchestrator.core.analysis.causes.sums import Sums
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import DAY_US, parse_time_us
from meta_orchestrator.messages.outputs import Antipattern, AntipatternCleared, Drift, Escalation, Evidence
from meta_orchestrator.policy import Policy

Insight = TypeVar("Insight", Drift, Antipattern)

HORIZON_US = 14 * DAY_US
"""As far back as trends look."""


class CauseWatch:
    """One project's sums by agent, handoff cause and criticality."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.sums = Sums()
        self.blocks = Blocks(policy.limits.explained_agents, HORIZON_US)

    def observe(self, moment: Moment) -> None:
        """Each tick; idle ones cost nothing."""
        block = self.sums.block(moment, self.blocks.most_agents)
        if block:
            self.blocks.add(block)

    def of_drift(self, moment: Moment, drift: Drift) -> Drift:
        """With who explains it against the day before, and which version precedes it."""
        since_us = parse_time_us(drift.since)
        found = self._explain(moment, drift.metric, (since_us - DAY_US, since_us, since_us), drift.agent)
        return told_of(drift, found)

    def of_trend(self, moment: Moment, trend: Drift) -> Drift:
        """The same for what takes all the time since: its last third against its first."""
        begin_us = parse_time_us(trend.since)
        third_us = (moment.tick_us - begin_us) // 3
        found = self._explain(moment, trend.metric, (begin_us, begin_us + third_us, moment.tick_us - third_us))
        return told_of(trend, found)

    def of_escalation(self, moment: Moment, raised: Escalation) -> Evidence:
        """Who explains that a condition is met, since it is."""
        since_us, metric = parse_time_us(raised.since), raised.metric.partition(".")[0]
        return self._explain(moment, metric, (since_us - DAY_US, since_us, since_us))

    def of_antipattern(self, moment: Moment, found: Antipattern) -> Antipattern:
        """An antipattern names its agents itself; what is added is the version that precedes it."""
        if isinstance(found, AntipatternCleared):
            return found
        preceding = self._precedes(moment, found.kind, parse_time_us(found.since))
        return told_of(found, preceding) if preceding else found

    def _explain(self, moment: Moment, metric: str, spans: tuple[int, int, int], agent: str | None = None) -> Evidence:
        """An agent's own metric has its agent as its cause already."""
        sides = self._sides(moment, *spans) if agent is None else None
        if sides is None:
            return self._precedes(moment, metric, spans[1])
        alpha = self.policy.analysis.cause_alpha
        found, slower = explain.causes(sides, metric, alpha), explain.slower(sides, metric, alpha)
        sentence = f"{explain.told(found)} {explain.told_of_time(slower)}".rstrip()
        numbers = explain.evidence(found) | explain.evidence_of_time(slower)
        return numbers | self._precedes(moment, metric, spans[1], sentence)

    def _precedes(self, moment: Moment, metric: str, since_us: int, sentence: str = "") -> Evidence:
        """The version that may have caused it, if any; with the sentence about it after another one."""
        slack_us = 2 * moment.policy.time.tick_us
        suspect = changes.suspect(moment.ledger, metric, since_us, slack_us, moment.tick_us)
        said = [sentence] if sentence else []
        if suspect is None:
            return {"sentence": sentence} if sentence else {}
        return changes.evidence(suspect) | {"sentence": " ".join([*said, changes.told(suspect)])}

    def _sides(self, moment: Moment, from_us: int, until_us: int, after_us: int) -> Sides | None:
        """Blocks before and after; one that lies across a border belongs to neither, as long as there are others: a
        little of what came after makes the difference look smaller, not larger.
        """
        blocks = self.blocks.closed
        before = [block for block in blocks if block.start_us >= from_us and block.end_us <= until_us]
        after = [block for block in blocks if block.start_us >= after_us]
        before = before or [block for block in blocks if (block.start_us + block.end_us) // 2 <= until_us][-1:]
        after = after or [block for block in blocks[-1:] if block not in before]
        return Sides(before, after, types_of(moment)) if before and after else None

    def dump(self) -> dict[str, Any]:
        return {"sums": self.sums.dump(), "blocks": self.blocks.dump()}

    def load(self, dumped: dict[str, Any]) -> None:
        self.sums.load(dumped["sums"])
        self.blocks.load(dumped["blocks"])


def types_of(moment: Moment) -> Mapping[str, str]:
    """Agent → its type, where it is known."""
    return {name: agent.agent_type for name, agent in moment.books.agents.items() if agent.agent_type is not None}


def told_of(insight: Insight, found: Evidence) -> Insight:
    """An insight with more evidence."""
    return type(insight).model_validate(insight.model_dump() | {"evidence": insight.evidence | found})
