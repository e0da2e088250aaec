"""Where the real data is. It belongs to others, so it lies beside the checkout and not in it."""

import os
from pathlib import Path


class Absent(Exception):
    """A set is not on this machine."""


def data(*parts: str) -> Path:
    """A file or folder of the real data; META_ORCHESTRATOR_JUDGE_DATA says where it is when it is elsewhere."""
    root = os.environ.get("META_ORCHESTRATOR_JUDGE_DATA") or Path(__file__).parents[2] / "shared" / "data"
    path = Path(root).joinpath(*parts)
    if not path.exists():
        raise Absent(f"{path} does not exist: set META_ORCHESTRATOR_JUDGE_DATA")
    return path
