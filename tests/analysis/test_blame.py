"""Whom to look at when something takes longer: who did more themselves, not who waited for them."""

import numpy as np
import pytest

from meta_orchestrator.core.analysis.causes import explain
from meta_orchestrator.core.analysis.causes.blame import blame, own, split
from meta_orchestrator.core.analysis.causes.blocks import Block
from meta_orchestrator.core.analysis.causes.explain import Sides
from meta_orchestrator.core.analysis.causes.fields import AGENT, AGENT_AT, CAUSES, CRITICALITIES, ROUND
from tests.analysis.making import us

RANDOM = np.random.default_rng
CALLS = {"front": ("shop", "search"), "shop": ("bank", "mail"), "search": ("store",), "mail": ("store",)}
SERVICES = ("front", "shop", "search", "bank", "mail", "store")
LOAD = {"front": 10.0, "shop": 1.0, "search": 8.0, "bank": 1.0, "mail": 0.5, "store": 20.0}


def measured(random, blocks: int, slow: str | None = None):
    """Requests by second and what one takes, with all that it waits for, by block: a plant whose truth is known."""
    load = {name: LOAD[name] * random.lognormal(0, 0.1, blocks) for name in SERVICES}
    alone = {name: random.lognormal(-3, 0.2, blocks) * (4 if name == slow else 1) for name in SERVICES}
    total: dict = {}
    for name in reversed(SERVICES):
        total[name] = load[name] * alone[name]
        for called in CALLS.get(name, ()):
            total[name] = total[name] + divided(total, load, called)[name]
    return load, total


def divided(total, load, called):
    callers = [name for name in SERVICES if called in CALLS.get(name, ())]
    return dict(zip(callers, split(total[called], [load[name] for name in callers]), strict=True))


def own_time(load, total):
    waits = {(who, called): part for called in SERVICES if any(called in it for it in CALLS.values())
             for who, part in divided(total, load, called).items()}  # fmt: skip
    return own(total, waits)


@pytest.mark.parametrize("guilty", SERVICES)
def test_the_slow_one_of_a_call_graph_is_blamed_and_not_those_who_wait_for_it(guilty):
    random, right, biggest = RANDOM(1), 0, 0
    for _ in range(40):
        sides = [measured(random, blocks, slow) for blocks, slow in ((30, None), (3, guilty))]
        times = [own_time(*side) for side in sides]
        found = blame({"working": {name: (times[0][name], times[1][name]) for name in SERVICES}})
        right += found[0].agent == guilty
        change = {name: sides[1][1][name].mean() - sides[0][1][name].mean() for name in SERVICES}
        biggest += max(change, key=change.__getitem__) == guilty
    assert right >= 38
    assert right >= biggest


def test_nobody_is_surely_slower_where_nothing_has_changed():
    random = RANDOM(2)
    found = blame({"working": {str(n): (random.normal(5, 1, 20), random.normal(5, 1, 4)) for n in range(500)}})
    assert len(found) == 500
    assert sum(it.low > 0 for it in found) / 500 <= 0.04  # 2.5 % one-sided


def test_an_agent_of_whom_less_is_known_is_blamed_as_if_it_were_alone():
    random = RANDOM(5)
    times = {name: (random.normal(5, 1, 20), random.normal(6, 1, 4)) for name in "abcde"}
    times["b"][0][3:7] = np.nan
    times["d"] = times["d"][0][:9], times["d"][1]
    together = blame({"working": times})
    alone = [blame({"working": {name: sides}})[0] for name, sides in times.items()]
    assert together == sorted(alone, key=lambda it: (-it.low, it.agent))


def test_long_blocks_are_known_better_than_short_ones():
    before, after = RANDOM(3).normal(5, 1, 20), np.array([6.0])
    short, long = (blame({"w": {"a": (before, after)}}, (np.ones(20), np.array([it])))[0] for it in (1.0, 16.0))
    assert long.high - long.low < short.high - short.low


def test_what_is_unknown_blames_nobody():
    nothing = np.full(5, np.nan)
    assert blame({"working": {"a": (nothing, nothing), "b": (np.array([1.0]), np.array([9.0]))}}) == []


def test_of_the_kinds_of_time_the_one_that_grew_most_for_sure_is_named():
    steady, risen = (np.full(10, 1.0), np.full(3, 1.0)), (np.full(10, 1.0), np.full(3, 3.0))
    found = blame({"working": {"a": steady, "b": risen}, "letting others wait": {"a": risen, "b": steady}})
    assert {it.agent: it.kind for it in found} == {"a": "letting others wait", "b": "working"}


def blocks(random, first: int, many: int, slow: bool) -> list[Block]:
    made = []
    for n in range(first, first + many):
        agents = np.zeros((3, len(AGENT)), np.float32)
        agents[:, AGENT_AT["busy_s"]] = random.normal(20, 2, 3)
        agents[:, AGENT_AT["awaited_s"]] = random.normal(5, 1, 3)
        agents[1, AGENT_AT["awaited_s"]] += 30 * slow
        empty = np.zeros(len(CAUSES), np.float32), np.zeros((len(CRITICALITIES), len(ROUND)), np.float32)
        made.append(Block(n * us(60), (n + 1) * us(60), 60, 0, ("ada", "ben", "cem"), agents, *empty))
    return made


def test_a_falling_velocity_names_who_lets_the_others_wait():
    random = RANDOM(4)
    sides = Sides(blocks(random, 0, 12, False), blocks(random, 12, 4, True), {})
    [found] = explain.slower(sides, "development_velocity", 0.05)
    assert (found.agent, found.kind) == ("ben", "letting others wait")
    assert found.low < 0.5 < found.high
    assert explain.told_of_time([found]).startswith("Of agent ben's time, letting others wait has grown by")
    assert explain.evidence_of_time([found])["slower_1"] == "agent ben, letting others wait"
    assert explain.slower(sides, "dissent_rate", 0.05) == []


def test_a_team_in_which_nothing_has_changed_names_somebody_as_rarely_as_promised():
    random, wrong = RANDOM(5), 0
    for _ in range(300):
        sides = Sides(blocks(random, 0, 12, False), blocks(random, 12, 4, False), {})
        wrong += bool(explain.slower(sides, "development_velocity", 0.05))
    assert wrong / 300 <= 0.075  # 5 % and two standard errors
