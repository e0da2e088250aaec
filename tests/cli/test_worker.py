"""A worker that could do no good does not start."""

import asyncio
import socket
from typing import Any, cast

import pytest

from meta_orchestrator.drivers.live.health import Health
from meta_orchestrator.errors import SettingsError
from tests.cli.conftest import Run


@pytest.fixture
def keys(run: Run) -> None:
    """alice, an operator, w1 and w2, workers, and old, one whose time is over; the trust file does not know w2."""
    run("keys", "generate", "alice", "--trust", "trust.toml")
    run("keys", "generate", "w1", "--role", "worker", "--trust", "trust.toml")
    run("keys", "generate", "old", "--role", "worker", "--valid", "0.001s", "--trust", "trust.toml")
    run("keys", "generate", "w2", "--role", "worker")
    run("keys", "generate", "w1", "--role", "worker", "--out", "twin.key")


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("alice", "key alice has the role operator, this needs worker"),
        ("w2", "key w2 is not in the trust file"),
        ("twin", "the trust file has another public key for w1"),
        ("old", "key old ended at "),
    ],
)
def test_a_key_whose_changes_nobody_would_obey_is_named_before_any_connection(run: Run, key: str, why: str):
    done = run("worker", "--broker", "127.0.0.1:9", "--key", f"{key}.key", "--trust", "trust.toml")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert f"key = '{key}.key': must be a trusted key of role worker: {why}" in done.err


def test_what_was_not_given_is_said_so(run: Run):
    done = run("worker")
    assert done.status == 2
    assert done.err.startswith("meta-orchestrator: trust: not given: name a trust file with --trust")


def test_a_port_that_another_program_has_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        health = Health(cast("Any", None), "127.0.0.1", port)
        with pytest.raises(SettingsError, match=f"^--port = {port}: must be a free port of 127.0.0.1, or 0 for any"):
            asyncio.run(health.start())
