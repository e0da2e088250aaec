"""Cuts settled time into batches for the response model: one score, and under what load it was reached.

A batch lies under one configuration, begins when a change has settled, and ends when enough tasks are finished.
"""

from dataclasses import dataclass

from meta_orchestrator.core.adaptation.model import Batch, log_ratio
from meta_orchestrator.core.adaptation.objective import score
from meta_orchestrator.core.collection.agents import Agents
from meta_orchestrator.core.collection.books import Books
from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.evidence import Rows
from meta_orchestrator.messages.fields import SECOND, six_digits

LIMIT = "workflow.wip_limit"
RECENT = 0.5
"""Weight of the newest batch in the load: tasks that start now are finished over the next few batches."""
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
    full: float = 0.0
    """Share of the places for tasks that is taken, of the fullest type of agents, over the last hour or so."""
    full_us: int | None = None

    def restart(self, from_us: int) -> None:
        """A change must settle first, or conditions have changed."""
        self.from_us = from_us

    def watch_places(self, moment: Moment) -> None:
        """How full the desks are, smoothed over an hour."""
        found = fullness(moment.books.agents, moment.ledger.config.get(LIMIT), moment.tick_us)
        span_us = moment.tick_us - (moment.tick_us if self.full_us is None else self.full_us)
        weight = 1.0 if self.full_us is None else min(span_us / (3600 * SECOND), 1.0)
        self.full, self.full_us = six_digits(self.full + weight * (found - self.full)), moment.tick_us

    def close(self, moment: Moment) -> Batch | None:
        """The batch that ends at this tick, if one does."""
        begin_us = self.from_us
        if begin_us is None or moment.tick_us <= begin_us:
            self.from_us = moment.tick_us if begin_us is None else begin_us
            return None
        rows, policy = moment.history.between(begin_us, moment.tick_us), moment.policy
        tasks = float(rows[:, INDEX["tasks_finished"]].sum())
        if moment.tick_us - begin_us < policy.adaptation.batch_s * SECOND or tasks < policy.adaptation.batch_tasks:
            return None
        batch = self._batch(moment, rows, tasks)
        self.from_us = moment.tick_us
        return batch

    def _batch(self, moment: Moment, rows: Rows, tasks: float) -> Batch | None:
        seconds = float(rows[:, INDEX["seconds"]].sum())
        points = float(rows[:, INDEX["points"]].sum())
        velocity, size = points * 3600 / seconds, points / tasks
        arriving = self._arriving(moment, seconds, tasks)
        if not self.usual_velocity:
            self.usual_velocity, self.usual_size, self.usual_arriving = velocity, size, arriving
        weights = moment.policy.weights(moment.project)
        found = score(rows, weights, self.usual_velocity / 3600)
        load = (1 - min(self.full, 1.0) ** 2) * log_ratio(self.arriving, self.usual_arriving)
        mix = log_ratio(size, self.usual_size)
        batch = None if found is None else Batch(moment.tick_us, found, load, mix, tasks)
        for name, value in (("velocity", velocity), ("size", size), ("arriving", arriving)):
            usual = getattr(self, f"usual_{name}")
            setattr(self, f"usual_{name}", six_digits(usual + USUAL * (value - usual)))
        return batch

    def _arriving(self, moment: Moment, seconds: float, tasks: float) -> float:
        """Tasks that came in an hour: what was finished and what is in work more than before."""
        held, before = in_work(moment.books), self.held
        since_us, self.held, self.closed_us = self.closed_us, held, moment.tick_us
        if not since_us:
            self.arriving = tasks * 3600 / seconds
            return self.arriving
        finished = float(moment.history.between(since_us, moment.tick_us)[:, INDEX["tasks_finished"]].sum())
        now = max(finished + held - before, 0.0) * 3600 * SECOND / (moment.tick_us - since_us)
        self.arriving = six_digits(self.arriving + RECENT * (now - self.arriving))
        return self.arriving


def in_work(books: Books) -> int:
    """Tasks that somebody holds, without steps."""
    return sum(task.holder is not None and task.points != 0 for task in books.tasks.values())


def fullness(agents: Agents, limit: object, tick_us: int) -> float:
    """Tasks held / places for them, of the fullest type of agents; 0 where no limit is known.

    Where it is 1, more work cannot be begun: what arrives then says nothing of how much there is to do.
    """
    if not isinstance(limit, int | float) or limit <= 0:
        return 0.0
    held: dict[str | None, float] = {}
    places: dict[str | None, float] = {}
    for agent in agents.values():
        if agent.is_live(tick_us):
            held[agent.agent_type] = held.get(agent.agent_type, 0.0) + agent.held
            places[agent.agent_type] = places.get(agent.agent_type, 0.0) + agent.capacity * limit
    return max((held[kind] / places[kind] for kind in places if places[kind]), default=0.0)

