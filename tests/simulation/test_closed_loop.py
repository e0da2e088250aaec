"""Team and meta-orchestrator together, on a virtual clock."""

import tomllib
from functools import lru_cache
from importlib.resources import files

import orjson
import pytest

from meta_orchestrator.drivers.closed_loop import ClosedLoop
from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.messages.outputs import ConfigChange, Decision, Drift, Escalation
from meta_orchestrator.policy import Policy, parse
from meta_orchestrator.simulation.alone import work_alone
from meta_orchestrator.simulation.configuration import BASELINE
from meta_orchestrator.simulation.orchestrator import Manners
from meta_orchestrator.simulation.scenarios import SCENARIOS

SHORT = parse(Policy, tomllib.loads(files("meta_orchestrator.demo").joinpath("policy.toml").read_text()), "policy")
"""The clock of the demo: two minutes show what takes hours."""


def short_loop(manners: Manners, journal=None, seconds: float = 120) -> ClosedLoop:
    loop = ClosedLoop(SHORT, SCENARIOS["over_deliberation"], 1, 40, 0.01 / 3, manners, journal)
    loop.run(seconds)
    return loop


@lru_cache(maxsize=1)
def obeyed() -> tuple[ClosedLoop, bytes]:
    """A loop whose orchestrator obeys, and its journal."""
    lines: list[bytes] = []
    return short_loop(Manners(acknowledge_s=0.5), lines.append), b"".join(lines)


def said(loop: ClosedLoop, kind: type, **fields: str) -> list:
    found = [event.data for event in loop.outputs if isinstance(event.data, kind)]
    return [data for data in found if all(getattr(data, name) == value for name, value in fields.items())]


def test_a_fault_is_found_a_change_applied_and_judged():
    loop, _ = obeyed()
    assert said(loop, Drift)
    changes = said(loop, ConfigChange)
    assert changes[0].kind == "trial"
    assert changes[0].changes[0].parameter == "consensus.frequency"
    assert said(loop, Decision, verdict="kept") or said(loop, Decision, verdict="rolled_back")
    assert [change.version for change in changes] == list(range(1, len(changes) + 1))


def test_the_team_works_under_the_last_change_that_was_published():
    loop, _ = obeyed()
    last = said(loop, ConfigChange)[-1]
    assert loop.orchestrator.version == last.version
    assert loop.team.config == last.config
    assert loop.team.config != BASELINE
    assert not loop.orchestrator.refused


def test_the_same_seed_decides_the_same():
    again = short_loop(Manners(acknowledge_s=0.5))
    assert [event.to_json() for event in again.outputs] == [event.to_json() for event in obeyed()[0].outputs]


def test_a_replay_of_the_journal_decides_what_the_closed_loop_decided():
    loop, journal = obeyed()
    lines: list[bytes] = []
    Replay(SHORT, lines.append).run(journal.splitlines(keepends=True))
    assert b"".join(lines) == b"".join(event.to_json() + b"\n" for event in loop.outputs)


def test_an_orchestrator_that_rejects_keeps_its_configuration():
    loop = short_loop(Manners(0.5, rejects=("consensus.frequency",)), seconds=80)
    assert loop.team.config["consensus.frequency"] == "every_change"
    assert said(loop, Decision, verdict="aborted", why="rejected")
    assert not said(loop, Decision, verdict="kept")


def test_an_orchestrator_that_never_answers_is_left_alone_after_two_changes():
    loop = short_loop(Manners(0.5, loses=1.0), seconds=180)
    assert len(said(loop, Decision, verdict="changed")) == 2
    assert len(said(loop, Decision, verdict="aborted", why="unacknowledged")) == 2
    assert [raised.condition for raised in said(loop, Escalation)].count("orchestrator_silent") == 1


def test_the_orchestrator_obeys_no_record_that_was_touched_or_is_older():
    loop, _ = obeyed()
    event = next(event for event in loop.outputs if isinstance(event.data, ConfigChange))
    value, now = event.to_json(), dict(loop.team.config)
    forged = orjson.dumps(orjson.loads(value) | {"data": orjson.loads(value)["data"] | {"version": 99}})
    for record, headers in ((forged, []), (forged, [("signature", b"worker:" + b"A" * 86 + b"==")])):
        loop.orchestrator.receive(record, headers)
    loop.output(event)  # signed, but of a version that is in force already
    loop.env.run(until=loop.env.now + 5)
    assert loop.team.config == now
    assert loop.orchestrator.refused["bad_signature"] == 2
    assert loop.orchestrator.version == max(change.version for change in said(loop, ConfigChange))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_healthy_team_is_left_alone(seed):
    enforce = Policy.model_validate({"parameters": {"mode": "enforce"}})
    loop = ClosedLoop(enforce, SCENARIOS["nothing_wrong"], seed)
    loop.run(6 * 3600)
    assert not said(loop, ConfigChange)


def test_nothing_is_put_in_force_where_the_owner_has_not_said_enforce():
    loop = ClosedLoop(Policy(), SCENARIOS["handoff_storm"], 1, 3600)
    loop.run(4 * 3600)
    assert said(loop, Decision, verdict="recommended")
    assert not said(loop, ConfigChange)
    assert loop.team.config == BASELINE


# ---- what would have been ----


def test_a_change_that_is_withheld_is_acknowledged_and_not_made():
    loop = short_loop(Manners(0.5, withhold=lambda change: "consensus.frequency" in change.changes[0].parameter))
    assert said(loop, ConfigChange)[0].changes[0].parameter == "consensus.frequency"
    assert loop.orchestrator.version == said(loop, ConfigChange)[-1].version
    assert not said(loop, Decision, verdict="aborted")
    assert {config["consensus.frequency"] for _, config in loop.team.applied} == {"every_change"}


def test_until_it_is_withheld_a_run_is_the_same():
    first = said(obeyed()[0], ConfigChange)[0]
    loop = short_loop(Manners(0.5, withhold=lambda change: change.change == first.change))
    assert said(loop, ConfigChange)[0] == first
    before = [event.to_json() for event in loop.outputs[: loop.outputs.index(_event_of(loop, first))]]
    assert before == [event.to_json() for event in obeyed()[0].outputs[: len(before)]]


def test_what_is_imposed_stays_until_a_change_names_it():
    loop = ClosedLoop(Policy(), SCENARIOS["nothing_wrong"], 1, impose=[(1800.0, {"workflow.wip_limit": 2})])
    loop.run(3600)
    assert [(at, config["workflow.wip_limit"]) for at, config in loop.team.applied] == [(1800.0, 2)]
    assert loop.team.config == BASELINE | {"workflow.wip_limit": 2}


def test_a_loop_that_only_watches_leaves_the_team_as_it_is_alone():
    loop = ClosedLoop(Policy(), SCENARIOS["handoff_storm"], 3)
    loop.run(3 * 3600)
    assert not said(loop, ConfigChange)
    alone = work_alone(SCENARIOS["handoff_storm"], 3 * 3600, 3)
    assert loop.team.truth.span(0, 3 * 3600) == alone.truth.span(0, 3 * 3600)


def test_agents_say_what_they_think_of_a_change():
    _, journal = obeyed()
    changes = {change.change for change in said(obeyed()[0], ConfigChange)}
    feedback = [
        event["data"] for line in journal.splitlines() if (event := orjson.loads(line))["type"] == "agent.feedback"
    ]
    assert feedback
    assert {data["change"] for data in feedback} <= changes


def _event_of(loop: ClosedLoop, change: ConfigChange):
    return next(event for event in loop.outputs if event.data == change)
