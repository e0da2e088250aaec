"""The report's sections, in the order in which a person asks."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType

from meta_orchestrator.drivers.report.bottleneck import bottleneck, most_waiting
from meta_orchestrator.drivers.report.changes import changes
from meta_orchestrator.drivers.report.first import bounces_unflagged, first, told, weight
from meta_orchestrator.drivers.report.flow import Flow
from meta_orchestrator.drivers.report.outcome import Outcome
from meta_orchestrator.drivers.report.reach import reach
from meta_orchestrator.drivers.report.windows import ENOUGH, Windows
from meta_orchestrator.drivers.report.wording import (
    between,
    bullet,
    duration,
    heading,
    line,
    percent,
    row,
    table,
)
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.wording import plural

SHOWN = 8
HUB = 0.3
"""An agent with a part in this share of all A-B-A is named."""


def project_sections(name: str, flow: Flow, windows: Windows, outcome: Outcome) -> Iterator[RenderableType]:
    """Everything about one project."""
    flow.close()
    yield heading(f"── {name} ──")
    yield line(_extent(flow))
    matters = first(outcome, flow)
    yield from _first(matters)
    yield from _findings(outcome, matters)
    yield from _sparse(windows, outcome)
    yield from _totals_told(outcome, flow)
    yield from _bounces(flow)
    yield from bottleneck(flow)
    yield from changes(outcome, flow)
    yield from reach(windows, outcome)


def disorder(late: int) -> Iterator[RenderableType]:
    """What a person must know before reading on."""
    if late:
        yield line(
            f"{plural(late, 'event')} came when what they belong to had been decided, so they are in no window, and"
            " what follows was said without them: sort the lines by time, or raise time.lateness_s."
        )


def record_sections(flows: Mapping[str, Flow], bad: Counter[str]) -> Iterator[RenderableType]:
    """What the file as a whole was like."""
    events = sum(flow.counts.total() for flow in flows.values())
    yield heading("The records")
    yield line(f"{plural(events, 'event')} of {plural(len(flows), 'project')} read.")
    if bad:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in bad.most_common())
        yield line(f"{plural(bad.total(), 'bad record')} left out: {reasons}.")
    unknown = sum(flow.counts["unknown"] for flow in flows.values())
    if unknown:
        yield line(f"{plural(unknown, 'event')} of a type that is not known, counted and passed over.")
    if not events:
        yield line("There is nothing to report on.")


def _extent(flow: Flow) -> str:
    """How much there is and from when."""
    if flow.steps:
        what = f"{plural(flow.steps, 'step')} of {plural(flow.items, 'item')}"
    else:
        what = f"{plural(flow.counts['agent.task.finished'], 'finished task')}"
    when = between(flow.first_us or 0, flow.last_us or 0)
    events = plural(flow.counts.total(), "event")
    return f"{what} by {plural(len(flow.agents), 'agent')}, {when} ({events})."


def _first(matters: Sequence[str]) -> Iterator[RenderableType]:
    if matters:
        yield heading("What matters first")
    for words in matters:
        yield bullet(words)


def _findings(outcome: Outcome, matters: Sequence[str]) -> Iterator[RenderableType]:
    """All that was found and is not told yet, the weightiest on top."""
    yield heading("What went wrong")
    found = sorted(outcome.findings.values(), key=lambda one: (-weight(one), -one.times, one.first.time_us))
    others = [one for one in found if told(one) not in matters]
    if not others:
        yield line("Nothing beyond what stands above." if found else "No antipattern, drift or escalation was found.")
    for one in others[:SHOWN]:
        yield bullet(told(one))
    if len(others) > SHOWN:
        kinds = Counter(one.first.data.type.split(".", maxsplit=1)[0] for one in others[SHOWN:])
        yield line(f"… and {', '.join(plural(number, kind) for kind, number in sorted(kinds.items()))} more.")


def _sparse(windows: Windows, outcome: Outcome) -> Iterator[RenderableType]:
    """That nothing was found means little where there is too little to test; a longer look-back may help."""
    share = windows.testable(windows.history_us)
    if outcome.findings or share is None or share >= ENOUGH:
        return
    lookback = duration(windows.history_us / 1000)
    yield line(
        f"That says little: the tests need {windows.least_tested} handoffs (or votes) within {lookback}, and in this "
        f"log only {percent(share)} of the stretches of that length with any have so many."
    )
    longer_us = windows.testable_in_us()
    if longer_us is not None:
        setting = f"[time] history_s = {longer_us // SECOND}"
        yield line(f"A policy file with `{setting}` ({duration(longer_us / 1000)}) gives them enough.")


def _totals_told(outcome: Outcome, flow: Flow) -> Iterator[RenderableType]:
    totals = list(_totals(outcome, flow))
    if totals:
        yield line(f"In the log as a whole {'; '.join(totals)}.")


def _totals(outcome: Outcome, flow: Flow) -> Iterator[str]:
    """What the sums say; no test is needed to know that it happened."""
    if flow.returns and not bounces_unflagged(outcome, flow):
        yield f"{percent(flow.returns, flow.handoffs)} of the handoffs went straight back"
    if flow.causes:
        yield f"{percent(flow.causes.total(), flow.causes.total() + flow.handoffs)} of the handoffs failed"
    if flow.redone:
        yield f"{percent(flow.redone, flow.tasks)} of the {noun(flow)}s came back after they were finished"
    slowest = most_waiting(flow)
    if slowest is not None and slowest.stands_out:
        yield f"{percent(slowest.waiting)} of all waiting was for {slowest.name}"


def noun(flow: Flow) -> str:
    """What a whole piece of work is called."""
    return "item" if flow.steps else "task"


def _bounces(flow: Flow) -> Iterator[RenderableType]:
    yield heading("Where work bounces")
    if not flow.handoffs:
        yield line("Nowhere: no handoff arrived.")
    else:
        straight = f"{flow.returns:,} of {plural(flow.handoffs, 'handoff')} ({percent(flow.returns, flow.handoffs)})"
        where = f"{flow.bounced:,} of {plural(flow.tasks, noun(flow))} ({percent(flow.bounced, flow.tasks)})"
        yield line(f"{straight} went straight back to where they came from (A-B-A), in {where}.")
        yield from _hub(flow)
    if flow.causes:
        causes = ", ".join(f"{number:,} {cause}" for cause, number in flow.causes.most_common())
        yield line(f"{plural(flow.causes.total(), 'handoff')} failed: {causes}.")
    if flow.reworks:
        share = percent(flow.redone, flow.tasks)
        yield line(f"Finished work came back {plural(flow.reworks, 'time')} (rework), to {share} of the {noun(flow)}s.")
    if flow.rounds_repeated:
        yield line(f"{plural(flow.rounds_repeated, 'vote')} had to be repeated.")
    if flow.returns:
        yield _pairs(flow)
    if flow.worst:
        yield _worst(flow)


def _hub(flow: Flow) -> Iterator[RenderableType]:
    """One agent that has a part in many of them."""
    part: Counter[str] = Counter()
    for pair, both in flow.pairs.items():
        part.update(dict.fromkeys(pair, both.returns))
    name, number = max(part.items(), key=lambda item: (item[1], item[0]))
    if flow.returns >= 10 and number >= HUB * flow.returns:
        yield line(f"{name} has a part in {percent(number, flow.returns)} of them.")


def _pairs(flow: Flow) -> RenderableType:
    made = table("between", "handoffs", "straight back", "share of all A-B-A")
    pairs = sorted(flow.pairs.items(), key=lambda item: (-item[1].returns, -item[1].handoffs, item[0]))
    for (one, other), pair in pairs[:5]:
        if pair.returns:
            share = percent(pair.returns, flow.returns)
            row(made, f"{one} ⇄ {other}", f"{pair.handoffs:,}", f"{pair.returns:,}", share)
    return made


def _worst(flow: Flow) -> RenderableType:
    made = table("task", "handoffs", "straight back", "rework")
    for task in flow.worst:
        row(made, task.name, task.handoffs, task.returns, task.reworks)
    return made
