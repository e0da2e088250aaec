"""What was kept may turn out to be harmful later: defects escape for hours before anybody meets them.

For a day after its acceptance a change's guards are compared with the time before its trial, once a window, by evidence
that would bear a look at every tick: all time since, and each two hours by themselves, since what begins late drowns in
the good time before. The two kinds of looks share the allowed error. Only settled time under the same configuration
counts, and not where a drift of something else says that conditions have changed.
"""

from dataclasses import replace

import numpy as np

from meta_orchestrator.core.moment import Moment
from meta_orchestrator.core.trial import Trial, Watch
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


def keep_watch(moment: Moment, trial: Trial, before: Rows) -> None:
    """From now on, in place of an older watch: of two changes either would explain what comes."""
    seconds, ledger = moment.policy.trial.watch_s, moment.ledger
    if not seconds or not len(before):
        return
    until_us = moment.tick_us + round(seconds * SECOND)
    light = replace(trial, periods=[], ratings={})
    ledger.watch = Watch(light, moment.tick_us, until_us, dict(ledger.config), len(before), packed(before).tolist())


def regressed(moment: Moment) -> Verdict | None:
    """Take back what was kept and did harm after all; a freeze does not hold this up."""
    watch, ledger = moment.ledger.watch, moment.ledger
    if watch is None:
        return None
    if not _is_worth_watching(moment, watch):
        ledger.watch = None
        return None
    found = _worst(moment, watch) if _is_time(moment) else None
    if found is None:
        return None
    ledger.watch = None
    hours, proposal = (moment.tick_us - watch.since_us) / SECOND / 3600, watch.trial.proposal
    return safety_rollback(
        moment, watch.trial, found, f"since {proposal.parameter} = {proposal.to} was kept {hours:.1f} h ago"
    )


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


def _is_time(moment: Moment) -> bool:
    """Once a window: hours of rows hardly change from tick to tick, and to look at them is dear."""
    window_us, ticks = moment.policy.time.window_us, moment.history.ticks
    return len(ticks) < 2 or ticks[-2] // window_us != moment.tick_us // window_us


def _worst(moment: Moment, watch: Watch) -> Comparison | None:
    """A guard that is clearly worse; nothing is looked at while something else is on trial."""
    if moment.ledger.trial:
        return None
    during = settled_rows(moment, moment.ledger.version, moment.tick_us, watch.since_us)
    planned = round((watch.until_us - watch.since_us) / moment.policy.time.tick_us)
    return late_harm(moment, watch.trial, np.array(watch.before), watch.ticks, during, planned)


def late_harm(moment: Moment, trial: Trial, before: Rows, ticks: int, during: Rows, planned: int) -> Comparison | None:
    """A guard that is clearly worse in all settled rows since, or in those of the present part of the day.

    `before` sums up so many `ticks`; `planned` rows are looked at in all.
    """
    part = max(planned // PARTS, 1)
    now = during[(len(during) - 1) // part * part :] if len(during) else during
    all_of_it = worst(moment, trial, Looked(before, during, ticks, planned), tests=2)
    return all_of_it or worst(moment, trial, Looked(before, now, ticks, part), tests=2 * PARTS)


def packed(rows: Rows) -> Rows:
    """Neighbours added up, shape (at most BATCHES, fields): sums and their spread stay as they are."""
    batches = min(len(rows), BATCHES)
    return np.add.reduceat(rows, np.arange(batches) * len(rows) // batches, axis=0)
