"""The orchestrator of the simulated team: names what may be changed, obeys what a worker signed, and says so."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from meta_orchestrator.client.received import read_change
from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.fields import Value
from meta_orchestrator.messages.outputs import ConfigChange
from meta_orchestrator.simulation.team import Team
from meta_orchestrator.simulation.world import Steps
from meta_orchestrator.wire.trust import Trust

NAME = "orchestrator"


@dataclass(frozen=True)
class Manners:
    """How it obeys: it acknowledges after a while, loses a share of its acknowledgements, rejects some parameters."""

    acknowledge_s: float = 5.0
    loses: float = 0.0
    rejects: tuple[str, ...] = ()
    withhold: Callable[[ConfigChange], bool] | None = None
    """Changes that are acknowledged and not made: for runs that tell what would have been without them."""


class Orchestrator:
    """Follows `config-changes` on the team's own clock. `version` is in force, `refused` counts what was not obeyed."""

    def __init__(
        self, team: Team, project: str, trust: Trust, now_us: Callable[[], int], manners: Manners | None = None
    ) -> None:
        self.team, self.project, self.trust, self.now_us = team, project, trust, now_us
        self.manners = manners or Manners()
        self.version, self.answers = 0, 0
        self.refused: Counter[str] = Counter()
        self._current: ConfigChange | None = None
        self._held: dict[str, Value] = {}
        """Values that stay, whatever a configuration says, until a change names their parameter."""
        self._say("orchestrator.registered", {"orchestrator": NAME, "supports": dict(team.config)})

    def receive(self, value: bytes, headers: Sequence[tuple[str, bytes]]) -> None:
        """One record of the topic: put in force if it is newer, answered again if it is the one in force."""
        try:
            change = read_change(self.project, value, headers, self.trust, self.now_us())
        except BadRecord as bad:
            self.refused[bad.reason] += 1
            return
        if change.version > self.version:
            self.version, self._current = change.version, change
            self.team.world.env.process(self._obey(change))
        elif self._current is not None and change.change == self._current.change:
            self.team.world.env.process(self._obey(change))
        else:
            self.refused["older"] += 1

    def _obey(self, change: ConfigChange) -> Steps:
        yield self.team.world.pause(self.manners.acknowledge_s)
        if change is not self._current and self._current is not None and change.version < self._current.version:
            return
        unwanted = [shift.parameter for shift in change.changes if shift.parameter in self.manners.rejects]
        answer = {"change": change.change, "version": change.version}
        if unwanted:
            self._answer("config.rejected", answer | {"reason": f"{unwanted[0]} is not ours to change"})
            return
        self._apply(change)
        self._answer("config.applied", answer)

    def impose(self, config: Mapping[str, Value]) -> None:
        """Set something that nobody decided: it stays until a change names its parameter."""
        self._held |= config
        self.team.apply(config)

    def _apply(self, change: ConfigChange) -> None:
        moved = [shift.parameter for shift in change.changes]
        is_withheld = self.manners.withhold is not None and self.manners.withhold(change)
        for parameter in moved:
            self._held.pop(parameter, None)
            if is_withheld:
                self._held[parameter] = self.team.config[parameter]
        self.team.apply(change.config | self._held)
        self.team.hear_of(change.change, moved)

    def _answer(self, kind: str, data: dict[str, object]) -> None:
        self.answers += 1
        chance = self.team.world.chance
        if not chance.happens(self.manners.loses, "acknowledgement", self.answers):
            self._say(kind, data)

    def _say(self, kind: str, data: dict[str, object]) -> None:
        self.team.world.publish(kind, data, NAME)
