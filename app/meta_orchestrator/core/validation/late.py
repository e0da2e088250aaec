"""What was kept may turn out to be harmful later: defects escape for hours before anybody meets them.

For a day after its acceptance a change's guards are compared with the time before its trial, by evidence that bears a
look at every tick: all time since, and each two hours by themselves, since what begins late drowns in the good time
before. The two kinds of looks share the allowed error. Only settled time under the same configuration counts, and not
where a drift of something else says that conditions have changed.
"""

import numpy as np

from meta_orchestrator.core.ledger import Trial, Watch
from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.validation.compare import Comparison, settled_rows
from meta_orchestrator.core.validation.conclude import Verdict
from meta_orchestrator.core.validation.evidence import Rows
from meta_orchestrator.core.validation.guards import Looked, guard_metrics, safety_rollback, worst
from meta_orchestrator.core.validation.metrics import public
from meta_orchestrator.messages.fields import SECOND, parse_time_us

BATCHES = 12
"""So many sums are kept of the time before: enough for the batch means of its error."""
PARTS = 12
"""Of the time of watch: two hours each."""
MOST = 8
"""Watches at once; an older one gives way."""


def keep_watch(moment: Moment, trial: Trial, before: Rows) -> None:
    """From now on."""
    seconds, ledger = moment.policy.trial.watch_s, moment.ledger
    if not seconds or not len(before):
        return
    until_us = moment.tick_us + round(seconds * SECOND)
    watch = Watch(trial, moment.tick_us, until_us, dict(ledger.config), len(before), _packed(before).tolist())
    ledger.watches = [*ledger.watches, watch][-MOST:]


def regressed(moment: Moment) -> Verdict | None:
    """Take back the first kept change that did harm after all; a freeze does not hold this up."""
    ledger = moment.ledger
    ledger.watches = [watch for watch in ledger.watches if _is_worth_watching(moment, watch)]
    for watch in ledger.watches:
        found = _worst(moment, watch)
        if found:
            ledger.watches = [other for other in ledger.watches if other is not watch]
            hours = (moment.tick_us - watch.since_us) / SECOND / 3600
            parameter, value = watch.trial.proposal.parameter, watch.trial.proposal.to
            return safety_rollback(
                moment, watch.trial, found, f"since {parameter} = {value} was kept {hours:.1f} h ago"
            )
    return None


def _is_worth_watching(moment: Moment, watch: Watch) -> bool:
    """Until its time is over, its value is moved or pinned, or something else has changed."""
    ledger, proposal = moment.ledger, watch.trial.proposal
    if moment.tick_us >= watch.until_us or proposal.parameter in ledger.overrides:
        return False
    now = dict(ledger.config)
    if ledger.trial:
        now[ledger.trial.proposal.parameter] = ledger.trial.proposal.from_
    return now == watch.config and not _is_explained(moment, watch)


def _is_explained(moment: Moment, watch: Watch) -> bool:
    """Something that is no guard has drifted since: other conditions, not the change."""
    guards = {public(metric) for metric in guard_metrics(watch.trial)}
    return any(
        parse_time_us(drift.since) > watch.since_us and drift.metric not in guards
        for drift in moment.findings.drifts.values()
    )


def _worst(moment: Moment, watch: Watch) -> Comparison | None:
    """A guard that is clearly worse since the change was kept, or in the present part of the day."""
    part_us = (watch.until_us - watch.since_us) // PARTS
    begun_us = moment.tick_us - (moment.tick_us - watch.since_us) % max(part_us, 1)
    all_of_it = worst(moment, watch.trial, _looked(moment, watch, watch.since_us, watch.until_us), tests=2)
    return all_of_it or worst(
        moment, watch.trial, _looked(moment, watch, begun_us, begun_us + part_us), tests=2 * PARTS
    )


def _looked(moment: Moment, watch: Watch, since_us: int, until_us: int) -> Looked:
    """The time before the trial, and the settled time since a moment; none while something else is on trial."""
    rows = settled_rows(moment, moment.ledger.version, moment.tick_us, since_us)
    during = rows if moment.ledger.trial is None else rows[:0]
    return Looked(np.array(watch.before), during, watch.ticks, (until_us - since_us) / moment.policy.time.tick_us)


def _packed(rows: Rows) -> Rows:
    """Neighbours added up, shape (at most BATCHES, fields): sums and their spread stay as they are."""
    batches = min(len(rows), BATCHES)
    return np.add.reduceat(rows, np.arange(batches) * len(rows) // batches, axis=0)
