"""What both kinds of log share: opening the file, and the words of one event → a Step."""

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import BinaryIO, cast

from meta_orchestrator.convert.mapping import KNOWN, REQUIRED, Mapping
from meta_orchestrator.convert.step import Step, Unreadable
from meta_orchestrator.errors import SettingsError

GZIP = b"\x1f\x8b"


@contextmanager
def opened(path: Path, show_progress: bool) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked if it is gzip; a bar on stderr if wanted. SettingsError where it cannot be read."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise SettingsError("FILE", str(path), f"must be a readable file ({error.strerror})") from error
    with raw:
        packed = raw.peek(2)[:2] == GZIP  # a pipe cannot be read from the beginning again
        with _watched(raw, path, show_progress) as source:
            yield cast(BinaryIO, gzip.GzipFile(fileobj=source)) if packed else source


@contextmanager
def _watched(raw: BinaryIO, path: Path, show_progress: bool) -> Iterator[BinaryIO]:
    if not show_progress:
        yield raw
        return
    from rich.console import Console
    from rich.progress import wrap_file

    console = Console(stderr=True)
    with wrap_file(raw, path.stat().st_size, description=path.name, console=console, transient=True) as source:
        yield source


class Reader:
    """Words → Step, by the columns that a log has."""

    def __init__(self, mapping: Mapping, by_group: bool) -> None:
        self.mapping = mapping
        self.by_group = by_group
        self.nobody = {word.casefold() for word in mapping.unknown}
        self.names: dict[str, None] = {}
        """Every name seen, in the order of its first appearance."""
        self.columns: dict[str, str] = {}
        self.without_zone = 0
        """Times that named no offset and were taken as UTC."""

    def learn(self, names: Iterable[str]) -> None:
        """More names of columns: decide again which is which."""
        self.names |= dict.fromkeys(names)
        self.columns = self.mapping.columns(self.names)

    def check(self) -> None:
        """SettingsError where the names seen do not do."""
        self.mapping.check(self.names, (*REQUIRED, "group") if self.by_group else REQUIRED)

    def step(self, words: dict[str, str], where: str) -> Step | Unreadable:
        """One event of the log."""
        case, activity, time = (self._word(words, field) for field in REQUIRED)
        if not case or not activity or not time:
            missing = next(field for field, word in zip(REQUIRED, (case, activity, time), strict=True) if not word)
            return Unreadable(where, f"no {missing} ({self.columns.get(missing, KNOWN[missing][0])})")
        try:
            time_us = self._time_us(time)
            cost = self._cost(words)
        except (ValueError, OverflowError) as error:
            return Unreadable(where, str(error))
        group, resource = self._who(words, "group"), self._who(words, "resource")
        return Step(
            case,
            activity,
            group if self.by_group else resource,
            None if self.by_group else group,
            time_us,
            self._word(words, "lifecycle").casefold(),
            self._word(words, "instance"),
            self.mapping.level(self._word(words, "criticality"), self.columns.get("criticality", "")),
            cost,
        )

    def _word(self, words: dict[str, str], field: str) -> str:
        return (words.get(self.columns.get(field, "")) or "").strip()

    def _who(self, words: dict[str, str], field: str) -> str | None:
        name = self._word(words, field)
        return None if not name or name.casefold() in self.nobody else name

    def _cost(self, words: dict[str, str]) -> float | None:
        word = self._word(words, "cost")
        if not word:
            return None
        cost = float(word)
        if not isfinite(cost) or cost < 0:
            raise ValueError(f"cost must be a number from 0, not {word!r}")
        return cost

    def _time_us(self, word: str) -> int:
        try:
            if self.mapping.time_format:
                moment = datetime.strptime(word, self.mapping.time_format)  # noqa: DTZ007 - the zone is looked at below
            else:
                moment = datetime.fromisoformat(word)
        except ValueError:
            form = self.mapping.time_format
            wanted = f"as {form}" if form else "ISO 8601 (or give time_format in --mapping)"
            raise ValueError(f"timestamp must be {wanted}, not {word!r}") from None
        if moment.tzinfo is None:
            self.without_zone += 1
            moment = moment.replace(tzinfo=UTC)
        if not 1970 <= moment.year < 9999:  # 9999 stands for "never" in many systems, and has no day after it
            raise ValueError(f"timestamp must lie between 1970 and 9998, but is {word!r}")
        return round(moment.timestamp() * 1_000_000)
