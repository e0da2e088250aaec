"""Names as small numbers in what is stored: agents and tasks are repeated thousands of times there."""

from collections.abc import Iterable


class Numbering:
    """Numbers names in the order in which they are first met; done at every tick, so with few calls."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, names: Iterable[str]) -> list[int]:
        numbers = self._numbers
        return [numbers.setdefault(name, len(numbers)) for name in names]

    def names(self) -> list[str]:
        """All names met, each in the place of its number."""
        return list(self._numbers)


class Names:
    """The way back."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def of(self, numbers: Iterable[int]) -> tuple[str, ...]:
        return tuple(self.names[number] for number in numbers)
