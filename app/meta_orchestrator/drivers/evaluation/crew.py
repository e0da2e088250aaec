"""All cores at work, and a bar that shows how far they are."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import active_children, get_context
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
        self.stopped = False
        """By a person's Ctrl-C: what was finished is kept, nothing more is begun."""
        self._pool = ProcessPoolExecutor(workers or os.cpu_count() or 1, get_context("spawn"), look_seldom)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """What has not begun when something fails (or a person stops it) never will."""
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def run(self, jobs: Sequence[Job]) -> list[Any]:
        """Begun in the order of the jobs, and the results in that order; None where it was stopped before."""
        results: list[Any] = [None] * len(jobs)
        if self.stopped:
            return results
        self.bar.more(sum(hours for hours, _, _ in jobs))
        with _unheard(signal.SIGINT):
            begun: dict[Future[Any], int] = {
                self._pool.submit(function, *given): place for place, (_, function, given) in enumerate(jobs)
            }
        try:
            for future in as_completed(begun):
                place = begun[future]
                results[place] = future.result()
                self.bar.done(jobs[place][0])
        except KeyboardInterrupt:
            self._stop()
        return results

    def _stop(self) -> None:
        self.stopped = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in active_children():
            process.terminate()


@contextmanager
def _unheard(sign: signal.Signals) -> Iterator[None]:
    """Ctrl-C reaches every process of a terminal; only the first answers it, and ends the others. They inherit what is
    blocked while they start, so that not even their first steps are interrupted; here it waits."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {sign})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
