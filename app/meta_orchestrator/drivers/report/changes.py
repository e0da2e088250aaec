"""What the meta-orchestrator would have changed, or why it would not."""

from collections import Counter
from collections.abc import Iterator

from rich.console import RenderableType

from meta_orchestrator.drivers.report.flow import Flow
from meta_orchestrator.drivers.report.outcome import Outcome
from meta_orchestrator.drivers.report.wording import bullet, heading, line, moment
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.outputs import Decision, Output
from meta_orchestrator.messages.wording import plural
from meta_orchestrator.view import full_sentence, value_text

SHOWN = 10
NEEDED = (
    ("consensus.frequency, consensus.max_rounds", "no votes", ("consensus.round.closed",)),
    ("workflow.handoff_timeout_s", "no failed handoffs", ("agent.handoff.failed",)),
    ("workflow.review_depth", "no quality checks", ("agent.quality.checked",)),
    ("workflow.wip_limit", "no work in progress", ("agent.task.started", "agent.heartbeat")),
)
"""Parameters, and the events without which their rules can find nothing."""


def changes(outcome: Outcome, flow: Flow) -> Iterator[RenderableType]:
    """The section: each decision that was more than a refusal, then the refusals by their limiter."""
    yield heading("What it would have changed")
    if outcome.verdicts:
        yield from _decisions(outcome)
        yield from _refusals(outcome)
    else:
        yield line("Nothing: no rule found a reason to change a parameter.")
    unseen = [f"{rule} ({what})" for rule, what, kinds in NEEDED if not any(flow.counts[kind] for kind in kinds)]
    if unseen:
        yield line(f"Not judged, because the log does not tell of it: {', '.join(unseen)}.")


def _decisions(outcome: Outcome) -> Iterator[RenderableType]:
    counted = (f"{number:,} {verdict.replace('_', ' ')}" for verdict, number in outcome.verdicts.most_common())
    yield line(f"{plural(outcome.verdicts.total(), 'decision')}: {', '.join(counted)}.")
    alike = _alike(outcome)
    for events in alike[:SHOWN]:
        again = f" Again {plural(len(events) - 1, 'time')}, last on {moment(events[-1].time_us)}." if events[1:] else ""
        yield bullet(f"{moment(events[0].time_us)} {_decision(events[0].data)}{again}")
    left = sum(map(len, alike[SHOWN:])) + outcome.left_out
    if left:
        yield line(f"… and {plural(left, 'decision')} more.")
    if outcome.config is not None:
        values = ", ".join(f"{name} {value_text(value)}" for name, value in sorted(outcome.config.config.items()))
        yield line(f"At the end version {outcome.config.version} is in force: {values}.")


def _alike(outcome: Outcome) -> list[list[CloudEvent]]:
    """Decisions by what they say, in the order in which each was said first; a recommendation comes back every day."""
    groups: dict[tuple[object, ...], list[CloudEvent]] = {}
    for event in outcome.decisions:
        if isinstance(event.data, Decision):
            proposal = event.data.proposal
            once = event.id if event.data.verdict != "recommended" else None
            groups.setdefault((once, proposal.parameter, proposal.from_, proposal.to), []).append(event)
    return list(groups.values())


def _decision(data: Output) -> str:
    """Of several parameters at once the explanation tells all; of one it mostly begins with the move."""
    assert isinstance(data, Decision)  # noqa: S101 - nothing else is kept as one
    proposal, verdict = data.proposal, data.verdict.replace("_", " ")
    if proposal.parameter is None:
        return full_sentence(f"{verdict}: {data.explanation}")
    move = f"{proposal.parameter} {value_text(proposal.from_)} → {value_text(proposal.to)}"
    said = data.explanation if data.explanation.startswith(move) else f"{move}. {data.explanation}"
    return full_sentence(f"{verdict}: {said}")


def _refusals(outcome: Outcome) -> Iterator[RenderableType]:
    limiters: Counter[str] = Counter()
    for (_, limiter), noted in outcome.refused.items():
        limiters[limiter] += noted.times
    for limiter, number in limiters.most_common():
        about = [(noted, key) for key, noted in outcome.refused.items() if key[1] == limiter]
        noted, _ = max(about, key=lambda pair: (pair[0].times, pair[1]))
        if isinstance(noted.first.data, Decision):
            said = full_sentence(noted.first.data.explanation)
            yield bullet(f"refused {plural(number, 'time')} by {limiter}, as: {said}")
    if limiters["unsupported"]:
        yield line(
            "No orchestrator in this log takes these parameters; --assume-orchestrator shows what one would have got."
        )
