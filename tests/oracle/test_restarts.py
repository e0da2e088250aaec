"""A worker that dies after any tick, and reads again what it had read, writes what it would have written."""

import json
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from meta_orchestrator.core.loop import Loop
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.inputs import COMMANDS
from meta_orchestrator.wire.journal import read_line
from tests.oracle.minimize import minimize
from tests.oracle.reading import is_bad, watermarks
from tests.oracle.strategies import File, files
from tests.oracle.test_determinism import eager_policy


class Worker:
    """A loop, what it has stored, and the input that stays where it was."""

    def __init__(self, file: File, dies_at: set[int]) -> None:
        self.policy, self.dies_at = eager_policy(file.settings), dies_at
        self.loop = Loop(self.policy, assume_orchestrator=True, once=False)
        self.heads: dict[bytes, bytes] = {}
        self.panes: dict[bytes, bytes] = {}
        self.read: list[tuple[str, Any, int]] = []
        self.written: list[bytes] = []
        self.ticks = 0

    def run(self, file: File) -> list[bytes]:
        reached = watermarks(file.lines, file.settings.lateness_us)
        for number, (line, reached_us) in enumerate(zip(file.lines, reached, strict=True), 1):
            if line["type"] != "clock.tick" and not is_bad(line):
                project, event, _ = read_line(json.dumps(line).encode(), number)
                self.read.append((str(project), event, reached_us))
                self.put(*self.read[-1])
            while (tick_us := self.loop.due(reached_us)) is not None:
                self.decide(tick_us)
        return self.written

    def put(self, project: str, event: Any, reached_us: int) -> None:
        (self.loop.command if event[3] in COMMANDS else self.loop.observe)(project, event, reached_us)

    def decide(self, tick_us: int) -> None:
        outputs = self.loop.decide(tick_us)
        self.written += [output.to_json() for output in outputs if isinstance(output, CloudEvent)]
        for table, key, value in self.loop.rows():
            {"heads": self.heads, "panes": self.panes}[table][key] = value
        self.ticks += 1
        if self.ticks in self.dies_at:
            self.loop = Loop(self.policy, assume_orchestrator=True, once=False)
            assert self.loop.restore(self.heads, self.panes, tick_us) == []
            for record in self.read:
                self.put(*record)


def differs(file: File, dies_at: set[int]) -> bool:
    return Worker(file, dies_at).run(file) != Worker(file, set()).run(file)


@settings(phases=(Phase.explicit, Phase.reuse, Phase.generate))  # `minimize` shrinks, by lines
@given(files(), st.sets(st.integers(1, 60), max_size=8))
def test_a_worker_that_dies_goes_on_as_if_it_had_not(file: File, dies_at: set[int]) -> None:
    if differs(file, dies_at):
        pytest.fail(f"dies at {dies_at}\n{minimize(file, lambda fewer: differs(fewer, dies_at))}", pytrace=False)
