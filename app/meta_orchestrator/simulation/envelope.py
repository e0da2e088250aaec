"""The team's messages as CloudEvents on a virtual clock."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson

from meta_orchestrator.messages.fields import SECOND, format_time_us


class Envelopes:
    """Turns what is published into lines of a journal. Ids count up for each source, so a seed gives the same bytes."""

    def __init__(self, project: str, start_us: int, now_s: Callable[[], float]) -> None:
        self.project, self.start_us, self._now_s = project, start_us, now_s
        self._ids: Counter[str] = Counter()

    @property
    def now_us(self) -> int:
        return self.start_us + round(self._now_s() * SECOND)

    def wrap(self, kind: str, data: dict[str, Any], source: str) -> bytes:
        self._ids[source] += 1
        return orjson.dumps(
            {
                "specversion": "1.0",
                "id": str(self._ids[source]),
                "source": source,
                "type": kind,
                "time": format_time_us(self.now_us),
                "project": self.project,
                "data": data,
            }
        )
