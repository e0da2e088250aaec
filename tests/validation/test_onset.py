"""A trial is compared with the trouble that it answers, not with the time before that began."""

from random import Random

import pytest

from meta_orchestrator.core.adaptation.adapt import wishes
from meta_orchestrator.core.trial import Proposal
from meta_orchestrator.core.validation.evidence import estimate
from meta_orchestrator.core.validation.onset import onset_us
from tests.adaptation.making import Project, ready, us, wish

METRIC = "handoff_failure_rate"
WORK = {"tasks_finished": 5, "points": 5, "handoffs_ended": 10}
GOOD, BAD, MENDED = WORK | {"handoffs_failed": 0}, WORK | {"handoffs_failed": 6}, WORK | {"handoffs_failed": 2}


def asked(**evidence: float) -> Proposal:
    found = {METRIC: 0.6, "target": 0.1, "looked_back_s": 300.0} | evidence
    return Proposal("p", "workflow.handoff_timeout_s", 120, 180, "handoffs fail", METRIC, {}, found, [])


def troubled(seconds: float) -> Project:
    project = ready()
    project.run(7200, rows=GOOD)
    project.run(seconds, rows=BAD)
    return project


@pytest.mark.parametrize(("bad_s", "since_s"), [(300, 300), (600, 600), (900, 1200), (1500, 1200), (2400, 2400)])
def test_since_the_greatest_change(bad_s, since_s):
    project = troubled(bad_s)
    assert onset_us(project.moment(), asked()) == us(project.now_s - since_s)


def test_what_has_always_been_so_has_no_onset():
    project = ready()
    project.run(7200, rows=BAD)
    assert onset_us(project.moment(), asked()) == 0


def test_a_bad_moment_of_a_bad_time_is_no_onset():
    """One handoff in eight fails, at random; a look is asked when it was worst, as wishes do."""
    onsets = 0
    for seed in range(40):
        dice, project = Random(seed), ready()
        worst, asked_at = 0.0, 0
        for _ in range(240):
            failed = sum(dice.random() < 0.125 for _ in range(3))
            project.tick(rows=WORK | {"handoffs_ended": 3, "handoffs_failed": failed})
            rate = estimate(project.history.between(us(project.now_s - 1200), us(project.now_s)), METRIC)
            if project.now_s > 3600 and rate.value > worst:
                worst, asked_at = (
                    rate.value,
                    onset_us(project.moment(), asked(**{METRIC: rate.value, "looked_back_s": 1200.0})),
                )
        onsets += asked_at != 0
    assert onsets <= 10


@pytest.mark.parametrize(("bad_s", "seen_s"), [(300, 300), (600, 600), (7200, 3600)])
def test_a_wish_knows_how_much_of_its_trouble_a_trial_could_be_compared_with(bad_s, seen_s):
    """An hour at the most."""
    project = ready()
    project.run(7200, rows=GOOD)
    project.run(bad_s, rows=BAD | {"handoffs_timed_out": 6})
    assert [one.baseline_s for one in wishes(project.moment())] == [seen_s]


def test_what_was_found_otherwise_says_nothing_of_its_onset():
    proposal = asked()
    del proposal.evidence["looked_back_s"]
    assert onset_us(troubled(300).moment(), proposal) == 0


def test_the_onset_of_a_fault_does_not_end_the_trial_of_its_remedy():
    """The fault came ten minutes before; under the remedy a third as many fail."""
    project = troubled(600)
    evidence = asked().evidence
    project.tick(handoff_wish(evidence), rows=BAD)
    project.applied().run(1800, rows=MENDED)
    assert project.decisions[-1].verdict == "kept", project.decisions[-1].explanation


@pytest.mark.parametrize(("before_s", "alarm"), [(900, False), (0, True)])
def test_a_guard_answers_only_for_what_got_worse_under_the_change(before_s, alarm):
    """Regressions begin before the change, or with it."""
    project, harmed = ready(), {"tasks_regressed": 2}
    project.run(3600, rows=BAD)
    project.run(before_s, rows=BAD | harmed)
    project.tick(handoff_wish(asked().evidence), rows=BAD)
    project.applied().run(1800, rows=MENDED | harmed)
    assert ("quality_regression_rate" in project.decisions[-1].explanation) is alarm


def handoff_wish(evidence: dict[str, object]) -> object:
    return wish("workflow.handoff_timeout_s", 180, metric=METRIC, evidence=evidence)
