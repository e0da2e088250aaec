"""Events of many cases → one stream in the order of time."""

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush

from meta_orchestrator.convert.cases import Made


def in_order(cases: Iterable[tuple[int, Callable[[], list[Made]]]]) -> Iterator[Made]:
    """Merge cases, given with the time of their first event and in the order of it; a case is made only when it begins,
    so that only the cases under way are held."""
    under_way: list[tuple[int, str, int, list[Made]]] = []
    for begins_us, make in cases:
        yield from _until(under_way, begins_us)
        if events := make():
            heappush(under_way, (*events[0][:2], 0, events))
    yield from _until(under_way, None)


def _until(under_way: list[tuple[int, str, int, list[Made]]], end_us: int | None) -> Iterator[Made]:
    """Take the events before `end_us` (all where it is None) off the heap."""
    while under_way and (end_us is None or under_way[0][0] < end_us):
        _, _, place, events = heappop(under_way)
        yield events[place]
        if place + 1 < len(events):
            heappush(under_way, (*events[place + 1][:2], place + 1, events))
