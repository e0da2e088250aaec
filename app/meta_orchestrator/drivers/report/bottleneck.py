"""Who makes work wait: a plain comparison of shares, no test, so it says so when nobody stands out."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import RenderableType

from meta_orchestrator.drivers.report.flow import AgentFlow, Flow
from meta_orchestrator.drivers.report.spread import Spread
from meta_orchestrator.drivers.report.wording import duration, heading, line, percent, row, table

LEAST = 10
"""Handoffs that an agent must have received before its waiting means anything."""
STANDS_OUT = 1.5
"""A bottleneck's share of all waiting is this many times its share of the handoffs received ..."""
MATTERS = 0.1
"""... and at least this much of all waiting."""
SHOWN = 5


@dataclass(frozen=True)
class Slowest:
    """The agent before whom most waiting stands."""

    name: str
    agent: AgentFlow
    waiting: float
    """Its share of all waiting."""
    received: float
    """Its share of all handoffs that arrived."""

    @property
    def stands_out(self) -> bool:
        return self.waiting >= MATTERS and self.waiting >= STANDS_OUT * self.received


def most_waiting(flow: Flow) -> Slowest | None:
    """None where too little is known."""
    waits = flow.waits_ms
    known = [(name, agent) for name, agent in flow.agents.items() if agent.waits_ms.count >= LEAST]
    if not waits.total or not known:
        return None
    name, agent = max(known, key=lambda item: (item[1].waits_ms.total, item[0]))
    return Slowest(name, agent, agent.waits_ms.total / waits.total, agent.waits_ms.count / waits.count)


def bottleneck(flow: Flow) -> Iterator[RenderableType]:
    """The section: a sentence, and the agents before whom most waiting stands."""
    yield heading("Who is the bottleneck")
    waits = flow.waits_ms
    yield line(_verdict(most_waiting(flow), waits))
    busiest = max(flow.agents.items(), key=lambda item: (item[1].finished, item[0]), default=None)
    if busiest is not None and busiest[1].finished:
        share = percent(busiest[1].finished, _finished(flow))
        yield line(f"{busiest[0]} does most: {share} of all {'steps' if flow.steps else 'tasks'}.")
    if flow.agents:
        yield _table(flow, waits)
    if waits.total:
        yield line("Waiting is what handoffs say (`wait_ms`); from an event log all time since the step before.", "dim")


def _verdict(found: Slowest | None, waits: Spread) -> str:
    if found is None:
        return f"Not known: it needs agents with {LEAST} handoffs received and the time that they waited."
    own, all_waits = found.agent.waits_ms.quantile(0.5), waits.quantile(0.5)
    shares = f"{percent(found.waiting)} of all waiting for a handoff, with {percent(found.received)} of the handoffs"
    said = f"{shares} (median wait {duration(own)}, of all {duration(all_waits)})"
    if found.stands_out:
        return f"{found.name}: {said}."
    return f"Nobody stands out. Most waiting is before {found.name}: {said}."


def _table(flow: Flow, waits: Spread) -> RenderableType:
    work = "steps" if flow.steps else "tasks"
    made = table("agent", work, "share", "median", "received", "median wait", "of all waiting", "rework")
    for name, agent in sorted(flow.agents.items(), key=_weight)[:SHOWN]:
        row(
            made,
            name,
            f"{agent.finished:,}",
            percent(agent.finished, _finished(flow)),
            duration(agent.durations_ms.quantile(0.5)),
            f"{agent.waits_ms.count:,}",
            duration(agent.waits_ms.quantile(0.5)),
            percent(agent.waits_ms.total, waits.total),
            f"{agent.reworked:,}",
        )
    return made


def _weight(item: tuple[str, AgentFlow]) -> tuple[float, int, str]:
    """Most waiting first, then most work."""
    name, agent = item
    return -agent.waits_ms.total, -agent.finished, name


def _finished(flow: Flow) -> int:
    return sum(agent.finished for agent in flow.agents.values())
