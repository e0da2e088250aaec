"""Where the broker is and which files to use (CONTRACT §6), read once: flags, else environment, else a TOML file, else
defaults. An error names the setting, where it was set, and what is right. Part of the base install.

    broker = "kafka-1:9092,kafka-2:9092"          # settings file; paths in it are relative to its folder
    trust = "trust.toml"
    security_protocol = "SASL_SSL"
    sasl_mechanism = "SCRAM-SHA-512"
    username = "meta-orchestrator"                # the password better from META_ORCHESTRATOR_PASSWORD
"""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from meta_orchestrator.errors import SettingsError, did_you_mean, most_like
from meta_orchestrator.toml import read_toml
from meta_orchestrator.wire.trust import Key, Trust, load_key, load_trust

ENVIRONMENT = "META_ORCHESTRATOR_"
HIDDEN = "…"
"""Shown in place of what may be a secret."""
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
PATHS = ("policy", "trust", "key", "ssl_cafile")
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_SECRET = re.compile("pass|pwd|secret|token", re.IGNORECASE)
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,100}")  # with the longest topic name it stays below Kafka's 249


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. What can be checked without opening a file or a connection is checked when it is made."""

    broker: str = "localhost:9092"
    prefix: str = ""
    policy: Path | None = None
    trust: Path | None = None
    key: Path | None = None
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ssl_cafile: Path | None = None

    def __post_init__(self) -> None:
        _check_broker(self.broker)
        if not _PREFIX.fullmatch(self.prefix):
            raise SettingsError("prefix", self.prefix, "must be at most 100 letters, digits and . _ -")
        _check_security(self)

    @property
    def uses_sasl(self) -> bool:
        return self.security_protocol.startswith("SASL_")

    @property
    def uses_tls(self) -> bool:
        return self.security_protocol.endswith("SSL")

    def ssl_context(self) -> ssl.SSLContext | None:
        """TLS that checks the broker's name and certificate; None where there is no TLS."""
        if not self.uses_tls:
            return None
        try:
            return ssl.create_default_context(cafile=self.ssl_cafile)
        except OSError as error:  # ssl.SSLError is one
            raise SettingsError("ssl_cafile", str(self.ssl_cafile), f"must be a PEM file ({error})") from error

    def kafka_options(self) -> dict[str, Any]:
        """Keyword arguments of every aiokafka client; the broker's address is not among them."""
        options: dict[str, Any] = {"security_protocol": self.security_protocol}
        if self.uses_tls:
            options["ssl_context"] = self.ssl_context()
        if self.uses_sasl:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password
        return options

    def signing_key(self) -> Key:
        if self.key is None:
            raise SettingsError("key", None, "name a key file to sign with, with --key; `keys generate` makes one")
        return load_key(self.key)

    def trusted_keys(self) -> Trust:
        """Whose signatures count; nobody's where no trust file is named."""
        return Trust() if self.trust is None else load_trust(self.trust)


NAMES = tuple(one.name for one in fields(Settings))


def load_settings(settings: Path | None = None, environment: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """Flags (None is not given), else `META_ORCHESTRATOR_*` (empty is not given), else the file, else the defaults."""
    unknown = sorted(set(flags) - set(NAMES))
    if unknown:
        raise TypeError(f"no such settings: {', '.join(unknown)}")
    given: dict[str, Any] = {
        **({} if settings is None else _from_file(Path(settings))),
        **_from_environment(os.environ if environment is None else environment),
        **{name: value for name, value in flags.items() if value is not None},
    }
    typed: dict[str, Any] = {name: Path(value) if name in PATHS else value for name, value in given.items()}
    return Settings(**typed)


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    _check_spelling(environment)
    named = ((name, environment.get(ENVIRONMENT + name.upper())) for name in NAMES)
    return {name: value for name, value in named if value}


def _check_spelling(environment: Mapping[str, str]) -> None:
    """Refuse what is nearly a setting. What is like none may be somebody else's: Kubernetes sets `…_PORT` for a service
    that is called as we are. The value is not shown, it may be a secret."""
    for variable in sorted(name for name in environment if name.startswith(ENVIRONMENT)):
        name = variable.removeprefix(ENVIRONMENT).lower()
        like = most_like(name, NAMES)
        if like and name not in NAMES:
            right = ENVIRONMENT + like.upper()
            raise SettingsError(variable, HIDDEN, f"there is no such setting (did you mean {right}?)")


def _from_file(path: Path) -> dict[str, Any]:
    content = read_toml("settings", path)
    for name, value in content.items():
        if name not in NAMES:
            known = f"there is no such setting in {path}{did_you_mean(name, NAMES)}: {', '.join(NAMES)}"
            raise SettingsError(name, _shown(name, value), known)
        if not isinstance(value, str):
            raise SettingsError(name, _shown(name, value), f"must be a string in {path}")
    return {name: path.parent / value if name in PATHS else value for name, value in content.items()}


def _shown(name: str, value: Any) -> Any:
    """A wrong setting's value, unless it may be a secret or hold one."""
    is_secret = _SECRET.search(name) or most_like(name, NAMES) == "password"
    return HIDDEN if is_secret or isinstance(value, dict | list) else value


def _check_broker(broker: str) -> None:
    for address in broker.split(","):
        found = _HOST_PORT.fullmatch(address.strip())
        if not found or not 1 <= int(found[2]) <= 65_535:
            raise SettingsError("broker", broker, "must be HOST:PORT, several with commas between them")


def _check_security(settings: Settings) -> None:
    if settings.security_protocol not in PROTOCOLS:
        raise SettingsError("security_protocol", settings.security_protocol, f"must be one of {', '.join(PROTOCOLS)}")
    if settings.ssl_cafile is not None and not settings.uses_tls:
        raise SettingsError("ssl_cafile", str(settings.ssl_cafile), "needs security_protocol SSL or SASL_SSL")
    for name in ("sasl_mechanism", "username", "password"):
        _check_credential(name, getattr(settings, name), settings.uses_sasl)
    if settings.uses_sasl and settings.sasl_mechanism not in MECHANISMS:
        raise SettingsError("sasl_mechanism", settings.sasl_mechanism, f"must be one of {', '.join(MECHANISMS)}")


def _check_credential(name: str, value: str | None, wanted: bool) -> None:
    shown = "(secret)" if name == "password" and value else value
    if wanted and not value:
        raise SettingsError(name, shown, "must be set where security_protocol is SASL_PLAINTEXT or SASL_SSL")
    if value and not wanted:
        raise SettingsError(name, shown, "needs security_protocol SASL_PLAINTEXT or SASL_SSL")
