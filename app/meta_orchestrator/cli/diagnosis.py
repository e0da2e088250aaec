"""What a look at the inputs tells: which events are missing for which metric, what is bad, whose clock is wrong.

Pure: records' facts in, sentences out.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.wording import plural
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.trust import Key, Trust, misfit

Level = Literal["ok", "note", "wrong"]

SILENCE_US = 300 * SECOND
"""Of which a worker wrote nothing for so long is doubted, by `status` too. A worker's ticks may be longer than ours."""
CLOSED, VOTE, FINISHED = "consensus.round.closed", "consensus.vote.cast", "agent.task.finished"
HANDED = ("agent.handoff.completed", "agent.handoff.failed")


@dataclass(frozen=True)
class Remark:
    """`wrong` stops the worker or spoils its numbers, `note` leaves something out."""

    level: Level
    text: str


@dataclass(frozen=True)
class Need:
    """What a metric is made of: at least one type of each group; `counted` make its denominator."""

    groups: tuple[tuple[str, ...], ...]
    counted: tuple[str, ...] = ()
    p95: bool = False
    zero_is_good: tuple[str, ...] = ()
    """Types whose absence may just mean that all is well."""


NEEDS: dict[str, Need] = {
    "consensus_latency_p95_ms": Need(((CLOSED,),), (CLOSED,), p95=True),
    "consensus_success_rate": Need(((CLOSED,),), (CLOSED,)),
    "dissent_rate": Need(((CLOSED,), (VOTE,)), (VOTE,)),
    "agent_utilization": Need((("agent.heartbeat", "agent.task.started"), ("agent.registered", "agent.heartbeat"))),
    "handoff_failure_rate": Need((HANDED,), HANDED),
    "development_velocity": Need(((FINISHED,),)),
    "quality_regression_rate": Need(((FINISHED,), ("agent.quality.checked",)), (FINISHED,)),
    "coordination_failures": Need(((CLOSED, FINISHED, *HANDED),)),
    "rework_percentage": Need(((FINISHED,),), (FINISHED,), zero_is_good=("agent.rework.requested",)),
    "manual_interventions": Need((), zero_is_good=("operator.intervened",)),
    "changes (any tuning at all)": Need((("orchestrator.registered",),), zero_is_good=("config.applied",)),
}


@dataclass
class Tally:
    """What was read of the inputs of the last `span_us`."""

    span_us: int
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Project → type → number."""
    bad: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(reason, field or "") → number."""
    ahead_us: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Source → how far each event's time was ahead of its append time."""

    came_us: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Project → when its events of the span were appended."""
    ticks_us: dict[str, int] = field(default_factory=dict)
    """Project → the last tick of the span of which a worker wrote anything, as `status` shows it."""
    behind_us: int = 0
    """How far this machine's clock is behind the broker's, at least: a record was appended so long after our now."""

    def add(self, project: str, kind: str, source: str, ahead_us: int) -> None:
        self.counts[project][kind] += 1
        self.ahead_us[source].append(ahead_us)

    def reject(self, reason: str, field_: str | None) -> None:
        self.bad[reason, field_ or ""] += 1


def key_remarks(trust: Trust, own: Key | None, at_us: int) -> Iterator[Remark]:
    """Whether somebody can sign what others believe."""
    if not trust.keys:
        yield Remark("note", "no trust file: no command will count, and no change can be told from a forged one")
    for role, use in (("worker", "changes"), ("operator", "commands")) if trust.keys else ():
        good = sorted(key.id for key in trust.keys.values() if key.role == role and key.not_after_us >= at_us)
        told = f"{role} keys in force: {', '.join(good)}"
        yield Remark("ok", told) if good else Remark("wrong", f"no {role} key in force: nobody can sign {use}")
    if own is None:
        yield Remark("note", "no key file: this machine cannot sign")
    elif trust.keys:
        yield _own_key(trust, own, at_us)


def _own_key(trust: Trust, own: Key, at_us: int) -> Remark:
    if why := misfit(trust, own, role=None, project=None, at_us=at_us):
        return Remark("wrong", why)
    return Remark("ok", f"key {own.id} is trusted as {trust.keys[own.id].role}")


def diagnose(tally: Tally, policy: Policy, at_us: int) -> Iterator[Remark]:
    """All remarks, projects in the order of their names."""
    yield from _bad(tally)
    if not tally.counts:
        yield Remark("note", f"no events in the last {_span(tally.span_us)}: nothing to watch")
    for project in sorted(tally.counts):
        yield from _missing(project, tally.counts[project])
        yield from _window(project, tally.counts[project], tally.span_us, policy)
    for project in sorted({*tally.counts, *tally.ticks_us}):
        yield from _alive(project, tally, policy, at_us)
    yield from _clocks(tally, policy)


def _bad(tally: Tally) -> Iterator[Remark]:
    for (reason, name), number in sorted(tally.bad.items()):
        place = f" ({name})" if name else ""
        yield Remark("wrong", f"{plural(number, 'bad record')}: {reason}{place}, in topic dead-letters")


def _missing(project: str, counts: Counter[str]) -> Iterator[Remark]:
    for metric, need in NEEDS.items():
        lacking = [" or ".join(group) for group in need.groups if not any(counts[kind] for kind in group)]
        quiet = [kind for kind in need.zero_is_good if not counts[kind]]
        if lacking:
            yield Remark("note", f"{project}: {metric} needs {' and '.join(lacking)}, none seen")
        elif quiet:
            yield Remark("ok", f"{project}: {metric} has its events; no {', '.join(quiet)}, which may be right")
        else:
            yield Remark("ok", f"{project}: {metric} has its events")


def _window(project: str, counts: Counter[str], span_us: int, policy: Policy) -> Iterator[Remark]:
    """The null rule: fewer values than the policy asks for in a window and a rate is null."""
    wanted = {metric: wait for metric in NEEDS if (wait := window_s(metric, counts, span_us, policy)) is not None}
    short = {metric: wait for metric, wait in wanted.items() if wait > policy.time.window_s}
    if short:
        names = ", ".join(short)
        longest = max(short.values())
        yield Remark(
            "note", f"{project}: {names} will be null at window_s = {policy.time.window_s:g}; {longest:g} would do"
        )
    elif wanted:
        yield Remark("ok", f"{project}: window_s = {policy.time.window_s:g} gives every rate its values")


def _alive(project: str, tally: Tally, policy: Policy, at_us: int) -> Iterator[Remark]:
    """An event is in a snapshot within a tick and the lateness; if not after three, no worker reads the project."""
    last_us = tally.ticks_us.get(project)
    written = f"{project}: nothing was written in the last {_span(tally.span_us)}"
    if last_us is not None:
        written = f"{project}: nothing was written for {_span(at_us - last_us)}, since {format_time_us(last_us)}"
    oldest_us = min((came for came in tally.came_us[project] if came > (last_us or 0)), default=at_us)
    wait_us = max(SILENCE_US, 3 * policy.time.tick_us + policy.time.lateness_us)
    if at_us - oldest_us > wait_us:
        came = f"though events came, the first {_span(at_us - oldest_us)} ago"
        yield Remark("wrong", f"{written}, {came}: does a worker run, with this broker and prefix?")
    elif last_us is not None and at_us - last_us <= wait_us:
        yield Remark("ok", f"{project}: a worker wrote {_span(max(0, at_us - last_us))} ago")
    else:
        young = "the events since are too young for an answer"
        yield Remark("note", f"{written}; {'no event waits for a worker' if oldest_us == at_us else young}")


def window_s(metric: str, counts: Counter[str], span_us: int, policy: Policy) -> float | None:
    """Seconds, a multiple of the tick, in which a rate gets enough values at the pace seen; None where none came."""
    need = NEEDS[metric]
    seen = sum(counts[kind] for kind in need.counted)
    if not seen:
        return None
    least = policy.samples.p95 if need.p95 else policy.samples.rate
    return math.ceil(least * span_us / seen / SECOND / policy.time.tick_s) * policy.time.tick_s


def _clocks(tally: Tally, policy: Policy) -> Iterator[Remark]:
    """An event is stamped before it is appended, so a sender ahead has a wrong clock; one far behind counts as late."""
    lateness_us = policy.time.lateness_us
    if tally.behind_us > SECOND:
        yield Remark("wrong", f"this machine's clock is {_span(tally.behind_us)} behind the broker's, or more")
    wrong = 0
    for source, ahead in sorted(tally.ahead_us.items()):
        typical = median(ahead)
        if typical > SECOND:
            wrong += 1
            yield Remark("wrong", f"the clock of {source} is {_span(typical)} ahead of the broker's")
        elif typical < -lateness_us:
            wrong += 1
            late = f"events of {source} arrive {_span(-typical)} after their time"
            reason = f"more than lateness_s = {policy.time.lateness_s:g}, so they count as late"
            yield Remark("wrong", f"{late}, {reason}: a slow sender or a wrong clock")
    if tally.ahead_us and not wrong:
        yield Remark("ok", f"the clocks of {plural(len(tally.ahead_us), 'sender')} agree with the broker's")


def _span(span_us: float) -> str:
    seconds = span_us / SECOND
    return f"{seconds / 60:.3g} min" if seconds >= 120 else f"{seconds:.3g} s"
