"""All cores at work, and a bar that shows how far they are."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Protocol, Self

from meta_orchestrator.drivers.garbage import look_seldom


class Bar(Protocol):
    """Hears how much there is to do and how much was done, in simulated hours."""

    def more(self, hours: float) -> None: ...
    def done(self, hours: float) -> None: ...


class Silent:
    """Nobody looks."""

    def more(self, hours: float) -> None: ...
    def done(self, hours: float) -> None: ...


Job = tuple[float, Callable[..., Any], tuple[Any, ...]]
"""How many hours it simulates, the function, its arguments: all can be pickled."""


class Crew:
    """One process a core. Each starts afresh (`spawn`): a fork would copy the locks of the bar's thread."""

    def __init__(self, bar: Bar | None = None, workers: int | None = None) -> None:
        self.bar: Bar = bar or Silent()
        self.workers = workers or os.cpu_count() or 1
        self._pool = ProcessPoolExecutor(self.workers, get_context("spawn"), look_seldom)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """What has not begun when something fails (or a person presses Ctrl-C) never will."""
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def run(self, jobs: Sequence[Job]) -> list[Any]:
        """The results in the order of the jobs. The longest go first, so that all cores end at about one time."""
        self.bar.more(sum(hours for hours, _, _ in jobs))
        order = sorted(range(len(jobs)), key=lambda place: -jobs[place][0])
        begun: dict[Future[Any], int] = {self._pool.submit(jobs[at][1], *jobs[at][2]): at for at in order}
        results: list[Any] = [None] * len(jobs)
        for future in as_completed(begun):
            place = begun[future]
            results[place] = future.result()
            self.bar.done(jobs[place][0])
        return results


def jobs(function: Callable[..., Any], hours: float, arguments: Iterable[tuple[Any, ...]]) -> list[Job]:
    return [(hours, function, given) for given in arguments]
