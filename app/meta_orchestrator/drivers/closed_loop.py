"""The simulated team and the meta-orchestrator in one process, on the team's virtual clock.

Everything crosses the border as bytes: the team's events are lines of a journal that the replay reads, changes are
signed records that the orchestrator verifies by the client's code. So what is decided here is decided on Kafka as well.
"""

from collections.abc import Callable
from typing import Any

import orjson
import simpy

from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.messages.outputs import ConfigChange
from meta_orchestrator.policy import Policy
from meta_orchestrator.simulation.alone import Timetable
from meta_orchestrator.simulation.envelope import Envelopes
from meta_orchestrator.simulation.orchestrator import Manners, Orchestrator
from meta_orchestrator.simulation.scenarios import Scenario
from meta_orchestrator.simulation.truth import HOUR_S
from meta_orchestrator.simulation.world import Steps
from meta_orchestrator.wire.signing import HEADER, sign
from meta_orchestrator.wire.trust import ANY_PROJECT, Trust, TrustedKey, generate

START_US = 1_767_600_000 * SECOND
"""2026-01-05 08:00 UTC, a Monday: a multiple of every tick."""
FOR_EVER_US = 2**62


class ClosedLoop:
    """`run(until_s)` moves both on, as often as wanted. `outputs` is what was decided; `team.truth` what came of it."""

    start_us = START_US

    def __init__(
        self,
        policy: Policy,
        scenario: Scenario,
        seed: int = 0,
        fault_at_s: float = 2 * HOUR_S,
        scale: float = 1.0,
        manners: Manners | None = None,
        journal: Callable[[bytes], object] | None = None,
        impose: Timetable = (),
    ) -> None:
        """`impose`: what is set at which second although nobody decided it; `Manners.withhold` is the opposite."""
        self.project, self.journal = scenario.name, journal
        self.env = simpy.Environment()
        self.envelopes = Envelopes(self.project, self.start_us, lambda: float(self.env.now))
        self.outputs: list[CloudEvent] = []
        self.replay = _Heard(policy, write=_nothing, watcher=self)
        self.team = scenario.team(self.env, self._publish, seed, fault_at_s, scale)
        self._key = generate("worker")
        self.orchestrator = Orchestrator(self.team, self.project, self._trust(), lambda: self.envelopes.now_us, manners)
        self._ticks = 0
        self.env.process(self._impose(impose))

    def run(self, until_s: float) -> None:
        """Up to this moment of the team's time. A tick is decided once its events can no longer be late."""
        time = self.replay.policy.time
        while (at_s := (self._ticks + 1) * time.tick_s + time.lateness_s) <= until_s:
            self._ticks += 1
            self.env.run(until=at_s)
            self._clock_tick(self.start_us + self._ticks * time.tick_us)
        if self.env.now < until_s:
            self.env.run(until=until_s)
        self.team.truth.mark(until_s)

    def output(self, event: CloudEvent) -> None:
        """Hears what is decided; changes go on to the orchestrator, signed."""
        self.outputs.append(event)
        if isinstance(event.data, ConfigChange):
            value = event.to_json()
            signature = sign(self._key, ConfigChange.topic, self.project.encode(), value)
            self.orchestrator.receive(value, [(HEADER, signature.encode())])

    def observe(self, project: str, event: Event) -> None: ...

    def bad(self, reason: str) -> None:
        raise AssertionError(f"the team published a bad record: {reason}")

    def _impose(self, timetable: Timetable) -> Steps:
        for at_s, config in timetable:
            yield self.env.timeout(at_s - self.env.now)
            self.orchestrator.impose(config)

    def _publish(self, kind: str, data: dict[str, Any], source: str) -> None:
        self._line(self.envelopes.wrap(kind, data, source))

    def _clock_tick(self, time_us: int) -> None:
        envelope = {"specversion": "1.0", "id": str(time_us), "source": "clock", "type": "clock.tick"}
        self._line(orjson.dumps(envelope | {"time": format_time_us(time_us), "data": {}}))

    def _line(self, line: bytes) -> None:
        if self.journal is not None:
            self.journal(line + b"\n")
        self.replay.lines += 1
        self.replay.take(line)

    def _trust(self) -> Trust:
        key = self._key
        public = key.private.public_key()
        return Trust({key.id: TrustedKey(key.id, public, "worker", frozenset({ANY_PROJECT}), FOR_EVER_US)})


class _Heard(Replay):
    """Outputs are heard, not written: what nobody reads is not put into bytes."""

    def _decide(self, tick_us: int) -> None:
        for output in self.loop.decide(tick_us):
            if isinstance(output, CloudEvent):
                self.watcher.output(output)
            else:
                self.watcher.bad(output.reason)


def _nothing(line: bytes) -> None:
    """For what is not heard: letters about bad records, of which a team publishes none."""
