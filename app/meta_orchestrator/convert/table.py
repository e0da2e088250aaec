"""CSV: a row is an event."""

import csv
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from meta_orchestrator.convert.reading import Reader
from meta_orchestrator.convert.step import Step, Unreadable
from meta_orchestrator.errors import SettingsError

DELIMITERS = ",;\t|"


def read_csv(source: BinaryIO, reader: Reader) -> Iterator[Step | Unreadable]:
    """Every row. Where the file breaks off, the last thing is the reason and its line."""
    text = io.TextIOWrapper(source, encoding="utf-8-sig", errors="surrogateescape", newline="")
    number = 1
    try:
        header = text.readline()
        delimiter = reader.mapping.delimiter or max(DELIMITERS, key=header.count)
        names = next(csv.reader([header], delimiter=delimiter), [])
        if not any(names):
            raise SettingsError("FILE", getattr(source, "name", "-"), "must begin with a line that names the columns")
        reader.learn(names)
        reader.check()
        for name in reader.columns.values():
            if names.count(name) > 1:
                raise SettingsError("FILE", getattr(source, "name", "-"), f"has two columns that are called {name!r}")
        rows = csv.reader(text, delimiter=delimiter)
        while True:
            number = rows.line_num + 2  # of the row that comes next; the header is line 1
            try:
                row = next(rows)
            except csv.Error as error:
                yield Unreadable(f"line {number}", str(error))
                continue
            if row:
                yield _step(names, row, reader, _place(number, rows.line_num + 1))
    except StopIteration:
        return
    except (EOFError, OSError, zlib.error) as error:
        yield Unreadable(f"line {number}", f"the rest cannot be read: {error}")


def _place(first: int, last: int) -> str:
    """Where a row stands; a quote that nobody closes makes one row of all that follow."""
    return f"line {first}" if last == first else f"lines {first} to {last} (one row, since a quote is open)"


def _step(names: list[str], row: list[str], reader: Reader, where: str) -> Step | Unreadable:
    if len(row) != len(names):
        return Unreadable(where, f"{len(row)} values for {len(names)} columns")
    if any("\udc80" <= letter <= "\udcff" for value in row for letter in value):
        return Unreadable(where, "not UTF-8")
    return reader.step(dict(zip(names, row, strict=True)), where)
