"""Wrong settings end with 2 before any connection, an absent broker with 4 after a wait that is announced."""

import socket
from pathlib import Path

import pytest

from meta_orchestrator.cli import connecting
from tests.cli.conftest import Run

ORDER = ("freeze", "-p", "checkout", "--for", "2h", "--reason", "release")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address where no broker listens, and little patience."""
    monkeypatch.setattr(connecting, "WAIT_S", 0.6)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("command", [["status"], ["history"], ["explain", "1"], ["doctor"], ["topics", "check"]])
def test_an_absent_broker_is_waited_for_aloud_and_not_for_ever(run: Run, nobody: str, command: list[str]):
    done = run(*command, "--broker", nobody)
    assert done.status == 4
    assert f"waiting up to 0.6 s for the broker at {nobody}\n" in done.err
    assert done.err.endswith(f"meta-orchestrator: no broker answered at {nobody} within 0.6 s\n")


def test_a_wrong_setting_is_named_with_its_value_and_what_is_right(run: Run):
    done = run("status", "--broker", "localhost")
    assert done.status == 2
    assert done.err == "meta-orchestrator: broker = 'localhost': must be HOST:PORT, several with commas between them\n"


@pytest.mark.parametrize(
    ("flag", "content", "said"),
    [
        ("--policy", "[pace]\nchanges_per_hour = 0", "policy.pace.changes_per_hour = 0:"),
        ("--trust", '[[keys]]\nid = "a"', "keys[0] = ['id']:"),
        ("--key", 'id = "a"', "key = "),
        ("--settings", "brokr = 'a:1'", "brokr = 'a:1':"),
    ],
)
def test_a_wrong_file_ends_before_any_connection(run: Run, nobody: str, flag: str, content: str, said: str):
    Path("wrong.toml").write_text(content)
    done = run("doctor", "--broker", nobody, flag, "wrong.toml")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"meta-orchestrator: {said}")


def test_an_order_without_a_key_is_refused_before_any_connection(run: Run, nobody: str):
    done = run(*ORDER, "--broker", nobody)
    assert done.status == 2
    assert "keys generate" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["freeze", "-p", "checkout", "--reason", "x"],
        ["freeze", "-p", "checkout", "--reason", "x", "--for", "2h", "--until", "2026-01-31T18:00:00Z"],
        ["freeze", "-p", "checkout", "--reason", "x", "--for", "two hours"],
        ["freeze", "-p", "checkout", "--reason", "x", "--until", "tomorrow"],
        ["freeze", "-p", "checkout", "--reason", "x", "--until", "2026-01-31T18:00:00"],
        ["freeze", "-p", "", "--reason", "x", "--for", "2h", "--key", "a.key"],
        ["freeze", "-p", "checkout", "--reason", "x", "--until", "2020-01-01T00:00:00Z"],
        ["override", "workflow.wip_limit", "2", "-p", "checkout", "--reason", "x", "--for", "8d"],
        ["override", "workflow.wip_limit", "2", "-p", "checkout", "--reason", "x", "--until", "2020-01-01T00:00:00Z"],
        ["rollback", "-p", "checkout", "--reason", "x"],
        ["rollback", "c1", "--to-version", "1", "-p", "checkout", "--reason", "x"],
        ["keys", "generate", "alice", "--role", "queen"],
        ["replay", "no-such-file.jsonl"],
        ["convert", "csv", "no-such-file.csv"],
    ],
)
def test_wrong_usage_ends_with_2_and_a_reason(run: Run, words: list[str]):
    run("keys", "generate", "a")
    done = run(*words)
    assert done.status == 2
    assert done.err
    assert not done.out
