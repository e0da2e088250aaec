"""Who and what explains a change: shares that add up, intervals that hold, and nobody named without cause."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_orchestrator.core.analysis.causes import changes, explain
from meta_orchestrator.core.analysis.causes.authors import REMEMBERED, REMEMBERED_ITEMS, Authors
from meta_orchestrator.core.analysis.causes.blocks import OTHERS, PER_LEVEL, Block, Blocks, joined
from meta_orchestrator.core.analysis.causes.explain import Cause
from meta_orchestrator.core.analysis.causes.fields import AGENT, CAUSES, CRITICALITIES, ROUND
from meta_orchestrator.core.analysis.causes.shares import Part, Side, named, paces, parts, scatter_of
from meta_orchestrator.core.analysis.causes.watch import CauseWatch
from meta_orchestrator.core.ledger import Ledger, Past
from meta_orchestrator.core.loop import Loop
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.fields import DAY_US
from meta_orchestrator.messages.outputs import Drift
from meta_orchestrator.policy import Policy
from tests.analysis.making import HOUR_S, event, us

TICK_US = us(30)
RANDOM = np.random.default_rng
COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=6, max_size=6)


def side(numerators, denominators) -> Side:
    return Side(np.array(numerators, float), np.array(denominators, float))


@given(COUNTS, COUNTS)
def test_contributions_add_up_to_the_difference(before, after):
    sides = [side([min(pair) for pair in it], [max(pair) for pair in it]) for it in (before, after)]
    found = parts(*sides, "share")
    if found:
        rates = [it.numerators.sum() / it.denominators.sum() for it in sides]
        assert sum(part.contribution for part in found) == pytest.approx(rates[1] - rates[0], abs=1e-9)
        assert sum(part.share for part in found) == pytest.approx(1)


def test_an_agent_that_does_more_of_the_failing_work_explains_it_by_mix_and_not_by_rate():
    found = parts(side([5, 40], [100, 100]), side([2, 72], [40, 180]), "share")
    assert found[1].before == found[1].after == 0.4
    assert found[1].mix == pytest.approx(found[1].contribution)


def test_who_was_not_there_before_has_no_rate_before():
    found = parts(side([5, 0], [100, 0]), side([5, 30], [100, 100]), "share")
    assert found[1].before is None
    assert found[1].contribution == pytest.approx(found[1].mix)
    assert found[1].share == pytest.approx(0.75)  # the other quarter: less of the work is done by who rarely fails


def simulated(random, rates, tasks=60) -> Side:
    many = random.poisson(tasks, len(rates))
    return side(random.binomial(many, rates), many)


def test_the_interval_of_a_share_covers_the_truth_as_often_as_it_says():
    """Given the denominators of a draw, the true share follows from the true rates."""
    random, hits, looks = RANDOM(1), 0, 0
    first, second = np.full(6, 0.1), np.array([0.45, 0.2, 0.1, 0.1, 0.1, 0.1])
    for _ in range(400):
        before, after = simulated(random, first, 200), simulated(random, second, 200)
        true = parts(
            side(first * before.denominators, before.denominators),
            side(second * after.denominators, after.denominators),
            "share",
        )
        for part, truth in zip(parts(before, after, "share"), true, strict=True):
            hits += part.low <= truth.share <= part.high
            looks += 1
    assert 0.92 <= hits / looks <= 0.98


@pytest.mark.parametrize(("before", "after"), [(0.1, 0.3), (0.3, 0.1), (0.02, 0.06)])
def test_an_even_change_names_nobody_more_often_than_promised(before, after):
    random = RANDOM(2)
    wrong = sum(
        bool(named(parts(simulated(random, np.full(12, before)), simulated(random, np.full(12, after)), "share"), 0.05))
        for _ in range(600)
    )
    assert wrong / 600 <= 0.05 + 2 * (0.05 * 0.95 / 600) ** 0.5


def test_one_guilty_agent_of_twelve_is_named_and_nobody_else():
    random, right, others = RANDOM(3), 0, 0
    rates = np.full(12, 0.1)
    for _ in range(200):
        worse = rates.copy()
        worse[4] = 0.5
        found = [it.place for it in named(parts(simulated(random, rates), simulated(random, worse), "share"), 0.05)]
        right += found[:1] == [4]
        others += bool([place for place in found if place != 4])
    assert right >= 190
    assert others <= 20


def test_an_even_fall_of_velocity_names_nobody_and_one_idle_agent_is_named():
    random, wrong, right = RANDOM(4), 0, 0
    hours = np.full(8, 10.0)
    for _ in range(300):
        before = Side(random.poisson(60, 8).astype(float), hours)
        wrong += bool(named(paces(before, Side(random.poisson(30, 8).astype(float), hours)), 0.05))
        idle = random.poisson([60] * 7 + [5]).astype(float)
        right += [it.place for it in named(paces(before, Side(idle, hours)), 0.05)] == [7]
    assert wrong / 300 <= 0.08
    assert right / 300 >= 0.9


def test_work_in_bursts_widens_the_intervals():
    random = RANDOM(5)
    many = np.full(40, 50.0)
    steady = random.binomial(50, 0.2, 40).astype(float)
    bursts = random.binomial(50, random.beta(1, 4, 40)).astype(float)
    assert scatter_of(steady, many, "share") < 2
    assert scatter_of(bursts, many, "share") > 4
    assert scatter_of(steady[:4], many[:4], "share") == 1


# ---- the past in blocks ---------------------------------------------------------------------------------------------


def block(n: int, agents: dict[str, float]) -> Block:
    table = np.zeros((len(agents), len(AGENT)), np.float32)
    table[:, 0] = list(agents.values())
    causes, rounds = np.ones(len(CAUSES), np.float32), np.ones((len(CRITICALITIES), len(ROUND)), np.float32)
    return Block(n * TICK_US, (n + 1) * TICK_US, 60, 0, tuple(agents), table, causes, rounds)


def test_blocks_keep_all_sums_in_a_number_that_grows_with_the_logarithm_of_time():
    blocks = Blocks(10, 30 * DAY_US)
    for n in range(3000):
        blocks.add(block(n, {f"a{n % 3}": 1, "b": 2}))
    names, sums = joined(blocks.closed)
    assert dict(zip(names, sums[:, 0].tolist(), strict=True)) == {"a0": 1000, "a1": 1000, "a2": 1000, "b": 6000}
    assert sum(it.causes[0] for it in blocks.closed) == 3000
    assert len(blocks.closed) <= PER_LEVEL * 12
    ends = [it.end_us for it in blocks.closed]
    assert [it.start_us for it in blocks.closed] == [0, *ends[:-1]]
    for earlier in blocks.closed[:-1]:  # an edge to within about half of any age
        assert earlier.end_us - earlier.start_us <= 3000 * TICK_US - earlier.end_us + 2 * TICK_US


def test_too_many_agents_are_told_apart_by_how_busy_they_are():
    blocks = Blocks(4, 30 * DAY_US)
    for n in range(4):
        blocks.add(block(n, {f"a{k}": float(k) for k in range(9)} | {OTHERS: 5}))
    assert set(blocks.closed[0].names) == {"a6", "a7", "a8", OTHERS}  # of those that were joined
    assert joined(blocks.closed)[1][:, 0].sum() == 4 * (36 + 5)


def test_blocks_survive_being_stored():
    blocks, other = Blocks(10, DAY_US), Blocks(10, DAY_US)
    for n in range(100):
        blocks.add(block(n, {f"a{n % 7}": n / 3, "b": 1}))
    other.load(json.loads(json.dumps(blocks.dump())))
    for n in range(100, 120):
        for it in (blocks, other):
            it.add(block(n, {"c": 1}))
    assert other.dump() == blocks.dump()


# ---- whose work it was ----------------------------------------------------------------------------------------------


def test_a_regression_is_the_work_of_who_finished_the_task_and_not_of_who_reports_it():
    authors = Authors()
    authors.finished([{"task": "t", "agent": "ada"}, {"task": "t", "agent": "ben"}])
    assert authors.shares("t") == {"ben": 1}
    assert authors.shares("unknown") == {}


def test_an_item_of_steps_is_the_work_of_all_who_did_them_and_a_failed_check_counts_as_a_step():
    authors = Authors()
    for n, agent in enumerate(["ada", "ben", "ada", "cem"]):
        authors.started([{"task": f"step-{n}", "agent": agent, "item": "item"}])
        authors.finished([{"task": f"step-{n}", "agent": agent, "points": 0}])
    authors.failed("step-1")
    authors.failed("of nobody")
    assert authors.shares("item") == {"ada": 0.4, "ben": 0.4, "cem": 0.2}
    assert next(iter(authors.shares("item"))) == "ada"
    other = Authors()
    other.load(json.loads(json.dumps(authors.dump())))
    assert (other.shares("item"), other.dump()) == (authors.shares("item"), authors.dump())


def test_of_more_work_than_is_remembered_the_oldest_is_forgotten():
    authors = Authors()
    for n in range(2 * REMEMBERED):
        authors.started([{"task": f"s{n}", "agent": "a", "item": f"i{n}"}])
        authors.finished([{"task": f"s{n}", "agent": "a"}], [f"s{n}"] if n % 2 == 0 else ())
    assert (authors.shares("i0"), authors.shares(f"i{2 * REMEMBERED - 1}")) == ({}, {"a": 1})
    assert len(authors.tasks) == REMEMBERED
    assert len(authors.steps) == len(authors.items) == REMEMBERED_ITEMS
    assert len(json.dumps(authors.dump())) < 12_000


# ---- which change precedes ------------------------------------------------------------------------------------------


def ledger(*versions: tuple[float, str, str]) -> Ledger:
    """(hours, parameter, by whom)."""
    past = [
        Past(n, f"change-{n}", "trial" if by == "rule" else "override", by, us(hours * HOUR_S), {parameter: (4, 3)})
        for n, (hours, parameter, by) in enumerate(versions, 1)
    ]
    return Ledger(version=len(past), past=past)


def verdict(known: Ledger, metric: str, since_h: float) -> tuple[int, str] | None:
    found = changes.suspect(known, metric, us(since_h * HOUR_S), us(60), us((since_h + 2) * HOUR_S))
    return (found.past.version, found.verdict) if found else None


def test_a_change_just_before_that_acts_on_the_metric_is_likely_whoever_made_it():
    for by in ("rule", "operator"):
        assert verdict(ledger((30, "workflow.wip_limit", by)), "development_velocity", 30.2) == (1, "likely")


def test_a_change_long_before_is_only_possible():
    assert verdict(ledger((20, "workflow.wip_limit", "rule")), "development_velocity", 30) == (1, "possible")


def test_what_began_before_the_change_or_is_nothing_that_it_acts_on_was_hardly_caused_by_it():
    assert verdict(ledger((31, "workflow.wip_limit", "rule")), "development_velocity", 30) == (1, "unlikely")
    assert verdict(ledger((29.9, "workflow.wip_limit", "rule")), "consensus_success_rate", 30) == (1, "unlikely")
    assert verdict(ledger((5, "workflow.wip_limit", "rule")), "development_velocity", 30) is None


def test_of_several_changes_the_one_that_speaks_most_for_itself_is_named():
    known = ledger(
        (29.7, "workflow.wip_limit", "rule"),
        (29.8, "consensus.threshold.minor", "operator"),
        (30.5, "own.knob", "rule"),
    )
    assert verdict(known, "dissent_rate", 30) == (2, "likely")
    assert verdict(known, "development_velocity", 30)[1] == "likely"


def test_where_changes_are_frequent_one_close_before_says_little():
    many = ledger(*[(n / 2, "workflow.wip_limit", "rule") for n in range(60)])
    assert verdict(many, "development_velocity", 29.8)[1] == "possible"


def test_nobody_knows_what_a_parameter_of_the_users_own_acts_on():
    assert changes.acts_on("own.knob", "dissent_rate") is None
    assert changes.acts_on("consensus.threshold.minor", "dissent_rate") is True
    assert changes.acts_on("workflow.wip_limit", "dissent_rate") is False


# ---- all of it, from events to the insight ---------------------------------------------------------------------------

AGENTS = ("ada", "ben", "cem", "dia")
BEGIN_S = 2 * HOUR_S


def story(until_s: float):
    """Handoffs between four agents; from the third hour on those to cem are rejected half the time."""
    random = RANDOM(6)
    for agent in AGENTS:
        yield event(1, "agent.registered", agent=agent, agent_type="builder" if agent < "cem" else "tester", capacity=2)
    for n, time_s in enumerate(np.arange(10, until_s, 10.0).tolist()):
        origin, target = random.choice(4, 2, replace=False)
        share = 0.5 if time_s >= BEGIN_S and AGENTS[target] == "cem" else 0.05
        who = {"handoff": f"h{n}", "task": f"t{n}", "from_agent": AGENTS[origin], "to_agent": AGENTS[target]}
        if random.random() < share:
            usual = ("timeout", "error", "rejected")[int(random.integers(3))]
            yield event(time_s, "agent.handoff.failed", **who, cause="rejected" if share == 0.5 else usual)
        else:
            yield event(time_s, "agent.handoff.completed", **who, wait_ms=10)


def told(restore_every: int = 0, until_s: float = 4 * HOUR_S) -> list[CloudEvent]:
    policy, waiting, said = Policy(), sorted(story(until_s)), []
    loop = Loop(policy)
    heads: dict[bytes, bytes] = {}
    panes: dict[bytes, bytes] = {}
    for tick in range(1, int(until_s / 30) + 1):
        while waiting and waiting[0][0] < us(30 * tick):
            loop.observe("team", waiting[0], waiting[0][0] - us(15))
            del waiting[0]
        said += [it for it in loop.decide(us(30 * tick)) if isinstance(it, CloudEvent)]
        for table, key, value in loop.rows():
            (heads if table == "heads" else panes)[key] = value
        if restore_every and tick % restore_every == 0:
            loop = Loop(policy)
            loop.restore(heads, panes, us(30 * tick))
    return said


@pytest.fixture(scope="module")
def said() -> list[CloudEvent]:
    return told()


def test_a_drift_names_the_agent_and_the_cause_that_explain_it(said):
    drifts = [it.data for it in said if isinstance(it.data, Drift) and it.data.agent is None]
    evidence = drifts[0].evidence
    assert drifts[0].metric == "handoff_failure_rate"
    causes = {evidence[key]: key for key in ("cause_1", "cause_2", "cause_3") if key in evidence}
    assert set(causes) == {"agent cem", "cause rejected"}
    key = causes["agent cem"]
    assert evidence[f"{key}_low"] > 0.3
    assert evidence[f"{key}_low"] < evidence[f"{key}_share"] < evidence[f"{key}_high"]
    assert "gent cem" in evidence["sentence"]
    assert "change" not in evidence


def test_stored_and_restored_at_any_tick_it_says_the_same(said):
    insights = [it.to_json() for it in said if it.data.topic == "insights"]
    again = [it.to_json() for it in told(restore_every=7) if it.data.topic == "insights"]
    assert again == insights


def test_what_is_stored_is_small():
    watch, random = CauseWatch(Policy()), RANDOM(7)
    for n in range(5000):
        watch.blocks.add(block(n, {f"agent-{k}": float(random.integers(50)) for k in range(20)}))
    assert len(json.dumps(watch.dump())) < 10_000 + 100 * 20


def test_the_sentence_reads_as_one():
    part = Part(0, 0.1, 0.4, 0.2, 0.0, 0.62, 0.48, 0.77, 9.0)
    moved = Part(1, None, 0.4, 0.4, 0.3, 1.08, 1.05, 1.11, 9.0)
    assert explain.told([Cause("agent", "cem", part)]) == "Agent cem explains 62% of it (48% to 77%)."
    assert explain.told([Cause("cause", "timeout", moved), Cause("criticality", "minor", part)]) == (
        "Failing by timeout explains more than all of it (105% to 111%) by a change of who does the work; "
        "what is minor explains 62% of it (48% to 77%)."
    )
    assert explain.told([]) == "No agent, type, cause or criticality explains more of it than its size does."
