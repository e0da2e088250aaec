"""XES (IEEE 1849), read as a stream: a log of any size in constant memory.

Straight on expat rather than through ElementTree, because only there a document type can be refused before it does
anything: no entity is ever declared, so none can be expanded or fetched.
"""

import zlib
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from meta_orchestrator.convert.reading import Reader
from meta_orchestrator.convert.step import Step, Unreadable

CHUNK = 1 << 18
_ATTRIBUTES = frozenset({"string", "date", "int", "float", "boolean", "id"})
_CASE = "case:"
"""Before the name of a trace's attribute among those of its events, as pm4py has it."""


class _Forbidden(Exception):
    """The document asks for something that an event log has no need of."""


class _Handler:
    """Traces as they end: the (words, line) of their events. Only attributes directly below trace and event count."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        self.depth = 0
        self.inside: list[tuple[str, int]] = []
        """(trace or event, its depth) from the outside in."""
        self.trace: dict[str, str] = {}
        self.event: dict[str, str] = {}
        self.events: list[tuple[dict[str, str], int]] = []
        self.done: list[tuple[dict[str, str], int]] = []
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.StartDoctypeDeclHandler = self.forbid

    def forbid(self, *_: object) -> None:
        raise _Forbidden("a document type (DTD) is not allowed")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        name = tag.rpartition(":")[2]
        if self.depth == 1 and name != "log":
            raise _Forbidden(f"XES begins with <log>, this with <{tag}>")
        if name in ("trace", "event"):
            self.inside.append((name, self.depth))
            self.line = self.parser.CurrentLineNumber
        elif name in _ATTRIBUTES and self.inside and self.inside[-1][1] == self.depth - 1:
            self._attribute(attributes.get("key", ""), attributes.get("value", ""))

    def _attribute(self, key: str, value: str) -> None:
        if self.inside[-1][0] == "event":
            self.event[key] = value
        else:
            self.trace[_CASE + key] = value

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        self.depth -= 1
        if name not in ("trace", "event"):
            return
        self.inside.pop()
        if name == "event":
            self.events.append((self.event, self.line))
            self.event = {}
        if not self.inside:  # the trace is over, or an event stood outside of any
            self.done.extend(({**self.trace, **event}, line) for event, line in self.events)
            self.events, self.trace = [], {}


def read_xes(source: BinaryIO, reader: Reader) -> Iterator[Step | Unreadable]:
    """Every event of a log. Where the file breaks off or is no XES, the last thing is the reason and its line.

    Which attributes there are is known only at the end: SettingsError comes then."""
    parser = expat.ParserCreate()
    handler = _Handler(parser)
    read = getattr(source, "read1", source.read)  # gives what there is before it says that a packed file breaks off
    try:
        while chunk := read(CHUNK):
            parser.Parse(chunk, False)
            yield from _steps(handler, reader)
        parser.Parse(b"", True)
    except (expat.ExpatError, _Forbidden, EOFError, OSError, zlib.error) as error:
        yield from _steps(handler, reader)
        yield Unreadable(f"line {parser.CurrentLineNumber}", f"the rest cannot be read: {error}")
    if reader.names:
        reader.check()


def _steps(handler: _Handler, reader: Reader) -> Iterator[Step | Unreadable]:
    done, handler.done = handler.done, []
    for words, line in done:
        if not words.keys() <= reader.names.keys():  # an attribute may be missing in the first events of a log
            reader.learn(words)
        yield reader.step(words, f"line {line}")
