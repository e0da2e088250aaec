"""Everything that could grow without end has a cap."""

from collections import Counter

import orjson
from hypothesis import given, settings

from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.policy import Policy
from tests.core.making import clock, line
from tests.oracle.strategies import File, files
from tests.oracle.test_determinism import eager_policy

AGENTS = ("agent", "from_agent", "to_agent")


def test_what_would_pass_a_cap_is_dead_lettered_and_changes_nothing_else() -> None:
    policy = Policy.model_validate({"limits": {"agents": 2, "open_tasks": 2, "open_rounds": 1, "projects": 2}})
    written: list[bytes] = []
    replay = Replay(policy, written.append)
    starts = [line(n, "agent.task.started", task=f"t{n}", agent="a") for n in range(3)]
    others = [
        line(4, "agent.task.started", task="t1", agent="b"),  # moves what is held: nothing new
        line(5, "agent.heartbeat", agent="c", utilization=1),
        line(6, "consensus.vote.cast", round="r1", agent="a", choice="approve"),
        line(7, "consensus.vote.cast", round="r2", agent="a", choice="approve"),
        line(8, "agent.heartbeat", agent="a", utilization=1, project="p2"),
        line(9, "agent.heartbeat", agent="a", utilization=1, project="p3"),
    ]
    replay.run([*starts, *others, clock(30)])
    letters = [orjson.loads(text)["data"] for text in written if b"dead.letter" in text]
    assert Counter(letter["field"] for letter in letters) == {
        "data.task": 1,
        "data.agent": 1,
        "data.round": 1,
        "project": 1,
    }
    assert {letter["reason"] for letter in letters} == {"over_limit"}
    counts = [orjson.loads(text) for text in written if b"metrics.snapshot" in text]
    assert {o["project"]: sum(o["data"]["counts"].values()) for o in counts} == {"p": 4, "p2": 1}


def test_who_hands_on_to_itself_is_one_agent_more() -> None:
    policy = Policy.model_validate({"limits": {"agents": 1, "open_rounds": 1}})
    written: list[bytes] = []
    ends = {"handoff": "h", "task": "t", "from_agent": "a", "to_agent": "a"}
    replay = Replay(policy, written.append)
    replay.run(
        [line(1, "agent.handoff.started", **ends), line(2, "agent.handoff.completed", **ends, wait_ms=1), clock(30)]
    )
    assert not any(b"dead.letter" in text for text in written)


def outputs(file: File, policy: Policy) -> list[bytes]:
    written: list[bytes] = []
    Replay(policy, written.append).run(file.bytes)
    return written


@settings(max_examples=25, deadline=None)
@given(files())
def test_a_cap_that_is_reached_but_not_passed_changes_nothing(file: File) -> None:
    """Near a cap events are folded one by one, else all at once."""
    policy = eager_policy(file.settings)
    named = {(line.get("project"), line["data"].get(field)) for line in file.lines for field in AGENTS}
    most = max(Counter(project for project, name in named if name).values(), default=1)
    capped = policy.model_copy(update={"limits": policy.limits.model_copy(update={"agents": most})})
    assert outputs(file, capped) == outputs(file, policy)
