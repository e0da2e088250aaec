"""What antipatterns share that are a state of affairs: it is there or not, and is cleared when it stays away."""

from abc import abstractmethod
from typing import Any

from meta_orchestrator.core.analysis.antipatterns.detector import Detector, cleared
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy


class Lasting(Detector):
    """Found at the tick at which it is seen first; cleared when it was not seen for `analysis.clear_after_s`."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self._clear_us = round(policy.analysis.clear_after_s * SECOND)
        self._seen_us = 0
        """When it was seen last."""
        self._there = False
        """Whether it was there at the last look."""
        self._now: Antipattern | None = None

    @abstractmethod
    def see(self, moment: Moment) -> Antipattern | None:
        """What is there at this tick."""

    def look(self, moment: Moment) -> None:
        self._now = self.see(moment)

    def judge(self, tick_us: int) -> list[Antipattern]:
        now, self._now = self._now, None
        self._there = now is not None
        if now:
            self._seen_us = tick_us
            return self._go_on(now)
        if self.active and tick_us >= self._seen_us + self._clear_us:
            over, self.active = cleared(self.active), None
            return [over]
        return []

    def _go_on(self, now: Antipattern) -> list[Antipattern]:
        if self.active:
            self.active = now.model_copy(update={"since": min(now.since, self.active.since)})
            return []
        self.active = now
        return [now]

    @property
    def next_look_us(self) -> int | None:
        """What is there stays there while nothing happens, so nobody has to look."""
        return self._seen_us + self._clear_us if self.active and not self._there else None

    def dump(self) -> dict[str, Any]:
        return super().dump() | {"seen_us": self._seen_us, "there": self._there}

    def load(self, dumped: dict[str, Any]) -> None:
        super().load(dumped)
        self._seen_us, self._there = dumped["seen_us"], dumped["there"]
