"""Phase 1 of the loop, metrics collection: closed panes → books, window and history of one project."""

from collections import Counter

from meta_orchestrator.core.collection.order import in_order
from meta_orchestrator.core.collection.slot import Slot
from meta_orchestrator.core.collection.voices import weigh
from meta_orchestrator.core.collection.window import Window
from meta_orchestrator.core.ledger import command_name
from meta_orchestrator.core.moment import Finish, Moment
from meta_orchestrator.core.project import Project
from meta_orchestrator.messages.event import Event
from meta_orchestrator.messages.fields import SECOND


def collect(project: Project, tick_us: int, once: bool = False) -> Moment:
    """Fold all that closes at this tick and measure the window that ends at it."""
    policy = project.policy
    moment = Moment(
        project=project.name,
        tick_us=tick_us,
        policy=policy,
        ledger=project.ledger,
        history=project.history,
        books=project.books,
        response=project.response,
        once=once,
        orders=_take_orders(project, tick_us, once),
    )
    if once:
        _leave_out_replayed(project, moment.orders)
    closed = _fold(project, moment)
    project.slots = [slot for slot in project.slots + closed if slot.end_us > tick_us - policy.time.window_us]
    project.totals.follow(project.slots)
    window = Window(project.slots, tick_us, policy.time.window_us, project.totals)
    moment.window = window
    moment.measures = window.measures(project.books.agents, project.books.tasks, policy.samples)
    _remember(project, closed, moment)
    return moment


def _fold(project: Project, moment: Moment) -> list[Slot]:
    """Slot by slot up to the tick; what closes long before the window is folded too, but time nobody will see is
    skipped.
    """
    closed, start_us = [], _begin(project, moment.tick_us)
    while start_us < moment.tick_us:
        slot = Slot(start_us + project.slot_us)
        events = _take_events(project, slot)
        moment.events += project.books.fold(events, slot, start_us, moment.refuse_over_limit)
        _tell(moment, slot)
        project.books.close(slot, start_us)
        closed.append(slot)
        start_us = slot.end_us
    project.folded_us = moment.tick_us
    return closed


def _tell(moment: Moment, slot: Slot) -> None:
    """What the slot's events say, sorted out once for all rooms."""
    for type_, events in slot.told.items():
        moment.told[type_] = moment.told[type_] + events if type_ in moment.told else events
    for alike, times in Counter(slot.finishes).items():
        moment.finishes[Finish(*alike)] += times


def _begin(project: Project, tick_us: int) -> int:
    """Where folding goes on: where it ended, or at the first thing to see after an idle time."""
    slot_us, pane_us = project.slot_us, project.policy.time.pane_us
    timeout_us = project.books.handoffs.next_due_us()
    seen = [min(panes) * pane_us for panes in (project.open, project.late) if panes]
    seen += [timeout_us] if timeout_us is not None else []
    seen.append(tick_us - max(project.policy.time.window_us, project.policy.time.tick_us))
    begin_us = min(seen) // slot_us * slot_us
    if project.folded_us is not None and begin_us <= project.folded_us:
        return project.folded_us
    project.books.agents.skip(begin_us)
    return begin_us


def _take_events(project: Project, slot: Slot) -> list[Event]:
    """The events of the panes of one slot, in order; late copies are counted on the way."""
    pane_us, events = project.policy.time.pane_us, []
    for pane in range((slot.end_us - project.slot_us) // pane_us, slot.end_us // pane_us):
        if pane in project.open:
            events += in_order(project.open.pop(pane))
        slot.late += project.late.pop(pane, 0)
    return events


def _take_orders(project: Project, tick_us: int, once: bool) -> list[Event]:
    """Commands that act now, in order. Where each must be new, copies stay in, to be refused."""
    acting = [order for reached_us, order in project.orders if reached_us < tick_us]
    project.orders = [(reached_us, order) for reached_us, order in project.orders if reached_us >= tick_us]
    return in_order(acting, keep_copies=once)


def _leave_out_replayed(project: Project, orders: list[Event]) -> None:
    """A command that will be refused because it was seen before is not counted either."""
    seen = set(project.ledger.commands)
    for order in orders:
        name = command_name(order)
        if name in seen:
            for pane in project.open:
                project.open[pane] = [event for event in project.open[pane] if event is not order]
        seen.add(name)


def _remember(project: Project, closed: list[Slot], moment: Moment) -> None:
    """One row of history for this tick, if anything happened in it; no agent weighs too much in it."""
    tick_us, policy, ledger = moment.tick_us, project.policy, project.ledger
    slots = [slot for slot in closed if slot.end_us > tick_us - policy.time.tick_us]
    if any(slot.counts or slot.timeouts for slot in slots):
        row = Window(slots, tick_us, policy.time.tick_us).row(project.books.agents, project.books.tasks)
        seconds = (tick_us - (ledger.heard_us or tick_us)) / SECOND
        ledger.heard = weigh(row, ledger.heard, moment, seconds, policy.analysis.agent_share)
        ledger.heard_us = tick_us
        project.history.add(tick_us, row)
