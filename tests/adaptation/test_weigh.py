"""The chooser with a model reaches every parameter, minds what was learnt, and comes to rest."""

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist

import pytest

from meta_orchestrator.core.adaptation.belief import Gain
from meta_orchestrator.core.adaptation.remedies import REMEDIES, against
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.weigh import most_promising, remedies, weighed
from meta_orchestrator.core.collection.measures import Measures
from meta_orchestrator.policy import BUILT_IN
from tests.adaptation.making import Project, ready, wish
from tests.adaptation.plant import Plant
from tests.adaptation.test_symptoms import HEALTHY, TIMEOUTS, drift

TIMEOUT, WIP = "workflow.handoff_timeout_s", "workflow.wip_limit"
REVIEWS = "workflow.review_depth"
DEFAULTS = {name: it.default for name, it in BUILT_IN.items()}
SURE = {"adaptation": {"chooser": "model", "try_at": 0.0, "least_gain": 0.0, "doubt": 1e-6}}


def symptom(name: str, gap: float = 1.0) -> Symptom:
    return Symptom(name, f"{name} is seen", "development_velocity", gap, 1.0, 100, 20, {}, {})


def learner(policy: dict[str, object] | None = None) -> Project:
    """A model that has seen three hours of a team, everything at its default."""
    project = ready(policy, learns=True, **DEFAULTS)
    project.run(10_800, rows=HEALTHY)
    return project


@pytest.mark.parametrize(("parameter", "name"), [(it, name) for it in REMEDIES for name in REMEDIES[it]])
def test_every_parameter_is_proposed_where_nothing_better_is_left(parameter, name):
    project = learner(SURE)
    others = {it: 2**62 for it in DEFAULTS if it != parameter}
    project.ledger.rests_until_us |= others
    direction = next(direction for it, direction, _ in against(project.policy, name) if it == parameter)
    project.ledger.config[parameter] = MIDDLE.get(parameter, project.ledger.config[parameter])
    project.tick(rows=HEALTHY)
    moment = project.moment()
    [wish] = [it for it in remedies(moment, {name: symptom(name)}) if it.parameter == parameter]
    assert wish.to is not None
    assert wish in [replace(it, gain=None, is_main=False) for it in weighed(moment, {name: symptom(name)})]
    if parameter != "consensus.frequency":
        assert (wish.to > project.ledger.config[parameter]) == (direction > 0)


MIDDLE = {
    "workflow.review_depth": 1,
    "consensus.threshold.minor": 0.7,
    "consensus.frequency": "adaptive_threshold(0.5)",
}


def test_the_remedy_of_the_louder_symptom_is_chosen():
    project = learner(SURE)
    loud = most_promising(project.moment(), {"timeouts": symptom("timeouts"), "overload": symptom("overload", 0.2)})
    assert loud[0].parameter == TIMEOUT
    quiet = most_promising(project.moment(), {"timeouts": symptom("timeouts", 0.2), "overload": symptom("overload")})
    assert quiet[0].parameter == "workflow.wip_limit"


def test_what_was_learnt_here_speaks_against_a_remedy():
    project = learner()
    model = project.response.model
    sick = {"timeouts": 1.0}
    move = model.features(DEFAULTS | {TIMEOUT: 180}, sick) - model.features(DEFAULTS, sick)
    for _ in range(5):
        model.teach(move, Gain(-0.08, 0.02))
    project.run(900, rows=TIMEOUTS)
    outputs = [output for _ in range(40) for output in project.tick(rows=TIMEOUTS, rules=True)]
    assert not [it for it in outputs if getattr(it, "verdict", "") == "changed"]
    told = next(it for it in outputs if it.refused_by == "evidence")
    assert "by what was learnt here" in told.explanation


def changed(project: Project) -> object:
    for _ in range(80):
        outputs = project.tick(rows=TIMEOUTS, rules=True)
        found = [it for it in outputs if getattr(it, "verdict", "") == "changed"]
        if found:
            return found[0]
    raise AssertionError("nothing was changed")


def test_a_decision_says_what_was_weighed():
    project = learner()
    project.run(900, rows=TIMEOUTS)
    told = changed(project)
    assert "one step promises +" in told.explanation
    assert "% sure to help)" in told.explanation
    assert "weighed were velocity 1.0" in told.explanation
    for term in ("term_velocity", "term_quality", "term_coordination", "term_utilization", "term_risk"):
        assert isinstance(told.evidence[term], float)
    assert told.evidence["expected_gain"] > 0
    assert told.evidence["expected_gain_sd"] > 0
    assert project.policy.adaptation.try_at <= told.evidence["p_gain"] <= 1
    assert told.evidence["symptom_timeouts"] > 0


def test_the_runner_up_is_named():
    project = learner(SURE)
    project.ledger.config[REVIEWS] = 1
    symptoms = {"regressions": symptom("regressions")}
    wish = most_promising(project.moment(), symptoms)[0]
    assert wish.parameter == "workflow.review_depth"
    assert wish.why.evidence["runner_up"] == "quality.min_pass_rate → 0.95"
    assert wish.why.evidence["runner_up_gain"] < wish.why.evidence["expected_gain"]
    assert "quality.min_pass_rate → 0.95 +" in wish.why.reason


def test_the_weak_remedies_of_a_trouble_are_left_alone():
    """A trial could not tell whether they help, so only what is likely to help is tried."""
    project = learner()
    project.ledger.config[REVIEWS] = 1
    options = weighed(project.moment(), {"regressions": symptom("regressions")})
    asked = project.policy.adaptation.try_at
    worth = [wish.parameter for wish in options if wish.gain and wish.gain.p_positive >= asked]
    assert worth == ["workflow.review_depth", "quality.min_pass_rate"]
    assert "consensus.threshold.major" in [wish.parameter for wish in options]


@pytest.mark.parametrize(
    ("metric", "main", "needed"),
    [
        ("development_velocity", False, 0.65),
        ("handoff_failure_rate", False, 0.65),
        ("development_velocity", True, 0.6),
        ("handoff_failure_rate", True, 1 / 3),
    ],
)
def test_a_main_remedy_is_tried_on_less(metric, main, needed):
    """And where its trial shows whether the trouble goes, the model must only not be against it."""
    for sure, verdict in ((needed - 0.01, "refused"), (needed + 0.01, "changed")):
        gain = Gain(0.05 * NormalDist().inv_cdf(sure), 0.05)
        told = ready().tick(wish(TIMEOUT, 180, metric=metric, gain=gain, is_main=main), rows=HEALTHY)
        assert next(it.verdict for it in told if hasattr(it, "verdict")) == verdict
    limit = wish(WIP, 5, gain=Gain(0.05 * NormalDist().inv_cdf(0.34), 0.05), is_main=main)
    assert (ready().tick(limit)[-1].verdict == "changed") is main, "a limit's trial waits until it shows"
    back = wish(TIMEOUT, 180, gain=Gain(0.05 * NormalDist().inv_cdf(0.78), 0.05), is_back=True)
    assert ready().tick(back)[-1].refused_by == "evidence", "a step back must be likelier than any other"
    poor = wish(WIP, 5, metric=metric, gain=Gain(0.001, 0.001), is_main=main)
    assert ([getattr(it, "refused_by", None) for it in ready().tick(poor)][-1] is None) == main


def test_the_rules_own_remedies_are_the_main_ones_but_not_where_trials_have_spoken():
    project = learner()
    project.ledger.config[REVIEWS] = 1
    troubles = {"regressions": symptom("regressions"), "overload": symptom("overload")}
    mains = {it.parameter for it in weighed(project.moment(), troubles) if it.is_main}
    assert mains == {"workflow.review_depth", WIP}
    project.ledger.turns[WIP] = (f"{WIP} +", 0)
    assert {it.parameter for it in weighed(project.moment(), troubles) if it.is_main} == {"workflow.review_depth"}


def test_two_reviewers_are_enough_unless_the_policy_says_that_more_help():
    troubles = {"regressions": symptom("regressions")}
    assert REVIEWS not in {it.parameter for it in remedies(learner().moment(), troubles)}
    own = BUILT_IN[REVIEWS].model_copy(update={"helps": {"regressions": 1.0}}).model_dump(exclude_none=True)
    more = [it.to for it in remedies(learner({"parameters": {REVIEWS: own}}).moment(), troubles)]
    assert 3 in more


def test_loosening_a_safety_parameter_is_only_recommended():
    project = learner(SURE)
    findings = drift("development_velocity", "down")
    for _ in range(40):
        project.tick(rows=HEALTHY, findings=findings, rules=True)
    about = [
        it for it in project.decisions if it.proposal.parameter in ("workflow.review_depth", "quality.min_pass_rate")
    ]
    assert {it.verdict for it in about} >= {"recommended"}
    assert "changed" not in {it.verdict for it in about}
    assert project.ledger.config["workflow.review_depth"] == 2


def test_a_change_that_may_go_out_is_not_held_up_by_one_that_may_only_be_recommended():
    project = learner(SURE)
    crowded = {"crowding": symptom("crowding")}
    chosen = most_promising(project.moment(), crowded)
    assert [it.parameter for it in chosen] == ["consensus.frequency", "workflow.review_depth"]


def test_the_model_is_asked_once_a_batch_and_not_at_every_tick():
    project = learner(SURE)
    spoken = [bool(project.tick(rows=TIMEOUTS, rules=True, measures=Measures())) for _ in range(20)]
    assert sum(spoken) <= 4


def test_where_nothing_is_wrong_nothing_is_changed():
    assert Plant(wrong=0.0).run(1).changes() == []


@lru_cache(maxsize=1)
def tuned() -> Plant:
    """A team with two things wrong, three days on."""
    return Plant(wrong=1.0).run(3)


def test_what_is_wrong_is_mended():
    config = tuned().project.ledger.config
    assert config[TIMEOUT] >= 240
    assert config["workflow.review_depth"] == 2


def test_under_constant_conditions_changes_die_out():
    changes, last_day = tuned().changes(), tuned().changes(since_day=2)
    assert 2 <= len(changes) <= 24
    assert len(last_day) <= 4
    for parameter in DEFAULTS:
        assert _turns([it for it in changes if it[0] == parameter]) <= 2


def _turns(moves: list[tuple[str, object, object]]) -> int:
    """How often the direction of a number's moves changes."""
    signs = [1 if to > from_ else -1 for _, from_, to in moves]
    return sum(one != other for one, other in pairwise(signs))


def test_the_memory_of_the_state_is_flat():
    sizes = tuned().sizes
    assert max(sizes[-2:]) < 1.2 * max(sizes[2:4])
    assert max(sizes) < 16_000


def test_the_model_survives_a_restart_at_any_tick():
    plain, restored = Plant(wrong=1.0, seed=4), Plant(wrong=1.0, seed=4)
    for plant in (plain, restored):
        for _ in range(12):
            plant.run(1 / 48)
            if plant is restored:
                plant.project.store_and_restore()
    assert [it.to_json() for it in plain.project.said] == [it.to_json() for it in restored.project.said]
    assert plain.stored() == restored.stored()
