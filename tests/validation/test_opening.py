"""How long a trial settles before anything is held for or against it, and when it is reviewed."""

from dataclasses import replace
from typing import Any

import pytest

from meta_orchestrator.core.collection.books import Books
from meta_orchestrator.core.collection.tasks import Task
from meta_orchestrator.core.trial import Proposal
from meta_orchestrator.core.validation.opening import Design, designed
from tests.adaptation.making import ready, us


def times(parameter: str, held: int = 0, learns: bool = True, **trial: Any) -> tuple[float, float]:
    """(settles, is reviewed), in seconds."""
    design, now_us = chosen(proposal(parameter), held, learns, **trial)
    assert design.lag_us == design.settle_us
    return design.settle_us / 1e6, (design.review_us - now_us) / 1e6


def chosen(wished: Proposal, held: int, learns: bool = True, **trial: Any) -> tuple[Design, int]:
    """(design, when) for a team that finishes 15 tasks of two points an hour and holds some."""
    project = ready({"trial": trial}, learns=learns)
    if project.response:
        batches = project.response.batches
        batches.usual_velocity, batches.usual_size = 30.0, 2.0
    books = Books(project.policy.limits)
    for number in range(held):
        books.tasks[f"task-{number}"] = Task(us(0), holder="ada")
    return designed(replace(project.moment(), books=books), wished), us(project.now_s)


def proposal(parameter: str, metric: str = "development_velocity", **evidence: float) -> Proposal:
    return Proposal("x", parameter, 4, 5, "work waits", metric, {}, {"expected_gain": 0.1} | evidence, [])


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (0, (120, 1800)),
        (1, (120, 1800)),  # four minutes
        (7, (840, 2520)),  # 28 minutes
        (15, (1800, 5400)),  # an hour
        (600, (7200, 21_600)),  # 40 hours count as four
    ],
)
def test_a_limit_of_work_in_progress_is_judged_by_what_was_begun_under_it(held: int, expected: tuple[float, float]):
    """It settles for half the lead time, by Little's law tasks in work over tasks finished, and is reviewed after all
    of it again."""
    assert times("workflow.wip_limit", held) == expected


def test_what_acts_at_once_waits_for_nothing():
    assert times("workflow.handoff_timeout_s", 15) == (120, 1800)


def test_the_longest_wait_is_the_policys():
    assert times("workflow.wip_limit", 15, longest_lead_s=0) == (120, 1800)
    assert times("workflow.wip_limit", 600, longest_lead_s=3600) == (1800, 5400)


def test_where_nothing_is_known_of_the_lead_time_the_policys_times_hold():
    assert times("workflow.wip_limit", 15, learns=False) == (120, 1800)


def test_how_busy_agents_are_shows_at_once_and_what_they_get_done_later():
    """The model of what gets done does not look before half of the hour that a task takes."""
    design, now_us = chosen(proposal("workflow.wip_limit", "agent_utilization", places_taken=1.0), 15)
    assert (design.settle_us, design.lag_us, design.review_us - now_us) == (120e6, 1800e6, 1800e6)


def test_where_places_are_free_how_busy_agents_are_follows_the_load():
    design, now_us = chosen(proposal("workflow.wip_limit", "agent_utilization"), 15)
    assert (design.settle_us, design.lag_us, design.review_us - now_us) == (1800e6, 1800e6, 5400e6)
