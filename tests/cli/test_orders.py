"""What is sent is what the worker takes: checked here by the worker's own reading."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.cli import answers, known, sending
from meta_orchestrator.cli.answers import Answer
from meta_orchestrator.cli.orders import value_of
from meta_orchestrator.cli.times import now_us, span_us
from meta_orchestrator.messages.fields import SECOND, parse_time_us
from meta_orchestrator.wire.records import partition_of, read
from meta_orchestrator.wire.trust import load_trust
from tests.cli.conftest import Run

PROJECT = "checkout"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes, str]]:
    """(key, value, signature) of what would have gone to the broker."""
    taken: list[tuple[bytes, bytes, str]] = []

    async def take(_: Any, key: bytes, value: bytes, signature: str) -> tuple[int, int]:
        taken.append((key, value, signature))
        return 3, 17

    monkeypatch.setattr(sending, "_publish", take)
    return taken


ORDERS: dict[str, tuple[list[str], str, dict[str, Any]]] = {
    "freeze": (["--until", "2030-01-01T00:00:00Z"], "control.freeze", {"until": "2030-01-01T00:00:00Z"}),
    "override": (
        ["workflow.wip_limit", "2", "--for", "7d"],
        "control.override",
        {"parameter": "workflow.wip_limit", "value": 2},
    ),
    "rollback": (["c0ffee"], "control.rollback", {"change": "c0ffee"}),
    "reset": ([], "control.rollback", {"to_version": 0}),
    "approve": (["p1"], "control.approve", {"proposal": "p1"}),
    "decline": (["p1"], "control.decline", {"proposal": "p1"}),
}


@pytest.mark.parametrize("command", ORDERS)
def test_the_worker_takes_what_an_operator_sends(run: Run, sent: list[Any], command: str):
    words, kind, data = ORDERS[command]
    run("keys", "generate", "alice", "--trust", "trust.toml")
    flags = ("-p", PROJECT, "--reason", "because", "--owner", "alice@desk", "--key", "alice.key", "--no-wait")
    done = run(command, *words, *flags)
    assert done.status == 0, done.err
    assert f"sent {command} for project {PROJECT}" in done.out
    ((key, value, signature),) = sent
    partition = partition_of(key, 8)
    headers = [("signature", signature.encode())]
    trust = load_trust(Path("trust.toml"))
    project, event = read("control-commands", partition, 8, key, value, headers, now_us() // 1000, 0, trust)
    assert (project, event[3]) == (PROJECT, kind)
    assert event[4].items() >= (data | {"reason": "because", "owner": "alice@desk"}).items()


def test_unfreeze_is_a_freeze_until_now(run: Run, sent: list[Any]):
    run("keys", "generate", "alice")
    before = now_us()
    assert run("unfreeze", "-p", PROJECT, "--reason", "out", "--key", "alice.key", "--no-wait").status == 0
    data = orjson.loads(sent[0][1])["data"]
    assert before <= parse_time_us(data["until"]) <= now_us()
    assert "@" in data["owner"]


def test_two_orders_have_two_identities(run: Run, sent: list[Any]):
    run("keys", "generate", "alice")
    for _ in range(2):
        run("reset", "-p", PROJECT, "--reason", "again", "--key", "alice.key", "--no-wait")
    first, second = (orjson.loads(value)["id"] for _, value, _ in sent)
    assert first != second


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("w1", "key w1 has the role worker, this needs operator"),
        ("bob", "key bob is not for project checkout"),
        ("carol", "key carol is not in the trust file"),
        ("old", "key old ended at "),
    ],
)
def test_an_order_that_nobody_would_obey_is_not_sent(run: Run, sent: list[Any], key: str, why: str):
    run("keys", "generate", "w1", "--role", "worker", "--trust", "trust.toml")
    run("keys", "generate", "bob", "--projects", "billing", "--trust", "trust.toml")
    run("keys", "generate", "old", "--valid", "0.001s", "--trust", "trust.toml")
    run("keys", "generate", "carol")
    done = run("reset", "-p", PROJECT, "--reason", "x", "--key", f"{key}.key", "--trust", "trust.toml")
    assert (done.status, done.err.count("\n"), sent) == (2, 1, [])
    assert f"key = '{key}.key': must be a trusted key of role operator: {why}" in done.err


Reply = Callable[[Answer | None], None]


@pytest.fixture
def reply(monkeypatch: pytest.MonkeyPatch) -> Reply:
    """A broker with events of a project `checkout`, whose worker gives this answer."""

    async def spoken_of(*_: Any) -> set[str]:
        return {PROJECT}

    monkeypatch.setattr(known, "_spoken_of", spoken_of)

    def with_answer(told: Answer | None) -> None:
        class Replying(answers.Answers):
            async def answer(self, *_: Any) -> Answer | None:
                return told

        monkeypatch.setattr(answers, "following", lambda *_: nullcontext(Replying(cast("Any", None), b"")))

    return with_answer


WAITING = "waiting up to 90 s for the answer (--no-wait does not)\n"
ORDER = ("reset", "--reason", "x", "--key", "alice.key", "-p")


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(
    ("told", "status", "out", "err"),
    [
        (Answer("Changed: done."), 0, "Changed: done.\n", ""),
        (Answer("Refused: not now.", refused=True), 1, "", "Refused: not now.\n"),
        (None, 5, "", "no answer within 90 s; the reset is sent and may still act: does a worker run, "),
    ],
)
def test_a_script_can_tell_done_from_refused_and_from_unanswered(
    run: Run, reply: Reply, told: Answer | None, status: int, out: str, err: str
):
    run("keys", "generate", "alice")
    reply(told)
    done = run(*ORDER, PROJECT)
    assert (done.status, done.out.split("offset 17\n")[1]) == (status, out)
    assert done.err.startswith(WAITING + err)


def test_an_order_for_a_project_that_nobody_knows_is_not_sent_unless_it_is_meant(
    run: Run, reply: Reply, sent: list[Any]
):
    run("keys", "generate", "alice")
    reply(None)
    slip = run(*ORDER, "chekout")
    assert (slip.status, sent) == (2, [])
    assert slip.err == (
        "meta-orchestrator: --project = 'chekout': nothing is known of it (did you mean checkout?); known: checkout; "
        "--no-wait sends it all the same\n"
    )
    assert run(*ORDER, "chekout", "--no-wait").status == 0
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        ("-1", -1),
        ("0.5", 0.5),
        ("critical_changes_only", "critical_changes_only"),
        ("nan", "nan"),
        ("inf", "inf"),
    ],
)
def test_a_value_is_a_number_where_it_reads_as_one(text: str, value: object):
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


@given(st.integers(0, 30), st.integers(0, 23), st.integers(0, 59), st.integers(1, 59))
def test_a_span_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, seconds: int):
    parts = f"{days}d{hours}h{minutes}m{seconds}s"
    assert span_us(parts, "--since") == (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * SECOND
