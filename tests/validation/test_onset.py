"""A trial is compared with the trouble that it answers, not with the time before that began."""

import pytest

from meta_orchestrator.core.ledger import Proposal
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


@pytest.mark.parametrize(("bad_s", "since_s"), [(300, 300), (600, 600), (900, 1200), (1500, 2400)])
def test_as_long_as_most_of_the_time_was_bad(bad_s, since_s):
    project = troubled(bad_s)
    assert onset_us(project.moment(), asked()) == us(project.now_s - since_s)


def test_an_old_trouble_leaves_the_whole_hour_before_a_trial():
    assert onset_us(troubled(3600).moment(), asked()) == 0


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


def handoff_wish(evidence: dict[str, object]) -> object:
    return wish("workflow.handoff_timeout_s", 180, metric=METRIC, evidence=evidence)
