"""What all antipatterns have in common: the same verbs, and a memory of whether one is going on."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import Value
from meta_orchestrator.messages.outputs import Antipattern, AntipatternCleared, AntipatternKind
from meta_orchestrator.policy import Policy

NAMED_AGENTS = 10
NAMED_TASKS = 20


class Detector(ABC):
    """One kind of antipattern of one project."""

    kind: ClassVar[AntipatternKind]
    types: ClassVar[tuple[str, ...]] = ()
    """Of the events that it wants to observe one by one."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.active: Antipattern | None = None
        """What goes on now, as it was last seen."""

    def configure(self, config: Mapping[str, Value]) -> None:  # noqa: B027 - not every kind has a limit
        """Take note of the configuration in force, where a hard limit is among it."""

    def observe(self, event: Event) -> None:  # noqa: B027 - not every kind reads events
        """One event of the tick, of one of the `types`, in order."""

    def look(self, moment: Moment) -> None:  # noqa: B027 - not every kind reads more than events
        """Once a tick, after its events and before `judge`: books, window and history, to be read only."""

    @abstractmethod
    def judge(self, tick_us: int) -> list[Antipattern]:
        """What is found or cleared at this tick."""

    @property
    def next_look_us(self) -> int | None:
        """When a project in which nothing happens has to be looked at again; None if that would change nothing."""
        return None

    def limit(self, config: Mapping[str, Value], parameter: str) -> int | None:
        """A hard limit: the value in force, else the policy's default; None where what is in force is no number."""
        known = self.policy.parameters.get(parameter)
        value = config.get(parameter, known.default if known else None)
        return int(value) if isinstance(value, int | float) else None

    def dump(self) -> dict[str, Any]:
        return {"active": self.active.model_dump(mode="json") if self.active else None}

    def load(self, dumped: dict[str, Any]) -> None:
        self.active = Antipattern.model_validate(dumped["active"]) if dumped["active"] else None


def cleared(found: Antipattern) -> AntipatternCleared:
    return AntipatternCleared.model_validate(found.model_dump())
