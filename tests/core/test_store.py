"""What is stored at each tick is enough: a worker that dies after any tick goes on as if nothing had happened."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.core import pages, project
from meta_orchestrator.core.loop import Loop
from meta_orchestrator.errors import ForeignState
from meta_orchestrator.policy import Policy
from meta_orchestrator.wire.journal import read_line
from tests.core.making import line

POLICY = Policy.model_validate({"samples": {"p95": 3, "rate": 3}})


def journal(seed: int, count: int) -> list[bytes]:
    """A busy team of six, with everything that a project remembers."""
    rng, lines = random.Random(seed), []
    for n in range(count):
        at_s, agent, task = n * 1.7, f"a{rng.randrange(6)}", f"t{n - rng.randrange(30)}"
        names = {"task": task, "agent": agent}
        pair = {
            "handoff": f"h{n - rng.randrange(3)}",
            "task": task,
            "from_agent": agent,
            "to_agent": f"a{rng.randrange(6)}",
        }
        choices: list[tuple[str, dict[str, object]]] = [
            ("agent.task.started", {**names, "points": rng.randrange(3)}),
            ("agent.task.finished", {**names, "outcome": "succeeded", "duration_ms": rng.random() * 1e4}),
            ("agent.task.blocked", {**names, "waiting_for": ["x"]}),
            ("agent.heartbeat", {"agent": agent, "utilization": round(rng.random(), 3)}),
            ("agent.handoff.started", pair),
            ("agent.handoff.completed", {**pair, "wait_ms": 4}),
            ("consensus.vote.cast", {"round": f"r{n // 9}", "agent": agent, "choice": "approve"}),
            (
                "consensus.round.closed",
                {
                    "round": f"r{n // 9}",
                    "item": "i",
                    "outcome": "rejected",
                    "latency_ms": rng.random() * 1e4,
                    "attempt": 1,
                },
            ),
        ]
        kind, data = rng.choice(choices)
        lines.append(line(at_s, kind, project=f"p{n % 2}", id=str(n), **data))
    return lines


def run(lines: list[bytes], restart: bool) -> list[bytes]:
    loop, heads, panes, written = Loop(POLICY), {}, {}, []
    read = []
    for number, text in enumerate(lines, 1):
        project, event, _ = read_line(text, number)
        reached_us = event[0] - POLICY.time.lateness_us
        read.append((str(project), event, reached_us))
        loop.observe(*read[-1])
        while (tick_us := loop.due(reached_us)) is not None:
            written += [output.to_json() for output in loop.decide(tick_us)]  # type: ignore[union-attr]
            for table, key, value in loop.rows():
                {"heads": heads, "panes": panes}[table][key] = value
            if restart:
                loop = Loop(POLICY)
                assert loop.restore(heads, panes, tick_us) == []
                for observed in read:  # from anywhere before: what was counted is passed over
                    loop.observe(*observed)
                read = read[-200:]
    return written


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_restart_after_every_tick_changes_nothing(seed: int) -> None:
    lines = journal(seed, 1500)
    unbroken = run(lines, restart=False)
    assert len(unbroken) > 200
    assert run(lines, restart=True) == unbroken


def test_a_changed_window_begins_anew_and_says_so() -> None:
    loop = Loop(POLICY)
    for number, text in enumerate(journal(1, 200), 1):
        project, event, _ = read_line(text, number)
        loop.observe(str(project), event, 0)
    tick_us = max(project.next_due_us() or 0 for project in loop.projects.values())
    loop.decide(tick_us)
    rows = loop.rows()
    heads, panes = ({key: value for t, key, value in rows if t == table} for table in ("heads", "panes"))
    other = Loop(Policy.model_validate({"time": {"window_s": 600}}))
    notes = other.restore(heads, panes, tick_us)
    assert sum("the window begins anew" in note for note in notes) == 2
    assert sum("is learnt anew from history" in note for note in notes) == 2


@pytest.mark.parametrize("stored", [None, 1])
def test_a_state_of_another_format_is_refused_with_a_way_out(
    stored: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "FORMAT", stored)
    head = project.Project("p", POLICY).head()
    monkeypatch.undo()
    with pytest.raises(ForeignState, match=f"p: .* format {stored or 'none'}, this build reads 2: run the build that"):
        Loop(POLICY).restore({b"p/p": head}, {}, 0)


def test_a_page_of_any_size_is_stored_in_pieces_that_kafka_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PIECE_BYTES", 100)
    lines = journal(4, 600)
    assert run(lines, restart=True) == run(lines, restart=False)


@given(st.binary(max_size=50), st.integers(1, 9))
def test_pieces_of_a_page_make_the_page_again(content: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "PIECE_BYTES", size)
        pieces = [stored for _, stored in pages.cut(7, content)]
    assert all(len(piece) <= size + 12 for piece in pieces)
    assert pages.joined(pieces[::-1], 7, 7) == [content]


def test_pieces_of_another_page_are_passed_over_and_a_missing_piece_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PIECE_BYTES", 2)
    old, new = ([stored for _, stored in pages.cut(page, b"abcdef")] for page in (1, 41))
    assert pages.joined([*old[1:], *new], 2, 41) == [b"abcdef"]
    with pytest.raises(ValueError, match="page 1 has 2 of its 3 pieces"):
        pages.joined([*old[1:], *new], 1, 41)
