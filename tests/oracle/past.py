"""What the past comes to: handoffs that ended, rounds that closed, tasks that succeeded, work that was done, by brute
force over all events from the first one on (CONTRACT §8). Nothing here is shared with the product.
"""

from typing import Any, NamedTuple

from tests.oracle.reading import KNOWN, SECOND, Event

MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
HANDOFF_TIMEOUT = 15 * MINUTE


class End(NamedTuple):
    time_us: int
    to_agent: str
    cause: str | None


class Close(NamedTuple):
    time_us: int
    outcome: str
    latency_ms: float
    votes: dict[str, str]


class Held(NamedTuple):
    """A task that an agent worked on without pause; end_us None: to this day."""

    agent: str
    start_us: int
    end_us: int | None


def agents_of(event: Event) -> list[str]:
    if event.type not in KNOWN:
        return []
    return [event.data[name] for name in ("agent", "from_agent", "to_agent") if name in event.data]


def handoff_ends(events: list[Event]) -> list[End]:
    """The first end of each handoff, remembered for a day; a day later its id is new."""
    ends: list[End] = []
    ended: dict[str, int] = {}
    started: dict[str, tuple[int, str]] = {}

    def end(handoff: str, time_us: int, to_agent: str, cause: str | None) -> None:
        ends.append(End(time_us, to_agent, cause))
        ended[handoff] = time_us
        started.pop(handoff, None)

    def time_out(before_us: float) -> None:
        for handoff, (start_us, to_agent) in sorted(started.items()):
            if start_us + HANDOFF_TIMEOUT < before_us:
                end(handoff, start_us + HANDOFF_TIMEOUT, to_agent, "timeout")

    for event in events:
        time_out(event.time_us)
        if event.type not in ("agent.handoff.started", "agent.handoff.completed", "agent.handoff.failed"):
            continue
        handoff, to_agent = event.data["handoff"], event.data["to_agent"]
        if handoff in ended and event.time_us <= ended[handoff] + DAY:
            continue
        if event.type == "agent.handoff.started":
            started.setdefault(handoff, (event.time_us, to_agent))
        else:
            end(handoff, event.time_us, to_agent, event.data.get("cause"))
    time_out(float("inf"))
    return ends


def round_closes(events: list[Event]) -> list[Close]:
    """The first close of each round with the last vote of each agent before it."""
    closes: list[Close] = []
    closed: dict[str, int] = {}
    votes: dict[str, dict[str, str]] = {}
    heard: dict[str, int] = {}
    for event in events:
        if event.type not in ("consensus.round.opened", "consensus.vote.cast", "consensus.round.closed"):
            continue
        name = event.data["round"]
        if name in closed and event.time_us <= closed[name] + DAY:
            continue
        if event.time_us > heard.get(name, event.time_us) + DAY:
            votes.pop(name, None)  # forgotten
        heard[name] = event.time_us
        if event.type == "consensus.vote.cast":
            votes.setdefault(name, {})[event.data["agent"]] = event.data["choice"]
        elif event.type == "consensus.round.closed":
            closes.append(Close(event.time_us, event.data["outcome"], event.data["latency_ms"], votes.pop(name, {})))
            closed[name] = event.time_us
    return closes


def successes(events: list[Event]) -> list[tuple[int, Any]]:
    """(time, points) of the first success of each task."""
    first: dict[str, int] = {}
    found = []
    for number, event in enumerate(events):
        if event.type == "agent.task.finished" and event.data["outcome"] == "succeeded":
            task = event.data["task"]
            if task not in first or event.time_us > first[task] + DAY:
                first[task] = event.time_us
                found.append((event.time_us, points(task, events[: number + 1], event.time_us)))
    return found


def points(task: str, events: list[Event], now_us: int) -> Any:
    """Those last named by its started and finished events, else 1. What nobody holds is forgotten after a day."""
    named, holder, heard_us = None, None, None
    for event in events:
        if not is_of_task(event, task):
            continue
        if holder is None and heard_us is not None and event.time_us > heard_us + DAY:
            named, heard_us = None, None
        if event.type in ("agent.task.started", "agent.task.finished"):
            named = event.data["points"] if event.data.get("points") is not None else named
            holder = event.data["agent"] if event.type == "agent.task.started" else None
            heard_us = event.time_us
        elif heard_us is not None:
            heard_us = event.time_us
    forgotten = holder is None and heard_us is not None and now_us > heard_us + DAY
    return 1 if named is None or forgotten else named


def is_of_task(event: Event, task: str) -> bool:
    """Whether it says who works on this task."""
    return event.type.startswith("agent.task.") and event.type in KNOWN and event.data["task"] == task


def work(events: list[Event]) -> list[Held]:
    """Who worked on what, from when to when: started, not finished, not blocked."""
    done: list[Held] = []
    for task in sorted({event.data["task"] for event in events if event.type == "agent.task.started"}):
        holder: str | None = None
        running_since: int | None = None
        for event in events:
            if not is_of_task(event, task):
                continue
            if event.type == "agent.task.started" and event.data["agent"] == holder:
                continue
            if event.type == "agent.task.unblocked":
                running_since = running_since if running_since is not None or holder is None else event.time_us
                continue
            if holder is not None and running_since is not None:
                done.append(Held(holder, running_since, event.time_us))
            running_since = None
            if event.type == "agent.task.finished":
                holder = None
            elif event.type == "agent.task.started":
                holder, running_since = event.data["agent"], event.time_us
        if holder is not None and running_since is not None:
            done.append(Held(holder, running_since, None))
    return done


def known_of(agent: str, events: list[Event]) -> list[Event]:
    """The events that name an agent, since it was last forgotten: a day without one, holding no task at its end."""
    known: list[Event] = []
    holder: dict[str, str | None] = {}
    for event in events:
        if agent in agents_of(event):
            if known and event.time_us > known[-1].time_us + DAY and agent not in holder.values():
                known = []
            known.append(event)
        if event.type == "agent.task.started":
            holder[event.data["task"]] = event.data["agent"]
        elif event.type == "agent.task.finished":
            holder[event.data["task"]] = None
    return known
