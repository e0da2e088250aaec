"""Bounded memories."""

from collections.abc import Hashable

MOST = 100_000


class Recent:
    """The last things met, so that a copy is known as one. The oldest are forgotten beyond `most`."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._things: dict[Hashable, None] = {}

    def knows(self, thing: Hashable) -> bool:
        """Whether it was met before; from now on it was."""
        if thing in self._things:
            return True
        self._things[thing] = None
        if len(self._things) > self.most:
            del self._things[next(iter(self._things))]
        return False
