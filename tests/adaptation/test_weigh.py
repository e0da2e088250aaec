"""The chooser with a model reaches every parameter, minds what was learnt, and comes to rest."""

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import pytest

from meta_orchestrator.core.adaptation.belief import Gain
from meta_orchestrator.core.adaptation.remedies import REMEDIES, against
from meta_orchestrator.core.adaptation.symptoms.symptom import Symptom
from meta_orchestrator.core.adaptation.weigh import most_promising, remedies, weighed
from meta_orchestrator.core.collection.measures import Measures
from meta_orchestrator.policy import BUILT_IN
from tests.adaptation.making import Project, ready
from tests.adaptation.plant import Plant
from tests.adaptation.test_symptoms import HEALTHY, TIMEOUTS, drift

TIMEOUT = "workflow.handoff_timeout_s"
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
    assert wish in [replace(it, gain=None, drawn=0.0) for it in weighed(moment, {name: symptom(name)})]
    if parameter != "consensus.frequency":
        assert (wish.to > project.ledger.config[parameter]) == (direction > 0)


MIDDLE = {"consensus.threshold.minor": 0.7, "consensus.frequency": "adaptive_threshold(0.5)"}


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
    assert 0.55 <= told.evidence["p_gain"] <= 1
    assert told.evidence["symptom_timeouts"] > 0


def test_the_runner_up_is_named():
    project = learner(SURE)
    symptoms = {"regressions": symptom("regressions")}
    wish = most_promising(project.moment(), symptoms)[0]
    assert wish.parameter == "workflow.review_depth"
    assert wish.why.evidence["runner_up"] == "quality.min_pass_rate → 0.95"
    assert wish.why.evidence["runner_up_gain"] < wish.why.evidence["expected_gain"]
    assert "quality.min_pass_rate → 0.95 +" in wish.why.reason


def test_the_same_history_draws_the_same():
    told = []
    for _ in range(2):
        project = learner()
        project.run(900, rows=TIMEOUTS)
        told.append(changed(project).model_dump())
    assert told[0] == told[1]


def test_another_tick_draws_anew():
    project = learner()
    moment = project.moment()
    drawn = [weighed(replace(moment, tick_us=moment.tick_us + i), {"timeouts": symptom("timeouts")}) for i in (0, 1)]
    assert drawn[0][0].drawn != drawn[1][0].drawn


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
    assert config["workflow.review_depth"] >= 3


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


def test_a_draw_moves_as_far_as_a_trial_could_move_the_belief():
    """Where a trial tells nothing, what promises most is tried; where it tells all, the belief itself is drawn."""
    model, seconds = learner().response.model, 1800.0
    belief, told = Gain(0.03, 0.03), []
    for model.noise in (100.0, 0.04, 1e-9):
        told.append(model.told_by_trial(belief, seconds))
    assert told == sorted(told)
    assert told[0] < 0.01
    known = 0.03**2 / (0.03**2 + 0.04 / 6 + model.belief.cov[0, 0])
    assert told[1] ** 2 == pytest.approx(known), "six looks of five minutes in half an hour"
