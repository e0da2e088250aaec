"""team.recommended: too few or too many of a kind, skills that are short, and what a change does to waiting."""

from itertools import pairwise

import numpy as np
import orjson
import pytest

from judge.queues import Network, Said, events, look, moments, visits
from meta_orchestrator.core.analysis.antipatterns.bottleneck import Bottleneck
from meta_orchestrator.core.analysis.staffing.queueing import queue_length
from meta_orchestrator.core.analysis.staffing.stations import Stations
from meta_orchestrator.core.analysis.staffing.team import Kind, TeamWatch, expected
from meta_orchestrator.messages.outputs import TeamRecommended
from meta_orchestrator.policy import Policy

POLICY = Policy()
UNITS = 1200


def team(utilizations: tuple[float, ...], servers: tuple[int, ...], seed: int = 1) -> list[Said]:
    """Stations s0, s1, ... through each of which every task goes; exponential-like services."""
    size, count = len(servers), np.array(servers)
    made = Network(np.ones(size), count, count * np.array(utilizations), np.full(size, 0.8))
    random = np.random.default_rng(seed)
    return events([visits(made, k, random, UNITS) for k in range(size)], count, beats=False)


def skilled(said: list[Said], skills: dict[str, list[str]], needs: dict[str, list[str]]) -> list[Said]:
    """Agents with skills, and tasks that require some in turn, by type."""
    told = []
    for n, (at, kind, data) in enumerate(said):
        if kind == "agent.registered":
            told.append((at, kind, data | {"skills": skills.get(str(data["agent"]), ["python"])}))
        elif kind == "agent.task.started":
            wanted = needs.get(str(data["agent"]).partition("-")[0], ["python"])
            told.append((at, kind, data | {"required_skills": [wanted[n % len(wanted)]]}))
        else:
            told.append((at, kind, data))
    return told


def recommended(said: list[Said], restore: bool = False) -> list[tuple[int, TeamRecommended]]:
    """(tick in us, recommendation)."""
    stations = Stations(POLICY)
    detector, watch, found = Bottleneck(POLICY, stations), TeamWatch(POLICY, stations), []
    for moment in moments(said, POLICY):
        look(detector, moment)
        found += [(moment.tick_us, one) for one in watch.judge(moment)]
        if restore:
            stored = orjson.loads(orjson.dumps(watch.dump()))
            watch = TeamWatch(POLICY, stations)
            watch.load(stored)
    return found


def test_a_team_in_which_all_is_well_hears_nothing():
    assert recommended(team((0.55, 0.6, 0.5), (2, 3, 2))) == []


def test_of_a_kind_that_all_wait_for_more_are_wanted_and_the_wait_falls():
    _, said = recommended(team((0.5, 0.97), (2, 2)))[0]
    assert set(said.add) == {"s1"}
    assert said.remove == []
    change, low, high = (said.expected[f"waiting_tasks_change{end}"] for end in ("", "_low", "_high"))
    assert low < change < high < 0
    assert -said.expected["waiting_tasks"] <= change


def test_of_a_kind_that_is_idle_one_can_go_and_hardly_anybody_waits_longer():
    _, said = recommended(team((0.5, 0.12), (2, 4)))[0]
    assert (said.add, said.remove) == ([], ["s1"])
    assert 0 <= said.expected["waiting_tasks_change"] < 0.2


def test_the_only_one_with_a_skill_is_not_let_go():
    said = team((0.5, 0.12), (2, 2))
    assert recommended(said)[0][1].remove == ["s1"]
    alone = skilled(said, {"s1-0": ["sql"], "s1-1": ["rust"]}, {"s1": ["sql", "rust"]})
    assert recommended(alone) == []


def test_a_skill_that_one_has_and_all_need_is_short_though_there_are_hands_enough():
    """Four agents at .6, three fifths of the work: the one with the skill would need 2.4 times its time."""
    said = skilled(team((0.5, 0.6), (2, 4)), {"s1-0": ["sql"]}, {"s1": ["sql"]})
    _, first = recommended(said)[0]
    assert first.add == ["s1"]
    assert first.coverage["sql"].demand == pytest.approx(2.4, rel=0.15)
    assert first.coverage["sql"].supply == 1


def test_where_a_skill_is_short_nobody_of_the_kind_is_let_go():
    """Ten agents at .15, and one of them has the skill for all that work."""
    said = skilled(team((0.5, 0.15), (2, 10)), {"s1-0": ["sql"]}, {"s1": ["sql"]})
    assert {(tuple(one.add), tuple(one.remove)) for _, one in recommended(said)} == {(("s1",), ())}


def test_coverage_divides_an_agent_over_its_skills_as_they_are_wanted():
    said = skilled(
        team((0.5, 0.97), (2, 2)), {name: ["sql", "rust"] for name in ("s1-0", "s1-1")}, {"s1": ["sql", "rust"]}
    )
    coverage = recommended(said)[0][1].coverage
    assert coverage["sql"].supply + coverage["rust"].supply == pytest.approx(2, rel=1e-4)
    assert coverage["sql"].demand == pytest.approx(coverage["rust"].demand, rel=0.1)


def test_it_is_said_when_it_changes_and_at_most_once_an_hour():
    said = recommended(team((0.5, 0.97), (2, 2)))
    assert all(later - earlier >= 3_600_000_000 for (earlier, _), (later, _) in pairwise(said))


def test_stored_and_restored_at_any_tick_it_says_the_same():
    said = skilled(team((0.5, 0.97), (2, 2)), {"s1-0": ["sql"]}, {"s1": ["sql"]})
    assert recommended(said, restore=True) == recommended(said) != []


def test_the_interval_holds_what_one_more_does_in_truth():
    """Services nearly exponential, so that the truth is Erlang's: the change of the queue from two to three servers."""
    truth = queue_length(3, 1.4) - queue_length(2, 1.4)
    made = Network(np.ones(1), np.array([2]), np.array([1.4]), np.array([0.8326]))  # ln 2 = .8326²: cv 1
    held = []
    for seed in range(60):
        one = visits(made, 0, np.random.default_rng(seed), 2000)
        kind = Kind("s0", ("a", "b"), 1, 2, batches(one.came, one.began), batches(one.began, one.began + one.took))
        said = expected([kind], [["s0"], []])
        held.append(said["waiting_tasks_change_low"] <= truth <= said["waiting_tasks_change_high"])
    assert np.mean(held) >= 0.85  # .93 measured; .87 at a load of 1.7, where 2,000 tasks are few


def batches(begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """How many intervals cover a moment, on average in each of 20 batches."""
    edges = np.linspace(0, begin[-1], 21)
    area = np.array([np.clip(edge - begin, 0, end - begin).sum() for edge in edges])
    return np.diff(area) / np.diff(edges)
