"""Every verdict, every reason of an abort and every kind of version occurs, with the sentence that people read."""

from collections.abc import Callable
from typing import get_args

import pytest

from meta_orchestrator.messages.outputs import ConfigChange, Decision, Kind, Verdict
from tests.adaptation.making import ENFORCED, Project, at, ready, wish
from tests.learning.test_learning import raised
from tests.validation.test_switchback import BURN_IN_S, LENGTH_S, begun, work
from tests.validation.test_trials import BETTER, LONGER, QUIET, started

PARAMETER = LONGER.parameter


def changed() -> Project:
    return started()


def recommended() -> Project:
    project = ready({"parameters": {"mode": "recommend"}})
    project.tick(LONGER, rows=QUIET)
    return project


def refused() -> Project:
    project = started()
    project.tick(wish())
    return project


def kept() -> Project:
    project = started()
    project.applied().run(1800, rows=BETTER)
    return project


def rolled_back() -> Project:
    project = started()
    project.applied().run(1800, rows=QUIET)
    return project


def unacknowledged() -> Project:
    project = started()
    project.run(240)
    return project


def rejected() -> Project:
    project = started()
    change, version = project.ledger.trial.latest
    project.event("config.rejected", change=change, version=version, reason="too long").tick()
    return project


def overridden() -> Project:
    project = started()
    project.order("override", parameter="workflow.wip_limit", value=7, until=at(90_000)).tick()
    return project


def superseded() -> Project:
    project = started()
    project.tick(findings=raised("reset_to_baseline"))
    return project


def expired() -> Project:
    project = ready()
    project.order("override", parameter="workflow.wip_limit", value=7, until=at(90)).tick()
    project.run(120)
    return project


def kept_after_a_switchback() -> Project:
    project = begun(ready({"trial": ENFORCED["trial"] | {"alpha": 1e-6}}))
    project.ledger.trial.periods[-1].tried, project.ledger.trial.periods[-2].tried = False, True
    work(project, LENGTH_S + BURN_IN_S, effect=0.25)
    return project


VERDICTS: dict[str, tuple[Callable[[], Project], str]] = {
    "changed": (changed, "workflow.handoff_timeout_s 120 → 180: handoffs time out; on trial until "),
    "recommended": (recommended, "it waits for approval until "),
    "refused": (refused, "agents hold too much, but workflow.handoff_timeout_s = 180 is on trial until "),
    "kept": (kept, "it helped: handoff_failure_rate 0.2 → 0, better with a probability of over 99%; "),
    "rolled_back": (rolled_back, "better with a probability of 50% only, 90% are needed"),
    "aborted": (overridden, "eve overrides workflow.wip_limit while workflow.handoff_timeout_s was on trial"),
}
ABORTS: dict[str, tuple[Callable[[], Project], str]] = {
    "unacknowledged": (unacknowledged, "version 1 was published twice and not acknowledged within 240 s; taken back"),
    "rejected": (rejected, "the orchestrator rejected version 1 (too long); rejection 1 of"),
    "overridden": (overridden, "eve overrides workflow.wip_limit while"),
    "superseded": (superseded, "slow asks for the baseline while workflow.handoff_timeout_s was on trial"),
}
KINDS: dict[str, tuple[Callable[[], Project], str]] = {
    "trial": (changed, "handoffs time out"),
    "kept": (kept_after_a_switchback, "kept: "),
    "rollback": (rolled_back, "taken back: handoff_failure_rate better with a probability of 50% only"),
    "override": (overridden, "eve overrides it until "),
    "expiry": (expired, "the override by eve ended: workflow.wip_limit is 4 again"),
    "reset": (superseded, "slow asks for the baseline"),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_says_why(verdict):
    arrange, sentence = VERDICTS[verdict]
    told = [it for it in arrange().decisions if it.verdict == verdict]
    assert sentence in told[-1].explanation


@pytest.mark.parametrize("why", ABORTS)
def test_each_abort_says_why(why):
    arrange, sentence = ABORTS[why]
    told = [it for it in arrange().decisions if it.why == why]
    assert sentence in told[-1].explanation
    assert (told[-1].measured, told[-1].p_better, told[-1].e_value) == (None, None, None), "nothing was learnt"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_version_says_why(kind):
    arrange, sentence = KINDS[kind]
    out: list[ConfigChange] = [it for it in arrange().changes if it.kind == kind]
    assert sentence in out[-1].reason


def test_none_is_missing():
    assert list(VERDICTS) == list(get_args(Verdict))
    whys = next(arg for arg in get_args(Decision.model_fields["why"].annotation) if get_args(arg))
    assert list(ABORTS) == list(get_args(whys))
    assert list(KINDS) == list(get_args(Kind))


@pytest.mark.parametrize("verdict", ["kept", "rolled_back"])
def test_a_verdict_is_a_lesson(verdict):
    """CONTRACT §4.2: context, expected, measured; p_better, e_value, samples."""
    told = next(it for it in VERDICTS[verdict][0]().decisions if it.verdict == verdict)
    assert told.measured["handoff_failure_rate"].before == 0.2
    assert told.e_value > 1 if verdict == "kept" else told.e_value < 1
    assert told.samples["ticks_during"] > 50
    assert told.context["tasks_finished_per_hour_before"] == 600
    assert told.expected == {}
