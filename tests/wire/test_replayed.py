"""A journal is replayed as its lines say, whichever way they are read."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.errors import BadRecord
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.journal import read_line
from tests.wire.making import EXAMPLES, structured
from tests.wire.test_quick import KINDS, exactly, wrong_or_odd

Observed = list[tuple[str, Any]]


class Seen:
    """Whoever watches a replay."""

    def __init__(self) -> None:
        self.observed: Observed = []

    def observe(self, project: str, event: Any) -> None:
        self.observed.append((project, exactly(event)))

    def output(self, event: Any) -> None: ...
    def bad(self, reason: str) -> None: ...


def replayed(lines: list[bytes]) -> tuple[Observed, int]:
    """What was observed, and how many lines were refused."""
    seen = Seen()
    replay = Replay(Policy(), lambda line: None, watcher=seen)
    replay.run(lines)
    return seen.observed, replay.bad.total()


def as_each_line_says(lines: list[bytes]) -> tuple[Observed, int]:
    observed: Observed = []
    bad = 0
    for number, line in enumerate(lines, 1):
        try:
            project, event, _ = read_line(line, number)
        except BadRecord:
            bad += 1
            continue
        if project is not None:
            observed.append((project, exactly(event)))
    return observed, bad


@settings(max_examples=400, deadline=None)
@given(st.lists(wrong_or_odd(), max_size=5), st.sampled_from([b"\n", b"\r\n"]))
def test_what_is_observed_of_a_file_is_what_each_line_says(values: list[bytes], end: bytes) -> None:
    lines = [value + end for value in values]
    assert replayed(lines) == as_each_line_says(lines)


def test_every_usual_line_is_observed_and_blank_ones_are_nothing() -> None:
    lines = [orjson.dumps(EXAMPLES[kind]) for kind in KINDS]
    observed, bad = replayed([*lines, b"\n", b"{}\n", structured(recordedtime="2026-03-02T09:00:01Z")])
    assert len(observed) == len(KINDS) + 1
    assert bad == 1
    assert observed[: len(KINDS)] == as_each_line_says(lines)[0]
