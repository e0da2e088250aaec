"""Who may sign what: the trust file (public keys, roles, projects) and the key file (CONTRACT §2, §6). Both are TOML.

[[keys]]                                      # trust file
id = "alice"
public = "base64 of the raw 32 bytes"
role = "operator"                             # or "worker"
projects = ["checkout"]                       # "*" is every project
not_after = 2027-01-01T00:00:00Z

id = "alice"                                  # key file
private = "base64 of the raw 32 bytes"
"""

import os
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from json import dumps
from pathlib import Path
from typing import Any, Literal, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from meta_orchestrator.errors import SettingsError
from meta_orchestrator.messages.fields import format_time_us, parse_time_us
from meta_orchestrator.toml import read_toml

Role = Literal["worker", "operator"]
ANY_PROJECT = "*"
_ID = re.compile(r"[A-Za-z0-9._@-]+")
_FIELDS = ("id", "public", "role", "projects", "not_after")


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One `[[keys]]`: it speaks for `role` in `projects`, up to `not_after_us`."""

    id: str
    public: Ed25519PublicKey
    role: Role
    projects: frozenset[str]
    not_after_us: int

    def refusal(self, role: Role, project: str | None, at_us: int) -> str | None:
        """Why this key may not speak there (None: anywhere) and then; None if it may."""
        if self.role != role:
            return f"key {self.id} has the role {self.role}, this needs {role}"
        if project is not None and not self.projects & {project, ANY_PROJECT}:
            return f"key {self.id} is not for project {project}"
        if at_us > self.not_after_us:
            return f"key {self.id} ended at {format_time_us(self.not_after_us)}"
        return None


@dataclass(frozen=True, slots=True)
class Trust:
    """All trusted keys by id. Without any, nothing that must be signed is believed."""

    keys: Mapping[str, TrustedKey] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of our own, to sign with."""

    id: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        return b64encode(self.private.public_key().public_bytes_raw()).decode()


def misfit(trust: Trust, own: Key, role: Role | None, project: str | None, at_us: int) -> str | None:
    """Why others would not believe what our own key signs (None for a role or a project: any); None if they would."""
    trusted = trust.keys.get(own.id)
    if trusted is None:
        return f"key {own.id} is not in the trust file"
    if b64encode(trusted.public.public_bytes_raw()).decode() != own.public:
        return f"the trust file has another public key for {own.id}"
    return trusted.refusal(role or trusted.role, project, at_us)


def require_trusted(
    trust: Trust, own: Key, files: tuple[Path | None, Path | None], role: Role, project: str | None, at_us: int
) -> None:
    """SettingsError where what our own key signs would not count; `files` are those of the trust and of the key."""
    if why := misfit(trust, own, role, project, at_us):
        right = f"must be a trusted key of role {role}: {why} ({files[0]})"
        raise SettingsError("key", str(files[1]), right)


def generate(key_id: str) -> Key:
    return Key(_id("id", key_id), Ed25519PrivateKey.generate())


def load_trust(path: Path) -> Trust:
    """The trust file; SettingsError names the entry and the field that is wrong."""
    content = read_toml("trust", path)
    entries = content.get("keys")
    if not isinstance(entries, list) or set(content) != {"keys"}:
        raise SettingsError("trust", str(path), "a trust file has [[keys]] and nothing else")
    keys: dict[str, TrustedKey] = {}
    for number, entry in enumerate(entries):
        key = _trusted(f"keys[{number}]", entry)
        if key.id in keys:
            raise SettingsError(f"keys[{number}].id", key.id, "each id stands once in a trust file")
        keys[key.id] = key
    return Trust(keys)


def load_key(path: Path) -> Key:
    content = read_toml("key", path)
    if set(content) != {"id", "private"}:
        raise SettingsError("key", str(path), "a key file has id and private and nothing else")
    private = Ed25519PrivateKey.from_private_bytes(_raw("private", content["private"], secret=True))
    return Key(_id("id", content["id"]), private)


def write_key(path: Path, key: Key) -> None:
    """A new file that only its owner may read; an existing one is never overwritten."""
    private = b64encode(key.private.private_bytes_raw()).decode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError("key", str(path), f"must be a new file in an existing folder ({error.strerror})") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"id = {_quoted(key.id)}\nprivate = {_quoted(private)}\n")


def trust_entry(key: Key, role: Role, projects: Sequence[str], not_after_us: int) -> str:
    """The `[[keys]]` to add to trust files, so that `key` is believed."""
    names = ", ".join(_quoted(project) for project in projects)
    return (
        f"[[keys]]\nid = {_quoted(key.id)}\npublic = {_quoted(key.public)}\nrole = {_quoted(role)}\n"
        f"projects = [{names}]\nnot_after = {format_time_us(not_after_us)}\n"
    )


def _quoted(text: str) -> str:
    return dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML's basic strings are JSON's but for DEL


def _trusted(place: str, entry: Any) -> TrustedKey:
    if not isinstance(entry, dict) or set(entry) != set(_FIELDS):
        named = sorted(entry) if isinstance(entry, dict) else entry
        raise SettingsError(place, named, f"must have {', '.join(_FIELDS)} and nothing else")
    if entry["role"] not in get_args(Role):
        raise SettingsError(f"{place}.role", entry["role"], "must be worker or operator")
    return TrustedKey(
        _id(f"{place}.id", entry["id"]),
        _public(f"{place}.public", entry["public"]),
        entry["role"],
        _projects(f"{place}.projects", entry["projects"]),
        _not_after(f"{place}.not_after", entry["not_after"]),
    )


def _id(key: str, value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise SettingsError(key, value, "must be letters, digits and . _ @ -")
    return value


def _raw(key: str, value: Any, secret: bool = False) -> bytes:
    shown = "(secret)" if secret else value
    try:
        raw = b64decode(value, validate=True)
    except (Base64Error, TypeError, ValueError) as error:
        raise SettingsError(key, shown, "must be base64 of 32 bytes") from error
    if len(raw) != 32:
        raise SettingsError(key, shown, f"must be base64 of 32 bytes, these are {len(raw)}")
    return raw


def _public(key: str, value: Any) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_raw(key, value))


def _projects(key: str, value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise SettingsError(key, value, 'must be a list of project names, or ["*"] for every project')
    return frozenset(value)


def _not_after(key: str, value: Any) -> int:
    """A TOML date and time, or the same as a string; without an offset it would mean another instant elsewhere."""
    text = value.isoformat() if isinstance(value, datetime) else value
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise SettingsError(key, value, "must be a time such as 2027-01-01T00:00:00Z") from error
    if moment.tzinfo is None:
        raise SettingsError(key, value, "must have an offset, such as 2027-01-01T00:00:00Z")
    return parse_time_us(text)
