"""The three things that matter first, whatever kind they are of."""

from collections.abc import Iterator
from dataclasses import dataclass

from meta_orchestrator.drivers.report.bottleneck import most_waiting
from meta_orchestrator.drivers.report.flow import Flow
from meta_orchestrator.drivers.report.outcome import Noted, Outcome
from meta_orchestrator.drivers.report.wording import day, percent
from meta_orchestrator.messages.outputs import Antipattern, Decision, Drift, Escalation, TeamRecommended
from meta_orchestrator.view import full_sentence, sentence

MOST = 3
MUCH = 0.2
"""A share of handoffs that go straight back that a person should hear of first, if no test found it."""
MUCH_OF = 20
"""Handoffs; of fewer a share says little."""
ALIKE = 1.5
"""Shares of two halves that are no further apart than this went on all along."""
ESCALATED, DRIFTED, ADVISED = 1.0, 0.5, 0.2
"""An owner's own threshold was passed: nothing is worse. A number that moved need not be wrong. Advice comes last."""


@dataclass(frozen=True)
class Matter:
    """What to say, and how much it matters, 0..1: of tests their severity, of totals their share."""

    weight: float
    words: str


def first(outcome: Outcome, flow: Flow) -> list[str]:
    """At most three sentences, the weightiest first; what is about one subject is said once."""
    matters = [*_found(outcome), *_totals(outcome, flow), *_advice(outcome)]
    return [matter.words for matter in sorted(matters, key=lambda matter: -matter.weight)[:MOST]]


def told(one: Noted) -> str:
    """A finding as a person reads it, with what explains it."""
    data = one.first.data
    said = sentence({"type": data.type, "data": data.model_dump(mode="json")})
    cause = getattr(data, "evidence", {}).get("sentence")
    severity = f" Severity {one.severity:.2g}." if one.severity else ""
    again = f" Seen {one.times} times, last on {day(one.last_us)}." if one.times > 1 else ""
    return said + (f" {cause}" if cause else "") + severity + again


def weight(one: Noted) -> float:
    """Of a finding."""
    data = one.first.data
    if isinstance(data, Escalation):
        return ESCALATED
    if isinstance(data, Antipattern):
        return one.severity
    if isinstance(data, Drift):
        return DRIFTED * abs(data.after - data.before) / max(abs(data.after), abs(data.before), 1e-12)
    return ADVISED


def bounces_unflagged(outcome: Outcome, flow: Flow) -> bool:
    """Much goes straight back, and no test found it to be more than before."""
    flagged = any(kind in ("ping_pong", "handoff_cycle") for kind, *_ in outcome.findings)
    return not flagged and flow.handoffs >= MUCH_OF and flow.returns >= MUCH * flow.handoffs


def _found(outcome: Outcome) -> Iterator[Matter]:
    """Findings; of several of one kind or metric the weightiest."""
    best: dict[str, Matter] = {}
    for one in outcome.findings.values():
        data, matter = one.first.data, Matter(weight(one), told(one))
        subject = str(getattr(data, "metric", None) or getattr(data, "kind", data.type))
        if not isinstance(data, TeamRecommended) and (subject not in best or matter.weight > best[subject].weight):
            best[subject] = matter
    yield from best.values()


def _totals(outcome: Outcome, flow: Flow) -> Iterator[Matter]:
    """What no test could find: it was so all along, or there is too little of it."""
    if bounces_unflagged(outcome, flow):
        yield _bounces(flow)
    slowest = most_waiting(flow)
    if slowest is not None and slowest.stands_out:
        received = percent(slowest.received)
        words = f"{percent(slowest.waiting)} of all waiting was for {slowest.name}, with {received} of the handoffs."
        yield Matter(slowest.waiting - slowest.received, words)


def _bounces(flow: Flow) -> Matter:
    share, (before, after) = flow.returns / flow.handoffs, flow.returned()
    if max(before, after) > ALIKE * min(before, after):
        when = f" ({percent(before)} in the first half, {percent(after)} in the second): too few to test"
    else:
        when = ", all along: no change stands out"
    rest = "so nothing of it was flagged; the tests compare a team with its own past."
    return Matter(share, f"{percent(share)} of the handoffs went straight back{when}, {rest}")


def _advice(outcome: Outcome) -> Iterator[Matter]:
    """The last recommendation about the team, and the last change that waits for its owner."""
    teams = [one for one in outcome.findings.values() if isinstance(one.first.data, TeamRecommended)]
    if teams:
        yield Matter(ADVISED, told(max(teams, key=lambda one: one.last_us)))
    waiting = [event.data for event in outcome.decisions if isinstance(event.data, Decision)]
    proposed = [data for data in waiting if data.verdict == "recommended"]
    if proposed:
        yield Matter(ADVISED, full_sentence(f"Recommended: {proposed[-1].explanation}"))
