"""Cuts settled time into batches for the response model: one score, and under what load it was reached.

A batch lies under one configuration and begins when a change has settled. How long it lasts is known beforehand: one
that ended at its n-th task would measure its own luck.
"""

from dataclasses import dataclass

from meta_orchestrator.core.adaptation.model import Batch, log_ratio
from meta_orchestrator.core.adaptation.objective import score
from meta_orchestrator.core.collection.books import Books
from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.evidence import Rows
from meta_orchestrator.messages.fields import HOUR_US, SECOND, six_digits
from meta_orchestrator.policy import Policy

RECENT = 0.5
"""Weight of the newest batch in the load: tasks that start now are finished over the next few batches."""
LONGEST = 12
"""Times `batch_s`: an hour by default."""
USUAL = 0.02
"""Weight of the newest batch in what is usual: about fifty batches."""


@dataclass
class Batches:
    """`from_us` is where the present batch begins; the rest is what the next one is compared with."""

    from_us: int | None = None
    closed_us: int = 0
    held: int = 0
    """Tasks in work when the last batch closed."""
    arriving: float = 0.0
    """Tasks that came in an hour, lately."""
    usual_arriving: float = 0.0
    usual_size: float = 0.0
    """Points a finished task."""
    usual_velocity: float = 0.0
    """Points an hour."""

    @property
    def tasks_an_hour(self) -> float:
        """As many as are usually finished."""
        return self.usual_velocity / self.usual_size if self.usual_size else 0.0

    def lead_time_s(self, books: Books) -> float:
        """How long a task takes from its beginning to its end: tasks in work over tasks finished in a second (Little,
        "A proof for the queuing formula L = λW", 1961). 0 where nothing is known of it."""
        return in_work(books) * 3600 / self.tasks_an_hour if self.tasks_an_hour else 0.0

    def restart(self, from_us: int) -> None:
        """A change must settle first, or conditions have changed."""
        self.from_us = from_us

    def close(self, moment: Moment) -> Batch | None:
        """The batch that ends at this tick, if one does."""
        if self.from_us is None:
            self.from_us = moment.tick_us
        return self.cut(moment, moment.tick_us, self.length_us(moment.policy))

    def cut(self, moment: Moment, until_us: int, least_us: int) -> Batch | None:
        """End the batch at a time, if it is long enough; a new one begins there."""
        if self.from_us is None or until_us - self.from_us < least_us:
            return None
        batch = self.so_far(moment, until_us)
        rows = moment.history.between(self.from_us, until_us)
        self._get_used_to(moment, rows)
        self.from_us = until_us
        return batch

    def so_far(self, moment: Moment, until_us: int) -> Batch | None:
        """The present batch up to a time; None where no task was finished in it."""
        rows = moment.history.between(self.from_us or 0, until_us)
        tasks, points, seconds = (float(rows[:, INDEX[it]].sum()) for it in ("tasks_finished", "points", "seconds"))
        if not tasks:
            return None
        usual_velocity = self.usual_velocity or points * 3600 / seconds
        found = score(rows, moment.policy.weights(moment.project), usual_velocity / 3600)
        full = moment.response.occupancy.full if moment.response else 0.0
        load = (1 - full**2) * log_ratio(self.arriving, self.usual_arriving)
        mix = log_ratio(points / tasks, self.usual_size)
        return None if found is None else Batch(until_us, found, load, mix, seconds)

    def length_us(self, policy: Policy) -> int:
        """As long as `batch_tasks` usually take, `batch_s` at the least and a few of these at the most."""
        given = policy.adaptation
        needed_s = given.batch_tasks * 3600 / self.tasks_an_hour if self.tasks_an_hour else given.batch_s * LONGEST
        return round(min(max(needed_s, given.batch_s), given.batch_s * LONGEST) * SECOND)

    def _get_used_to(self, moment: Moment, rows: Rows) -> None:
        """What is usual follows slowly; the first batch is all that is known of it."""
        tasks, points, seconds = (float(rows[:, INDEX[it]].sum()) for it in ("tasks_finished", "points", "seconds"))
        if not tasks:
            return
        found = {"velocity": points * 3600 / seconds, "size": points / tasks}
        found["arriving"] = self._arriving(moment, seconds, tasks)
        for name, value in found.items():
            usual = getattr(self, f"usual_{name}") or value
            setattr(self, f"usual_{name}", six_digits(usual + USUAL * (value - usual)))

    def _arriving(self, moment: Moment, seconds: float, tasks: float) -> float:
        """Tasks that came in an hour: what was finished and what is in work more than before."""
        held, before = in_work(moment.books), self.held
        since_us, self.held, self.closed_us = self.closed_us, held, moment.tick_us
        if not since_us:
            self.arriving = tasks * 3600 / seconds
            return self.arriving
        finished = float(moment.history.between(since_us, moment.tick_us)[:, INDEX["tasks_finished"]].sum())
        now = max(finished + held - before, 0.0) * HOUR_US / (moment.tick_us - since_us)
        self.arriving = six_digits(self.arriving + RECENT * (now - self.arriving))
        return self.arriving


def in_work(books: Books) -> int:
    """Tasks that somebody holds, without steps."""
    return sum(task.holder is not None and task.points != 0 for task in books.tasks.values())
