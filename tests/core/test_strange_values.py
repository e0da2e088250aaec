"""An orchestrator may name anything as the value of its parameters; that stops nobody."""

import orjson
import pytest

from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.messages.fields import Value
from meta_orchestrator.policy import Policy
from tests.core.making import clock, line

PARAMETERS = sorted(Policy().parameters)
ALL_BUT_ONE = [({name: "timeboxed_batches(60)", "workflow.review_depth": 2}, name) for name in PARAMETERS]
ALL_ALIKE = [(dict.fromkeys(PARAMETERS, value), None) for value in ("", -1, 1e15, 0.5)]


@pytest.mark.parametrize(("supports", "strange"), ALL_BUT_ONE + ALL_ALIKE)
def test_a_value_that_is_none_of_its_kind_is_let_be(supports: dict[str, Value], strange: str | None) -> None:
    written: list[bytes] = []
    policy = Policy.model_validate({"parameters": {"mode": "enforce"}, "pace": {"warm_up_s": 0}})
    replay = Replay(policy, written.append)
    work = [work for n in range(1, 60) for work in start_and_fail(n)]
    replay.run([line(0, "orchestrator.registered", orchestrator="o", supports=supports), *work, clock(6_000)])
    assert not replay.bad
    changes = [orjson.loads(text)["data"]["changes"] for text in written if b'"config.change"' in text]
    if strange not in {None, "consensus.frequency"}:
        assert strange not in {shift["parameter"] for shifts in changes for shift in shifts}


def start_and_fail(n: int) -> list[bytes]:
    task = {"task": f"t{n}", "agent": "a"}
    started = line(60 * n, "agent.task.started", **task)
    return [started, line(60 * n + 1, "agent.task.finished", **task, outcome="failed", duration_ms=9)]
