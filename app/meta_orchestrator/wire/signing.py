"""Ed25519 signatures over where a record stands and what it says (CONTRACT §2): header `signature: KEYID:BASE64`."""

from base64 import b64decode, b64encode
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.wire.trust import Key, Role, Trust, TrustedKey

HEADER = "signature"


def sign(key: Key, topic: str, record_key: bytes, value: bytes) -> str:
    """The value of the `signature` header; `topic` without prefix."""
    signature = key.private.sign(_signed(topic, record_key, value))
    return f"{key.id}:{b64encode(signature).decode()}"


def signature_of(headers: Iterable[tuple[str, bytes]]) -> bytes | None:
    """The `signature` header; several are none, since nobody could say which one counts."""
    found = [raw for name, raw in headers if name == HEADER]
    return found[0] if len(found) == 1 else None


def verify(
    trust: Trust,
    role: Role,
    project: str,
    signature: bytes | None,
    topic: str,
    record_key: bytes,
    value: bytes,
    at_us: int,
) -> str:
    """The id of the key that signed, if it may speak for `role` in `project` at `at_us`.

    BadRecord: `bad_signature` (none, malformed, does not hold) or `untrusted` (key unknown, role, project, date).
    """
    key, raw = _split(trust, signature)
    try:
        key.public.verify(raw, _signed(topic, record_key, value))
    except InvalidSignature as error:
        raise BadRecord("bad_signature", f"not what {key.id} signed: value, key or topic differ") from error
    refusal = key.refusal(role, project, at_us)
    if refusal is not None:
        raise BadRecord("untrusted", refusal)
    return key.id


def _signed(topic: str, record_key: bytes, value: bytes) -> bytes:
    return b"\0".join((b"mo1", topic.encode(), record_key, value))


def _split(trust: Trust, signature: bytes | None) -> tuple[TrustedKey, bytes]:
    if signature is None:
        raise BadRecord("bad_signature", "must have one signature header")
    key_id, colon, encoded = signature.rpartition(b":")
    try:
        name, raw = key_id.decode("ascii"), b64decode(encoded, validate=True)
    except ValueError as error:  # binascii.Error, UnicodeDecodeError
        raise BadRecord("bad_signature", "must be KEYID:BASE64") from error
    if not colon or len(raw) != 64:
        raise BadRecord("bad_signature", "must be KEYID:BASE64 of 64 bytes")
    if name not in trust.keys:
        raise BadRecord("untrusted", f"key {name} is not in the trust file")
    return trust.keys[name], raw
