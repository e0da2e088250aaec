"""All antipatterns of a project: who wants to see which event, and what is going on."""

from collections.abc import Callable
from typing import Any

from meta_orchestrator.core.analysis.antipatterns.bottleneck import Bottleneck
from meta_orchestrator.core.analysis.antipatterns.deadlock import Deadlock
from meta_orchestrator.core.analysis.antipatterns.detector import Detector
from meta_orchestrator.core.analysis.antipatterns.excessive_rework import ExcessiveRework
from meta_orchestrator.core.analysis.antipatterns.excessive_rounds import ExcessiveRounds
from meta_orchestrator.core.analysis.antipatterns.handoff_cycle import HandoffCycle
from meta_orchestrator.core.analysis.antipatterns.persistent_dissent import PersistentDissent
from meta_orchestrator.core.analysis.antipatterns.ping_pong import PingPong
from meta_orchestrator.core.analysis.antipatterns.shared.moves import Moves
from meta_orchestrator.core.analysis.antipatterns.shared.per_work import Work
from meta_orchestrator.core.analysis.antipatterns.stalled import Stalled
from meta_orchestrator.core.analysis.antipatterns.thrashing import Thrashing
from meta_orchestrator.core.analysis.staffing.stations import Stations
from meta_orchestrator.core.collection.order import PLACE
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.outputs import Antipattern
from meta_orchestrator.policy import Policy


class AntipatternWatch:
    """The detectors in the order in which their findings are published; whoever writes a new one adds it here."""

    def __init__(self, policy: Policy) -> None:
        self.moves, work = Moves(), Work()
        self.stations = Stations(policy)
        self.detectors: tuple[Detector, ...] = (
            HandoffCycle(policy, self.moves),
            PingPong(policy, self.moves),
            Thrashing(policy, work),
            Deadlock(policy),
            ExcessiveRework(policy, work),
            Stalled(policy),
            ExcessiveRounds(policy),
            PersistentDissent(policy),
            Bottleneck(policy, self.stations),
        )
        self._observers: dict[str, tuple[Callable[[Event], None], ...]] = {
            type_: tuple(detector.observe for detector in self.detectors if type_ in detector.types)
            for type_ in sorted({type_ for detector in self.detectors for type_ in detector.types})
        }

    def judge(self, moment: Moment) -> list[Antipattern]:
        """What is found or cleared at a tick, after its events."""
        for detector in self.detectors:
            detector.configure(moment.ledger.config)
        observers = self._observers
        wanted = [event for type_ in observers for event in moment.told.get(type_, ())]
        wanted.sort(key=PLACE)  # as they are in `moment.events`, without going through all of them
        for event in wanted:
            for observe in observers[event[3]]:
                observe(event)
        for detector in self.detectors:
            detector.look(moment)
        return [finding for detector in self.detectors for finding in detector.judge(moment.tick_us)]

    @property
    def active(self) -> dict[str, Antipattern]:
        return {detector.kind: detector.active for detector in self.detectors if detector.active}

    @property
    def next_look_us(self) -> int | None:
        """When to look again even if nothing happens: what goes on must be cleared some time."""
        looks = [look_us for detector in self.detectors if (look_us := detector.next_look_us) is not None]
        return min(looks, default=None)

    def dump(self) -> dict[str, Any]:
        shared = {"moves": self.moves.dump(), "stations": self.stations.dump()}
        return shared | {detector.kind: detector.dump() for detector in self.detectors}

    def load(self, dumped: dict[str, Any]) -> None:
        self.moves.load(dumped["moves"])
        self.stations.load(dumped["stations"])
        for detector in self.detectors:
            detector.load(dumped[detector.kind])
