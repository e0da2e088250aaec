"""Cuts settled time into batches for the response model: one score, and under what load it was reached.

A batch lies under one configuration and begins when a change has settled. How long it lasts is known beforehand: one
that ended at its n-th task would measure its own luck.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from meta_orchestrator.core.adaptation.model import Batch, log_ratio
from meta_orchestrator.core.adaptation.objective import score
from meta_orchestrator.core.collection.agents import Agents
from meta_orchestrator.core.collection.books import Books
from meta_orchestrator.core.collection.history import INDEX
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.evidence import Rows
from meta_orchestrator.messages.fields import HOUR_US, SECOND, six_digits
from meta_orchestrator.policy import Policy

LIMIT = "workflow.wip_limit"
OVERLAP = 0.5
"""Tasks an agent may be seen to hold beyond its limit: one begins before the end of another one is told."""
FULL = 0.9
"""Share of the places of a type of agents from which on it is as good as full: tasks come and go."""
BUSY_ENOUGH = 0.7
"""Those who hold all they may and are less busy than this wait for others."""
RECENT = 0.5
"""Weight of the newest batch in the load: tasks that start now are finished over the next few batches."""
LONGEST = 12
"""Times `batch_s`: an hour by default."""
LONG_H = 3
"""Over so long `full_for_long` and `busy_for_long` are smoothed."""
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
    full_for_long: float = 0.0
    """The same over some hours: a busy hour is no trouble where the team delivers."""
    busy: float = 0.0
    """How busy the agents of that type are."""
    busy_for_long: float = 0.0
    """The same over some hours: what one hour shows of it is luck for a good part."""
    full_us: int | None = None

    def restart(self, from_us: int) -> None:
        """A change must settle first, or conditions have changed."""
        self.from_us = from_us

    def watch_places(self, moment: Moment) -> None:
        """How full the desks are and how busy those at them, smoothed over an hour."""
        utilization = moment.measures.agent_utilization
        kind, full = fullest(moment.books.agents, moment.ledger.config.get(LIMIT), moment.tick_us, utilization)
        busy = utilization.get(kind or "unknown")
        span_us = moment.tick_us - (moment.tick_us if self.full_us is None else self.full_us)
        weight = 1.0 if self.full_us is None else min(span_us / HOUR_US, 1.0)
        self.full = six_digits(self.full + weight * (full - self.full))
        self.full_for_long = six_digits(self.full_for_long + weight / LONG_H * (full - self.full_for_long))
        if busy is not None:
            self.busy = six_digits(self.busy + weight * (busy - self.busy))
            self.busy_for_long = six_digits(self.busy_for_long + weight / LONG_H * (busy - self.busy_for_long))
        self.full_us = moment.tick_us

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
        load = (1 - min(self.full, 1.0) ** 2) * log_ratio(self.arriving, self.usual_arriving)
        mix = log_ratio(points / tasks, self.usual_size)
        return None if found is None else Batch(until_us, found, load, mix, seconds)

    def length_us(self, policy: Policy) -> int:
        """As long as `batch_tasks` usually take, `batch_s` at the least and a few of these at the most."""
        given = policy.adaptation
        tasks_an_hour = self.usual_velocity / self.usual_size if self.usual_size else 0.0
        needed_s = given.batch_tasks * 3600 / tasks_an_hour if tasks_an_hour else given.batch_s * LONGEST
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


def fullest(
    agents: Agents, limit: object, tick_us: int, utilization: Mapping[str, float | None]
) -> tuple[str | None, float]:
    """The type of live agents that holds most for its places, and the share of them that is taken; 0 without a limit.

    Where it is 1, more work cannot be begun: what arrives then says nothing of how much there is to do. Of types that
    are as good as full the busiest one is it, since the others may wait for it. Who holds more than they may, and is
    idle, is not held up by the limit: what they hold waits for others.
    """
    held: dict[str | None, list[int]] = {}
    for agent in agents.values():
        if agent.is_live(tick_us):
            held.setdefault(agent.agent_type, []).append(agent.held)
    if not isinstance(limit, int | float) or limit <= 0 or not held:
        return None, 0.0
    shares = {kind: sum(tasks) / (len(tasks) * limit) for kind, tasks in held.items()}
    busy = {kind: utilization.get(kind or "unknown") or 0.0 for kind in shares}
    bound = [kind for kind, share in shares.items() if share * limit <= limit + OVERLAP or busy[kind] >= BUSY_ENOUGH]
    if not bound:
        return None, 0.0
    kind = max(sorted(bound, key=str), key=lambda it: (min(shares[it], FULL), busy[it], len(held[it])))
    return kind, min(shares[kind], 1.0)
