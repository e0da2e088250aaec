"""Names as small numbers in what is stored: agents and tasks are repeated thousands of times there."""

from collections.abc import Iterable


class Names:
    """Numbers names in the order in which they are first met."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = list(names)
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        number = self._numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        return number

    def numbers(self, names: Iterable[str]) -> list[int]:
        return [self.number(name) for name in names]

    def of(self, numbers: Iterable[int]) -> tuple[str, ...]:
        return tuple(self.names[number] for number in numbers)
