"""What has ended once and must not end again: the first end of an id counts, later ones are ignored for 24 h."""

from meta_orchestrator.messages.fields import DAY_US


class Remembered:
    """Ids and the time of their first end, oldest first. After 24 h an id is new; beyond `most` ids the oldest go
    earlier.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.first_us: dict[str, int] = {}
        self.added: list[tuple[str, int]] = []
        """Since the last call of `take`, to be stored."""

    def knows(self, name: str, time_us: int) -> bool:
        """Whether this id has ended at most 24 h before."""
        first_us = self.first_us.get(name)
        return first_us is not None and time_us - first_us <= DAY_US

    def first(self, name: str, time_us: int) -> bool:
        """Whether this is the first end of an id; it is remembered then."""
        before_us = self.first_us.get(name)
        if before_us is None:
            self.first_us[name] = time_us
            self.added.append((name, time_us))
            return True
        if time_us - before_us <= DAY_US:
            return False
        self.add(name, time_us)
        return True

    def add(self, name: str, time_us: int) -> None:
        """The first end of an id; ends are added in the order of time."""
        if name in self.first_us:
            del self.first_us[name]
        self.first_us[name] = time_us
        self.added.append((name, time_us))

    def forget(self, now_us: int) -> None:
        """Drop what is older than 24 h, and the oldest beyond the cap, in one pass: a dict's front is found slowly."""
        old: list[str] = []
        for name, first_us in self.first_us.items():
            if now_us - first_us <= DAY_US and len(self.first_us) - len(old) <= self.most:
                break
            old.append(name)
        for name in old:
            del self.first_us[name]

    def take(self) -> list[tuple[str, int]]:
        """What was added since the last call; whoever puts it back forgets what is too old by then."""
        added, self.added = self.added, []
        return added

    def keep_nothing(self) -> None:
        self.added.clear()

    def dump(self) -> list[tuple[str, int]]:
        return list(self.first_us.items())

    def put(self, dumped: list[tuple[str, int]]) -> None:
        """Add what was dumped or taken before."""
        for name, time_us in dumped:
            self.first_us.pop(name, None)
            self.first_us[name] = time_us
