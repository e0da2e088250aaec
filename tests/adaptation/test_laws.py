"""What holds whatever rules wish, operators order and orchestrators answer."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from meta_orchestrator.core.adaptation.parameters import fault
from meta_orchestrator.core.analysis.findings import Findings
from meta_orchestrator.messages.event import Refused
from meta_orchestrator.messages.outputs import ConfigChange, Decision, Escalation
from tests.adaptation.making import ENFORCED, SUPPORTS, Project, at, ready, us, wish

POLICY: dict[str, Any] = {
    "parameters": {"mode": "enforce", "workflow.wip_limit": {"mode": "recommend"}},
    "pace": {"warm_up_s": 0, "cooldown_s": 30, "proposal_s": 600, "decline_s": 300, "changes_per_hour": 20},
    "trial": {"review_s": 120, "settle_s": 0, "acknowledge_s": 60},
}
SENSIBLE = {
    "consensus.frequency": ["every_change", "adaptive_threshold(0.5)", "timeboxed_batches(300)"],
    "consensus.max_rounds": [1, 2, 4, 6],
    "workflow.handoff_timeout_s": [60, 180, 900],
    "workflow.review_depth": [1, 3, 4],
    "workflow.wip_limit": [1, 3, 5],
}
VALUES = st.one_of(st.integers(-1, 20), st.sampled_from([120, 600, 5000, "every_change", "no"]))
PARAMETERS = st.sampled_from([*SUPPORTS, "unheard.of"])
GOOD_MOVES = st.sampled_from([(name, value) for name, values in SENSIBLE.items() for value in values])
SPANS_S = st.integers(-60, 400)
ACTIONS = st.one_of(
    GOOD_MOVES.map(lambda move: ("wish", *move)),
    GOOD_MOVES.map(lambda move: ("wish", *move)),
    st.tuples(st.sampled_from(["applied", "applied", "rejected", "register", "lose a parameter", "reset", "rules"])),
    st.tuples(st.just("rows"), st.integers(0, 10), st.integers(0, 5)),
    st.tuples(GOOD_MOVES, SPANS_S).map(lambda it: ("override", *it[0], it[1])),
    st.tuples(st.sampled_from(["approve", "decline", "rollback to", "rollback of"]), st.integers(0, 3)),
    st.one_of(
        st.tuples(st.just("freeze"), SPANS_S),
        st.tuples(st.just("wish"), PARAMETERS, VALUES),
        st.tuples(st.just("override"), PARAMETERS, VALUES, SPANS_S),
    ),
)
STORIES = st.lists(
    st.tuples(st.sampled_from([30, 30, 60, 120, 330]), st.lists(ACTIONS, min_size=1, max_size=3)),
    min_size=15,
    max_size=40,
)


def live(story: list[Any], restored: bool = False) -> Project:
    """One project through all ticks of a story."""
    project = ready(POLICY)
    project.history.history_us = 10**15
    for after_s, actions in story:
        wishes, more = [], {}
        for action in actions:
            if action[0] == "wish":
                wishes.append(wish(*action[1:]))
            elif action[0] == "rules":
                more["rules"] = True
            elif action[0] == "reset":
                found = Escalation(condition="x", metric="m", threshold=1, since=at(0), action="reset_to_baseline")
                more["findings"] = Findings(insights=[found])
            elif action[0] == "rows":
                more["rows"] = {"handoffs_ended": 10, "handoffs_failed": action[1], "handoffs_timed_out": action[1],
                                "tasks_finished": 5, "tasks_regressed": action[2], "points": action[2]}  # fmt: skip
            else:
                happen(project, *action)
        project.tick(*wishes, after_s=after_s, **more)
        if restored:
            project.store_and_restore()
        check(project)
    return project


def happen(project: Project, what: str, *how: Any) -> None:
    trial, waiting = project.ledger.trial, sorted(project.ledger.waiting.items())
    if what == "override":
        project.order(what, parameter=how[0], value=how[1], until=at(project.now_s + how[2]))
    elif what == "freeze":
        project.order(what, until=at(project.now_s + how[0]))
    elif what == "rollback to":
        project.order("rollback", to_version=how[0])
    elif what == "rollback of":
        past = project.ledger.past[-1 - how[0] :]
        project.order("rollback", change=past[0].change if past else "unheard of")
    elif what in ("approve", "decline"):
        project.order(what, proposal=waiting[0][1].proposal.id if waiting else "unheard of")
    elif what == "register":
        project.register()
    elif what == "lose a parameter":
        project.register(**{name: value for name, value in SUPPORTS.items() if name != "consensus.max_rounds"})
    elif trial:
        project.event(f"config.{what}", change=trial.change, version=trial.version, reason="no")


def check(project: Project) -> None:
    """After every tick."""
    deadline_us = project.ledger.next_deadline_us()
    assert deadline_us is None or deadline_us > us(project.now_s), "what is due has been done"
    for name, value in project.ledger.config.items():
        assert fault(project.policy.parameters[name], value) is None
    if project.changes:
        assert project.changes[-1].version == project.ledger.version
    assert len(project.ledger.waiting) <= len(SUPPORTS)


def endings(project: Project) -> list[tuple[str, str]]:
    """(verdict, proposal) of the decisions about trials, in order."""
    return [
        (it.verdict, it.proposal.id)
        for it in project.decisions
        if it.trial or it.verdict in ("kept", "rolled_back", "aborted")
    ]


@settings(max_examples=60, deadline=None)
@given(STORIES)
def test_versions_are_1_to_n_each_with_one_content(story):
    project = live(story)
    contents = {}
    for change in project.changes:
        assert contents.setdefault(change.version, change) == change
    assert sorted(contents) == list(range(1, project.ledger.version + 1))
    assert [it.version for it in project.changes] == sorted(it.version for it in project.changes)
    assert len({it.change for it in contents.values()}) == len(contents)


@settings(max_examples=60, deadline=None)
@given(STORIES)
def test_there_are_never_two_trials_and_each_ends_once(story):
    project = live(story)
    running = None
    for verdict, proposal in endings(project):
        if verdict == "changed":
            assert running is None
            running = proposal
        else:
            assert running == proposal
            running = None
    assert running == (project.ledger.trial.proposal.id if project.ledger.trial else None)
    assert all(len(it.changes) == 1 for it in project.changes if it.kind == "trial")


@settings(max_examples=40, deadline=None)
@given(STORIES)
def test_storing_and_restoring_at_every_tick_changes_nothing(story):
    plain, restored = live(story), live(story, restored=True)
    assert [it.to_json() for it in plain.said] == [it.to_json() for it in restored.said]
    assert plain.ledger.dump() == restored.ledger.dump()


@settings(max_examples=40, deadline=None)
@given(STORIES)
def test_the_last_version_says_what_is_in_force_and_each_follows_from_the_one_before(story):
    project = live([(after_s, [it for it in actions if it[0] != "lose a parameter"]) for after_s, actions in story])
    config: dict[str, Any] = dict(SUPPORTS)
    for change in {it.version: it for it in project.changes}.values():
        for shift in change.changes:
            assert config[shift.parameter] == shift.from_
            config[shift.parameter] = shift.to
        assert change.config == config
    assert project.ledger.config == config


@settings(max_examples=40, deadline=None)
@given(STORIES)
def test_every_version_is_told_by_a_decision_and_every_decision_has_a_sentence(story):
    project = live(story)
    told = {(it.change, it.version) for it in project.decisions if it.change}
    assert told == {(it.change, it.version) for it in project.changes}
    assert len({it.decision for it in project.decisions}) == len(project.decisions)
    for it in project.decisions:
        assert len(it.explanation) > 20
        assert (it.verdict == "refused") == (it.refused_by is not None)
        assert (it.verdict == "aborted") == (it.why is not None)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(PARAMETERS, VALUES), max_size=20))
def test_nothing_but_recommendations_without_an_owner_who_enforces(wishes):
    project = ready({"parameters": {}})
    for parameter, value in wishes:
        outputs = project.tick(wish(parameter, value))
        assert not [it for it in outputs if isinstance(it, ConfigChange | Refused)]
    assert {it.verdict for it in project.decisions} <= {"recommended", "refused"}
    assert project.ledger.config == SUPPORTS


def test_the_policy_of_these_laws_lets_changes_through():
    """Else the laws above would hold because nothing ever happens."""
    project = ready(ENFORCED | POLICY)
    outputs = project.tick(wish("consensus.max_rounds", 2), wish())
    assert [type(it) for it in outputs] == [ConfigChange, Decision, Decision]
    assert project.decisions[-1].refused_by == "mode"
    project.applied().run(120)
    assert project.decisions[-1].verdict == "rolled_back"
