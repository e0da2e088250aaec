"""A page as it is stored: in pieces, each with the page's number.

A project remembers up to millions of ids, and Kafka takes no record above its topic's limit (16 MiB in a changelog): a
page of one piece would, from some hundred thousand tasks a day on, stop its partition for good.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from struct import Struct

PIECE_BYTES = 4 << 20
_MARK = Struct(">QHH")  # page, piece (from 0), pieces


def cut(page: int, content: bytes) -> Iterator[tuple[int, bytes]]:
    """(piece, bytes to store) of a page."""
    pieces = max(-(-len(content) // PIECE_BYTES), 1)
    for piece in range(pieces):
        yield piece, _MARK.pack(page, piece, pieces) + content[piece * PIECE_BYTES : (piece + 1) * PIECE_BYTES]


def joined(stored: Iterable[bytes], first: int, last: int) -> list[bytes]:
    """The contents of the pages `first` to `last`, in order; what is left of others, whole or not, is passed over.

    ValueError where a piece is missing: what a head counts was written before it.
    """
    pages: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
    counts: dict[int, int] = {}
    for row in stored:
        page, piece, pieces = _MARK.unpack_from(row)
        if first <= page <= last:
            pages[page][piece], counts[page] = row[_MARK.size :], pieces
    for page, found in pages.items():
        if len(found) != counts[page]:
            raise ValueError(f"page {page} has {len(found)} of its {counts[page]} pieces")
    return [b"".join(found[piece] for piece in sorted(found)) for _, found in sorted(pages.items())]
