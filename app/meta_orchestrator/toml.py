"""What people write for us: settings, policies, mappings and trust files."""

import tomllib
from pathlib import Path
from typing import Any

from meta_orchestrator.errors import SettingsError


def read_toml(key: str, path: Path) -> dict[str, Any]:
    """What is in a TOML file. SettingsError, under a key of the caller's, where it cannot be read or is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(key, str(path), f"must be a file that can be read ({error.strerror})") from error
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        raise SettingsError(key, str(path), f"must be TOML ({error})") from error
