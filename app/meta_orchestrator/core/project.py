"""One project: what is open, what is remembered, and how all of it is stored.

Three lives: the ledger (never discarded), history and books (packed, a full page now and then and what changed since),
and minds (estimators, rebuilt where their settings changed). Nothing is ever unpickled.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import cramjam
import orjson

from meta_orchestrator.core import pages
from meta_orchestrator.core.adaptation.model import ResponseModel
from meta_orchestrator.core.adaptation.response import Response
from meta_orchestrator.core.analysis.minds import Minds
from meta_orchestrator.core.collection.books import Books
from meta_orchestrator.core.collection.history import History
from meta_orchestrator.core.collection.slot import Slot
from meta_orchestrator.core.collection.totals import Totals
from meta_orchestrator.core.ledger import Ledger
from meta_orchestrator.errors import ForeignState
from meta_orchestrator.messages.event import Event
from meta_orchestrator.policy import Policy

FORMAT = 2
"""Of all that is stored: the next number where a build cannot read what the one before it wrote."""
PAGES = 20
"""Every so many pages a full one is stored: bounds what is read at a start, and how often all is written."""


class Project:
    """The state of one project between two ticks."""

    def __init__(self, name: str, policy: Policy, ledger: Ledger | None = None) -> None:
        self.name, self.policy = name, policy
        self.slot_us = math.gcd(policy.time.tick_us, policy.time.window_us)
        self.open: defaultdict[int, list[Event]] = defaultdict(list)
        """Pane index → events, in order of arrival."""
        self.late: defaultdict[int, int] = defaultdict(int)
        """Pane index → late copies that arrived in it."""
        self.orders: list[tuple[int, Event]] = []
        """(reached_us, command) that have not acted yet."""
        self.books = Books(policy.limits)
        self.slots: list[Slot] = []
        """Of the window, oldest first."""
        self.totals = Totals()
        self.folded_us: int | None = None
        """The end of the last slot that was folded."""
        self.history = History(policy.time.history_us)
        self.ledger = ledger or Ledger()
        self.minds = Minds(policy)
        self.response = Response(ResponseModel(policy))
        self.page = 0
        self.paged_us = 0
        """What had been folded at the last page."""

    def next_due_us(self) -> int | None:
        """The first tick at which this project has something to do."""
        tick_us, pane_us, after_us = self.policy.time.tick_us, self.policy.time.pane_us, self.folded_us
        due = [_at_or_after((min(panes) + 1) * pane_us, tick_us) for panes in (self.open, self.late) if panes]
        due += [_after(reached_us, tick_us) for reached_us, _ in self.orders]
        if after_us is not None and not all(slot.is_empty for slot in self.slots):
            due.append(after_us + tick_us)
        timeout_us = self.books.handoffs.next_due_us()
        due += [_after(timeout_us, tick_us)] if timeout_us is not None else []
        deadlines = self.ledger.next_deadline_us(), self.minds.next_deadline_us()
        due += [_at_or_after(deadline_us, tick_us) for deadline_us in deadlines if deadline_us is not None]
        return max(min(due), after_us + tick_us if after_us is not None else 0) if due else None

    def head(self) -> bytes:
        """What changes at every tick."""
        head = {"format": FORMAT, "page": self.page, "ledger": self.ledger.dump(), "minds": self.minds.dump()}
        if self.ledger.config:
            head["response"] = self.response.dump()
        return _pack(head)

    def next_page(self) -> tuple[int, Iterator[tuple[int, bytes]]]:
        """(place, its pieces) of what has been learnt since the last page, or of all; two full pages are kept, one may
        be torn.
        """
        self.page += 1
        full = self.page % PAGES == 0
        changes = self.books.take()
        after_us = 0 if full else self.paged_us
        content = {
            "time": self._time(),
            "folded_us": self.folded_us,
            "slots": [slot.dump() for slot in self.slots if slot.end_us > after_us],
            "history": self.history.dump(after_us),
            "books": self.books.dump() if full else changes,
        }
        self.paged_us = self.folded_us or 0
        return self.page % (2 * PAGES), pages.cut(self.page, _pack(content))

    def restore(self, head: bytes, pieces: list[bytes]) -> list[str]:
        """Turn what was stored into state; returns what a person should know. Raises ForeignState."""
        stored, notes = _unpack(head), []
        self._check(stored.get("format"))
        self.page = stored["page"]
        self.ledger = Ledger.load(stored["ledger"])
        self.minds = Minds.load(self.policy, stored["minds"])
        self.response = Response.load(self.policy, stored.get("response"))
        if self.minds.rebuilt:
            notes.append(
                f"{self.name}: settings or libraries have changed, what was learnt is learnt anew from history"
            )
        contents = [_unpack(page) for page in pages.joined(pieces, self.page - self.page % PAGES, self.page)]
        for content in contents:
            self._read(content)
        if contents and contents[-1]["time"] != self._time():
            self.slots = []
            notes.append(f"{self.name}: pane, tick or window have changed, the window begins anew")
        if self.folded_us is not None:
            self.folded_us -= self.folded_us % self.policy.time.tick_us
            self.paged_us = self.folded_us
            self.books.settled(self.folded_us)
        return notes

    def _check(self, form: object) -> None:
        if form != FORMAT:
            raise ForeignState(
                f"{self.name}: its stored state has format {form or 'none'}, this build reads {FORMAT}: run the build"
                " that wrote it, or delete the changelog topics to begin with nothing learnt, at version 1"
            )

    def _read(self, content: dict[str, Any]) -> None:
        self.folded_us = content["folded_us"]
        self.slots += [Slot.load(slot) for slot in content["slots"]]
        self.slots = [slot for slot in self.slots if slot.end_us > (self.folded_us or 0) - self.policy.time.window_us]
        self.history.put(content["history"])
        self.books.put(content["books"])

    def _time(self) -> list[int]:
        return [self.policy.time.pane_us, self.policy.time.tick_us, self.policy.time.window_us]


def _at_or_after(time_us: int, tick_us: int) -> int:
    return -(-time_us // tick_us) * tick_us


def _after(time_us: int, tick_us: int) -> int:
    return (time_us // tick_us + 1) * tick_us


def _pack(content: dict[str, Any]) -> bytes:
    return bytes(cramjam.zstd.compress(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), 1))


def _unpack(stored: bytes) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(bytes(cramjam.zstd.decompress(stored)))
    return content
