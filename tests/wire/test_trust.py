"""Key and trust files, and config changes that only a worker may sign."""

import stat
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.errors import BadRecord, SettingsError
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.wire.signing import sign, verify
from meta_orchestrator.wire.trust import Trust, TrustedKey, generate, load_key, load_trust, trust_entry, write_key

WHEN_US = parse_time_us("2026-03-02T09:00:00Z")
UNTIL_US = parse_time_us("2027-01-01T00:00:00Z")
PUBLIC = generate("alice").public
ENTRY = f"""[[keys]]
id = "alice"
public = "{PUBLIC}"
role = "operator"
projects = ["checkout"]
not_after = 2027-01-01T00:00:00Z
"""


def wrong(path: Path, content: str | bytes) -> SettingsError:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(SettingsError) as caught:
        load_trust(path)
    return caught.value


def test_what_is_generated_is_believed_after_both_files_were_written_and_read(tmp_path: Path) -> None:
    key = generate("worker-1")
    write_key(tmp_path / "worker.key", key)
    (tmp_path / "trust.toml").write_text(ENTRY + "\n" + trust_entry(key, "worker", ["*"], UNTIL_US))
    own, trust = load_key(tmp_path / "worker.key"), load_trust(tmp_path / "trust.toml")
    header = sign(own, "config-changes", b"checkout", b"{}").encode()
    assert verify(trust, "worker", "checkout", header, "config-changes", b"checkout", b"{}", WHEN_US) == "worker-1"


def test_an_operators_key_cannot_sign_a_config_change(tmp_path: Path) -> None:
    key = generate("alice")
    (tmp_path / "trust.toml").write_text(trust_entry(key, "operator", ["*"], UNTIL_US))
    trust = load_trust(tmp_path / "trust.toml")
    header = sign(key, "config-changes", b"checkout", b"{}").encode()
    with pytest.raises(BadRecord, match="untrusted"):
        verify(trust, "worker", "checkout", header, "config-changes", b"checkout", b"{}", WHEN_US)


ONE = ("config-changes", b"checkout", b'{"a":1}')


@given(
    st.sampled_from(["config-changes", "control-commands"]),
    st.just(b"checkout") | st.binary(max_size=9),
    st.just(b'{"a":1}') | st.binary(max_size=9),
)
def test_a_signature_holds_for_its_own_topic_key_and_value_only(topic: str, record_key: bytes, value: bytes) -> None:
    key = generate("w")
    trust = Trust({"w": TrustedKey("w", key.private.public_key(), "worker", frozenset("*"), UNTIL_US)})
    signature = sign(key, *ONE).encode()
    if (topic, record_key, value) == ONE:
        assert verify(trust, "worker", "checkout", signature, topic, record_key, value, WHEN_US) == "w"
        return
    with pytest.raises(BadRecord, match="bad_signature"):
        verify(trust, "worker", "checkout", signature, topic, record_key, value, WHEN_US)


def test_the_signature_is_ed25519_over_the_bytes_that_the_contract_names() -> None:
    key = generate("w")
    expected = key.private.sign(b"mo1\0config-changes\0checkout\0{}")  # Ed25519 is deterministic (RFC 8032)
    name, _, encoded = sign(key, "config-changes", b"checkout", b"{}").partition(":")
    assert (name, b64decode(encoded)) == ("w", expected)


def test_a_key_file_is_for_its_owners_eyes_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "alice.key"
    write_key(path, generate("alice"))
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(SettingsError, match="new file"):
        write_key(path, generate("alice"))
    assert path.read_bytes() == before


@pytest.mark.parametrize("spelling", ["2027-01-01T00:00:00Z", '"2027-01-01T00:00:00Z"', "2027-01-01T01:00:00+01:00"])
def test_not_after_is_a_time_in_any_spelling(tmp_path: Path, spelling: str) -> None:
    (tmp_path / "t").write_text(ENTRY.replace("2027-01-01T00:00:00Z", spelling))
    assert load_trust(tmp_path / "t").keys["alice"].not_after_us == UNTIL_US


@pytest.mark.parametrize(
    ("was", "becomes", "key"),
    [
        ('id = "alice"', 'id = ""', "keys[0].id"),
        ('id = "alice"', 'id = "a:b"', "keys[0].id"),
        ('id = "alice"', "id = 3", "keys[0].id"),
        (PUBLIC, "not base64", "keys[0].public"),
        (PUBLIC, "AAAA", "keys[0].public"),
        ('"operator"', '"boss"', "keys[0].role"),
        ('["checkout"]', '"checkout"', "keys[0].projects"),
        ('["checkout"]', "[]", "keys[0].projects"),
        ('["checkout"]', '["checkout", 3]', "keys[0].projects"),
        ("2027-01-01T00:00:00Z", '"soon"', "keys[0].not_after"),
        ("2027-01-01T00:00:00Z", "2027-01-01", "keys[0].not_after"),
        ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00", "keys[0].not_after"),
        ("2027-01-01T00:00:00Z", "3", "keys[0].not_after"),
        ('role = "operator"\n', "", "keys[0]"),
        ("role =", "rank =", "keys[0]"),
    ],
    ids=lambda text: text.replace(PUBLIC, "public"),  # made anew in each process
)
def test_a_wrong_entry_of_a_trust_file_is_named(tmp_path: Path, was: str, becomes: str, key: str) -> None:
    assert was in ENTRY
    assert wrong(tmp_path / "t", ENTRY.replace(was, becomes)).key == key


def test_a_trust_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for content in ("keys = 3", "", "[keys]", "x = 1\n" + ENTRY, "[[keys", b"\xff"):
        assert wrong(tmp_path / "t", content).key == "trust"
    assert wrong(tmp_path / "t", ENTRY + ENTRY).key == "keys[1].id"
    with pytest.raises(SettingsError, match="can be read"):
        load_trust(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content", ['id = "a"', 'id = "a"\nprivate = "AAAA"', 'id = ""\nprivate = "x"', "id = 1\nprivate = 2"]
)
def test_a_wrong_key_file_is_refused_without_showing_the_secret(tmp_path: Path, content: str) -> None:
    (tmp_path / "k").write_text(content)
    with pytest.raises(SettingsError) as caught:
        load_key(tmp_path / "k")
    assert "AAAA" not in str(caught.value)
