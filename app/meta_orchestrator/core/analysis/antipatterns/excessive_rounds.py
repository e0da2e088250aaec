"""excessive_rounds: small changes are voted on again and again."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from meta_orchestrator.core.analysis.antipatterns.detector import NAMED_AGENTS, NAMED_TASKS
from meta_orchestrator.core.analysis.antipatterns.shared.excess import Chance, Habits, Tally, tally
from meta_orchestrator.core.analysis.antipatterns.shared.log import Log
from meta_orchestrator.core.analysis.antipatterns.shared.names import Names, Numbering
from meta_orchestrator.core.analysis.antipatterns.shared.unusual import Look, Unusual
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import Value, format_time_us
from meta_orchestrator.messages.outputs import Antipattern, Evidence
from meta_orchestrator.policy import Policy

LIMIT = "consensus.max_rounds"
CAPACITY = 1_000
SMALL = ("minor", "normal")

_GEOMETRIC = 2.0
"""Variance over mean of an item's repeated rounds while the past cannot tell: geometric, one in two repeated."""


class Round(NamedTuple):
    time_us: int
    item: str
    criticality: str
    attempt: int
    eligible: tuple[str, ...]
    """Of a repeated round, cut to those who can be named."""

    @property
    def small(self) -> bool:
        return self.criticality in SMALL


class ExcessiveRounds(Unusual[Round, None]):
    """Repeated rounds (attempt > 1) on minor and normal items, more than the project's own past explains.

    Consensus is a cost that small changes are not worth. Each such item is a chance; the null is as many repeated
    rounds an item as in the past, by criticality; without a past, as many as major and critical items need in the
    same time. Rounds of one item depend on each other, so their scatter by item widens the test. False alarms: at
    most `analysis.alpha` in a look-back (measured at .01: .004, and .014 where the mix of criticalities has just
    changed). Cleared: see `unusual`. Beside it stands a hard limit: more than half of these items (and at least
    `analysis.min_events`) reached `consensus.max_rounds`.
    Severity: the share of the repeated rounds that the past does not explain; for the hard limit that of the items.
    `tasks` are the items; `agents` those who were eligible to vote on them.
    """

    kind = "excessive_rounds"
    types = ("consensus.round.opened",)
    needs_past = False

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy, Log(CAPACITY))
        self.configure({})

    def configure(self, config: Mapping[str, Value]) -> None:
        self.max_rounds = self.limit(config, LIMIT)

    def observe(self, event: Event) -> None:
        data = event[4]
        named = tuple(sorted(data["eligible"])[:NAMED_AGENTS]) if data["attempt"] > 1 else ()
        self.log.add(Round(event[0], data["item"], data["criticality"], data["attempt"], named))

    def counts(self, record: Round) -> bool:
        return record.small and record.attempt == 1

    def null(self, past: Sequence[Round], window: Sequence[Round]) -> None:
        """As many repeated rounds for each item: there is nothing to be known beforehand."""

    def chances(self, records: Iterable[Round], null: None) -> list[Chance]:
        """A first round brings an item, a repeated one a hit; major and critical items are a reference only."""
        return [
            Chance(r.time_us, r.item, r.criticality, float(r.attempt == 1), int(r.attempt > 1), (r.item,))
            for r in records
            if r.small
        ]

    def default_habits(self, look_past: Sequence[Chance]) -> Habits:
        """Items of importance say what is normal until the small ones have a past."""
        large = [r for r in self.log.records if not r.small]
        repeated = sum(r.attempt > 1 for r in large)
        first = len(large) - repeated
        return Habits({}, Tally(repeated + 0.5, first + 1.0), _GEOMETRIC)

    def over_limit(self, look: Look[Round]) -> Antipattern | None:
        items = {r.item for r in look.window if self.counts(r)}
        if not self.max_rounds or self.max_rounds < 2 or len(items) < self.policy.analysis.min_events:
            return None
        spent = [r for r in look.window if r.small and r.item in items and r.attempt >= self.max_rounds]
        tasks = list(dict.fromkeys(r.item for r in spent))
        if 2 * len(tasks) <= len(items):
            return None
        return Antipattern(
            kind=self.kind,
            agents=sorted({agent for r in spent for agent in r.eligible})[:NAMED_AGENTS],
            tasks=tasks[:NAMED_TASKS],
            since=format_time_us(spent[0].time_us),
            severity=len(tasks) / len(items),
            evidence={"items_at_limit": len(tasks), "items": len(items), "max_rounds": self.max_rounds},
        )

    def evidence(self, look: Look[Round]) -> Evidence:
        now = tally(look.chances)
        attempts = Counter(r.attempt for r in look.window if r.small)
        return {
            "items": sum(one.expected for one in now.values()),
            "most_rounds": max(attempts, default=0),
            "repeated": ", ".join(f"{key}: {one.hits:.0f}" for key, one in sorted(now.items())),
        }

    def agents(self, subjects: Sequence[tuple[str, ...]], look: Look[Round]) -> list[str]:
        items = {item for subject in subjects for item in subject}
        return sorted({agent for r in look.window if r.item in items for agent in r.eligible})[:NAMED_AGENTS]

    def dump(self) -> dict[str, Any]:
        numbering = Numbering()
        number = numbering.of
        log = self.log.dump(lambda r: [*number((r.item, r.criticality)), r.attempt, number(r.eligible)])
        return super().dump() | {"names": numbering.names(), "log": log}

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        names = Names(dumped["names"])
        self.log.load(
            dumped["log"],
            lambda time_us, packed: Round._make([time_us, *names.of(packed[:2]), packed[2], names.of(packed[3])]),
        )
