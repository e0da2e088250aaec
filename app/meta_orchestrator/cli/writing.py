"""Where outputs go."""

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO
from os import fstat
from pathlib import Path
from typing import Any, BinaryIO

from meta_orchestrator.errors import SettingsError


@contextmanager
def writing(option: str, path: Path | None, *others: Path | None) -> Iterator[BinaryIO]:
    """A file, or stdout where none is named. What was in it stays until there is something to write instead.

    others: files that the command reads or writes too: this must be none of them.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if any(other is not None and _is_same(path, other) for other in others):
        raise SettingsError(option, str(path), "must be another file than those that are read or written beside it")
    is_new = not path.exists()
    try:
        file = _Anew(path, "ab")
    except OSError as error:
        raise SettingsError(option, str(path), f"must be a file that can be written ({error.strerror})") from error
    try:
        with BufferedWriter(file) as target:
            yield target
            file.begin()
    finally:
        if is_new and not file.begun:
            path.unlink()


class _Anew(FileIO):
    """Emptied when it is written to first."""

    begun = False

    def write(self, data: Any) -> int:
        self.begin()
        return super().write(data)

    def begin(self) -> None:
        if not self.begun and stat.S_ISREG(fstat(self.fileno()).st_mode):
            self.truncate(0)
        self.begun = True


def _is_same(one: Path, other: Path) -> bool:
    return one.samefile(other) if one.exists() and other.exists() else one.resolve() == other.resolve()
