import stat
from pathlib import Path

import pytest

from meta_orchestrator.wire.trust import load_key, load_trust
from tests.cli.conftest import Run


def test_a_new_key_is_secret_and_believed(run: Run):
    assert (
        run("keys", "generate", "worker-1", "--role", "worker", "--projects", "a, b", "--trust", "t.toml").status == 0
    )
    assert run("keys", "generate", "alice", "--trust", "t.toml").status == 0
    assert stat.S_IMODE(Path("worker-1.key").stat().st_mode) == 0o600
    keys = load_trust(Path("t.toml")).keys
    assert (keys["worker-1"].role, keys["worker-1"].projects) == ("worker", {"a", "b"})
    assert (keys["alice"].role, keys["alice"].projects) == ("operator", {"*"})
    own = load_key(Path("alice.key")).private.public_key()
    assert own.public_bytes_raw() == keys["alice"].public.public_bytes_raw()


def test_without_a_trust_file_the_entry_is_printed_for_others_to_add(run: Run):
    done = run("keys", "generate", "alice")
    Path("theirs.toml").write_text(done.out)
    assert list(load_trust(Path("theirs.toml")).keys) == ["alice"]


def test_a_key_is_never_overwritten_and_a_name_never_given_twice(run: Run):
    run("keys", "generate", "alice", "--trust", "t.toml")
    before = (Path("alice.key").read_bytes(), Path("t.toml").read_bytes())
    assert run("keys", "generate", "alice").status == 2
    assert run("keys", "generate", "alice", "--out", "other.key", "--trust", "t.toml").status == 2
    assert (Path("alice.key").read_bytes(), Path("t.toml").read_bytes()) == before
    assert not Path("other.key").exists()


@pytest.mark.parametrize("trust", ["nowhere/t.toml", ".", "/dev/full"])
def test_no_key_is_written_where_its_trust_file_cannot_be(run: Run, trust: str):
    done = run("keys", "generate", "eve", "--trust", trust)
    assert (done.status, Path("eve.key").exists()) == (2, False)
    assert f"--trust = '{trust}': must be a file" in done.err


def test_a_key_that_is_no_good_from_the_start_is_not_made(run: Run):
    assert run("keys", "generate", "eve", "--valid", "0s").status == 2
    assert not Path("eve.key").exists()
