"""A project made by hand, tick by tick: rows of history and answers in, outputs out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import orjson

from meta_orchestrator.core.adaptation.adapt import adapt, answer
from meta_orchestrator.core.adaptation.model import ResponseModel
from meta_orchestrator.core.adaptation.obey import obey
from meta_orchestrator.core.adaptation.phase import phase
from meta_orchestrator.core.adaptation.response import Response
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.wish import Wish
from meta_orchestrator.core.analysis.findings import Findings, subject
from meta_orchestrator.core.collection.history import FIELDS, INDEX, History
from meta_orchestrator.core.collection.measures import Measures
from meta_orchestrator.core.learning.learn import learn
from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.hear import hear
from meta_orchestrator.core.validation.validate import validate
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import Antipattern, ConfigChange, Decision, Drift
from meta_orchestrator.policy import Policy

START_S = 1_800_000_000
TICK_S = 30
ENFORCED: dict[str, Any] = {
    "parameters": {"mode": "enforce"},
    "pace": {"warm_up_s": 0},
    "trial": {"measure_s": 1800},
}
"""A policy for tests that are not about waiting, nor about a verdict ahead of its time."""
SUPPORTS = {
    "consensus.frequency": "every_change",
    "consensus.max_rounds": 3,
    "workflow.handoff_timeout_s": 120,
    "workflow.review_depth": 2,
    "workflow.wip_limit": 4,
}
ORCHESTRATOR = "orchestrator-1"


def us(after_s: float) -> int:
    return round((START_S + after_s) * SECOND)


def at(after_s: float) -> str:
    """RFC 3339, so many seconds after the start."""
    return format_time_us(us(after_s))


def row(**sums: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A row of History; the tick's length unless said otherwise."""
    values = np.zeros(len(FIELDS))
    for name, value in ({"seconds": TICK_S} | sums).items():
        values[INDEX[name]] = value
    return values


def wish(parameter: str = "workflow.wip_limit", to: Any = 3, **more: Any) -> Wish:
    own = {name: more.pop(name) for name in ("gain", "is_main", "is_back", "baseline_s") if name in more}
    return Wish(parameter, to, Symptom("overload", more.pop("reason", "agents hold too much"), **more), **own)


@dataclass
class Project:
    """The rooms from `hear` on, with what the others would hand them."""

    policy: Policy = field(default_factory=lambda: Policy.model_validate(ENFORCED))
    ledger: Ledger = field(default_factory=Ledger)
    once: bool = False
    learns: bool = False
    """Whether there is a response model."""
    now_s: float = 0
    said: list[CloudEvent] = field(default_factory=list)
    phase: str = ""
    _numbers: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.history = History(self.policy.time.history_us)
        self.response = Response(ResponseModel(self.policy)) if self.learns else None
        self._pending: list[Event] = []
        self._orders: list[Event] = []

    def event(
        self, kind: str, *, source: str = ORCHESTRATOR, configversion: int | None = None, **data: Any
    ) -> "Project":
        """Something that happened just now and is folded at the next tick."""
        self._pending.append(self._event(kind, source, configversion, data))
        return self

    def order(self, kind: str, *, name: str | None = None, **data: Any) -> "Project":
        """A command for the next tick."""
        defaults = {"owner": "eve", "reason": "because"}
        self._orders.append(self._event(f"control.{kind}", "eve-terminal", None, defaults | data, name))
        return self

    def register(self, **supports: Any) -> "Project":
        return self.event("orchestrator.registered", orchestrator="o", supports=supports or dict(SUPPORTS))

    def applied(self) -> "Project":
        """The orchestrator acknowledges the trial, or its latest flip."""
        trial = self.ledger.trial
        assert trial
        return self.event("config.applied", change=trial.latest[0], version=trial.latest[1])

    def tick(
        self,
        *wishes: Wish,
        after_s: float = TICK_S,
        rows: dict[str, float] | None = None,
        findings: Findings | None = None,
        measures: Measures | None = None,
        rules: bool = False,
    ) -> list[Any]:
        """One tick `after_s` later; returns the data that was published. `rules` lets the real rules wish."""
        self.now_s += after_s
        if rows is not None:
            self.history.add(us(self.now_s), row(**rows))
        moment = self.moment(findings, measures)
        self._pending, self._orders = [], []
        for insight in moment.findings.insights:
            event = moment.say(insight)
            if isinstance(insight, Drift | Antipattern):
                moment.findings.said[subject(insight)] = event.id
        hear(moment)
        obey(moment)
        learn(moment, validate(moment))
        for one in wishes:
            answer(moment, one)
        if rules:
            adapt(moment)
        self.said += [output for output in moment.outputs if isinstance(output, CloudEvent)]
        self.phase = phase(moment)
        return [output.data if isinstance(output, CloudEvent) else output for output in moment.outputs]

    def moment(self, findings: Findings | None = None, measures: Measures | None = None) -> Moment:
        findings = findings or Findings()
        for insight in (*findings.drifts.values(), *findings.antipatterns.values()):
            findings.said.setdefault(subject(insight), "said earlier")
        return Moment(
            "p",
            us(self.now_s),
            self.policy,
            self.ledger,
            self.history,
            response=self.response,
            orders=self._orders,
            once=self.once,
            events=self._pending,
            measures=measures or Measures(),
            findings=findings,
        )

    def run(self, seconds: float, rows: dict[str, float] | None = None) -> list[Any]:
        """Ticks without anything new but rows."""
        return [output for _ in range(round(seconds / TICK_S)) for output in self.tick(rows=rows)]

    def store_and_restore(self) -> None:
        self.ledger = Ledger.load(self.ledger.dump())
        if self.response:
            self.response = Response.load(self.policy, orjson.loads(orjson.dumps(self.response.dump())))

    @property
    def changes(self) -> list[ConfigChange]:
        return [event.data for event in self.said if isinstance(event.data, ConfigChange)]

    @property
    def decisions(self) -> list[Decision]:
        return [event.data for event in self.said if isinstance(event.data, Decision)]

    def _event(
        self, kind: str, source: str, version: int | None, data: dict[str, Any], name: str | None = None
    ) -> Event:
        return (us(self.now_s + 1), source, name or f"e{next(self._numbers)}", kind, data, b"", 0, version)


def ready(policy: dict[str, Any] | None = None, learns: bool = False, **supports: Any) -> Project:
    """A project whose orchestrator has registered; it follows the rules unless it learns."""
    chooser = {"adaptation": {"chooser": "model" if learns else "rules"}}
    project = Project(Policy.model_validate(ENFORCED | chooser | (policy or {})), learns=learns)
    project.register(**supports).tick()
    return project


def only(outputs: Sequence[Any], kind: type[Any]) -> Any:
    """The one output of a kind."""
    found = [output for output in outputs if isinstance(output, kind)]
    assert len(found) == 1, found
    return found[0]


def decision(outputs: Sequence[Any]) -> Decision:
    found: Decision = only(outputs, Decision)
    return found


def change(outputs: Sequence[Any]) -> ConfigChange:
    found: ConfigChange = only(outputs, ConfigChange)
    return found
