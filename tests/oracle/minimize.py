"""The fewest lines that still disagree: dropping lines finds them far faster than shrinking the draws does."""

from collections.abc import Callable
from dataclasses import replace

from tests.oracle.strategies import File, Line


def minimize(file: File, fails: Callable[[File], object]) -> File:
    """A file that fails still, and no longer does so if any one line is dropped."""
    lines, size = file.lines, max(1, len(file.lines) // 2)
    while size:
        for start in reversed(range(0, len(lines), size)):
            fewer: list[Line] = lines[:start] + lines[start + size :]
            if fewer and fails(replace(file, lines=fewer)):
                lines = fewer
        size //= 2
    return replace(file, lines=lines)
