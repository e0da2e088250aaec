"""bottleneck: the kind of agent of which one more would help most, when that is sure and worth it."""

import numpy as np
import pytest
from scipy import stats

from judge.queues import Network, Said, events, findings, moments, named, visits
from meta_orchestrator.core.analysis.staffing.queueing import erlang_c, lag_one, left_waiting, p_above, queue_length
from meta_orchestrator.core.analysis.staffing.stations import Stations
from meta_orchestrator.messages.outputs import Antipattern, AntipatternCleared
from meta_orchestrator.policy import Policy

UNITS = 1200


def network(*utilizations: float) -> Network:
    """Stations of two agents each; one task a unit of time visits each of them."""
    size = len(utilizations)
    return Network(np.ones(size), np.full(size, 2), 2 * np.array(utilizations), np.full(size, 0.5))


def work(made: Network, seed: int, beats: bool = False, units: float = UNITS) -> list[Said]:
    random = np.random.default_rng(seed)
    stations = [visits(made, k, random, units) for k in range(len(made.rate))]
    return events(stations, made.servers, beats)


# ---- what queueing theory says ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("utilization", [0.1, 0.5, 0.9])
def test_waiting_in_small_queues_is_what_the_textbook_says(utilization):
    """M/M/1: rho, rho² / (1 - rho). M/M/2: 2 rho² / (1 + rho), 2 rho³ / (1 - rho²)."""
    assert erlang_c(1, utilization) == pytest.approx(utilization)
    assert queue_length(1, utilization) == pytest.approx(utilization**2 / (1 - utilization))
    assert erlang_c(2, 2 * utilization) == pytest.approx(2 * utilization**2 / (1 + utilization))
    assert queue_length(2, 2 * utilization) == pytest.approx(2 * utilization**3 / (1 - utilization**2))


def test_one_more_agent_leaves_less_waiting_and_one_less_more():
    for servers in (1, 2, 5, 20):
        for load in (0.3 * servers, 0.8 * servers, 0.99 * servers):
            queue = queue_length(servers, load)
            assert 0 <= left_waiting(queue, load, servers, +1) < queue
            if load < servers - 1:
                assert left_waiting(queue, load, servers, -1) > queue


def test_waiting_that_no_queue_explains_stays():
    """Agents that are hardly busy and let offers lie need no help."""
    assert left_waiting(10.0, 0.1, 1, +1) > 9.9


def test_the_mean_of_batches_is_tested_as_student_does():
    values = np.random.default_rng(1).normal(0.3, 1, 20)
    assert p_above(values, 0.1) == pytest.approx(stats.ttest_1samp(values, 0.1, alternative="greater").pvalue)
    assert lag_one(np.random.default_rng(1).normal(size=5000)) == pytest.approx(0, abs=0.05)


# ---- what is found ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beats", [False, True])
def test_the_type_that_makes_all_others_wait_is_named_with_its_agents(beats):
    found = findings(work(network(0.5, 0.97, 0.6), 1, beats))
    assert set(named(found)) == {"s1"}
    assert found[0].agents == ["s1-0", "s1-1"]
    assert found[0].severity > 0.5
    evidence = found[0].evidence
    assert float(evidence["utilization"]) == pytest.approx(0.97, abs=0.05)
    assert evidence["tasks_waiting_with_one_more"] < 0.5 * evidence["tasks_waiting"]


def test_where_nobody_has_to_wait_nobody_is_a_bottleneck():
    for seed in range(4):
        assert findings(work(network(0.3, 0.45, 0.35), seed)) == []


def test_of_two_that_are_equally_overloaded_hardly_ever_one_is_called_the_bottleneck():
    """At .05 for each of the two."""
    fired = [bool(findings(work(network(0.9, 0.9), seed, units=800))) for seed in range(8)]
    assert sum(fired) <= 3


def test_it_is_cleared_when_another_agent_of_the_kind_has_come():
    before, after = network(0.5, 0.97), network(0.5, 0.97)
    after.servers[1] = 4
    said = work(before, 1)
    end = said[-1][0]
    said += [
        (at + end, kind, {name: _renamed(value) for name, value in data.items()}) for at, kind, data in work(after, 2)
    ]
    found = findings(said)
    assert [type(one) for one in found] == [Antipattern, AntipatternCleared]


def _renamed(value: object) -> object:
    """Tasks of the second part are others."""
    return value.replace("t", "u") if isinstance(value, str) and "t" in value and value[:1] == "s" else value


def test_agents_of_no_known_type_are_of_no_kind():
    said = [(at, kind, data) for at, kind, data in work(network(0.5, 0.97, 0.6), 1) if kind != "agent.registered"]
    assert findings(said) == []


def test_stored_and_restored_at_any_tick_it_says_the_same():
    said = work(network(0.5, 0.97, 0.6), 1)
    assert findings(said, restore=True) == findings(said) != []


def test_agents_silent_over_long_work_are_there():
    """Who is at work of forty minutes says nothing for longer than an agent counts as live."""
    slow = Network(np.ones(1) / 40, np.array([2]), np.array([1.98]), np.array([0.5]))
    stations = Stations(Policy())
    for moment in moments(work(slow, 1, units=2_000), Policy()):
        stations.read(moment)
    _, loads = stations.table()
    _, served, capacity = loads[5:, 0, :].mean(axis=0)
    assert served == pytest.approx(1.75, abs=0.25)
    assert served <= capacity <= 2
