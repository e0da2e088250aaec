"""An order's answer is told from whatever else happens. The decisions are the core's own."""

from typing import Any

import orjson
import pytest

from meta_orchestrator.cli.answers import Answer, answer_in
from meta_orchestrator.messages.cloudevent import CloudEvent
from meta_orchestrator.messages.fields import format_time_us, parse_time_us
from meta_orchestrator.messages.outputs import Decision
from tests.adaptation.making import Project, at, ready, wish

WIP = "workflow.wip_limit"
NOW = "2026-03-02T09:00:00Z"
RECOMMENDING = {"parameters": {}}


def order(kind: str, name: str = "o1", **data: Any) -> dict[str, Any]:
    """As eve sends it; so do the orders of `Project`."""
    given = {"owner": "eve", "reason": "because"} | data
    return {"type": f"control.{kind}", "source": "eve-terminal", "id": name, "time": NOW, "data": given}


def answers(sent: dict[str, Any], said: list[Any]) -> list[str]:
    """Their sentences; those of refusals, and no others, begin so."""
    records = [orjson.loads(CloudEvent("checkout", parse_time_us(NOW), data).to_json()) for data in said]
    told = [answer for record in records if (answer := answer_in(sent, record)) is not None]
    assert all(answer.refused == answer.sentence.startswith("Refused: ") for answer in told)
    return [answer.sentence for answer in told]


def done(project: Project, sent: dict[str, Any]) -> list[Any]:
    kind = sent["type"].removeprefix("control.")
    return project.order(kind, name=sent["id"], **sent["data"]).tick()


def test_an_override_is_answered_by_its_own_decision_and_not_by_that_of_a_trial_it_ends():
    project = ready()
    project.tick(wish())
    sent = order("override", parameter=WIP, value=7, until=at(7200))
    (told,) = answers(sent, done(project, sent))
    assert told.startswith("Changed: workflow.wip_limit = 7: eve overrides it until ")


def test_an_order_that_is_refused_says_so_and_another_order_is_not_answered_by_it():
    project = ready()
    sent = order("override", parameter=WIP, value=99, until=at(7200))
    said = done(project, sent)
    (told,) = answers(sent, said)
    assert told.startswith("Refused: eve wanted workflow.wip_limit = 99, but ")
    assert answers(order("override", "o2", parameter=WIP, value=99, until=at(7200)), said) == []


def test_a_rollback_is_answered_whether_it_moves_something_or_not():
    project = ready()
    done(project, order("override", parameter=WIP, value=7, until=at(7200)))
    moving, idle = order("rollback", "o2", to_version=0), order("rollback", "o3", to_version=0)
    (moved,) = answers(moving, done(project, moving))
    (refused,) = answers(idle, done(project, idle))
    assert moved.startswith('Changed: eve rolls back everything since version 0: "because"')
    assert refused.startswith('Refused: eve rolls back everything since version 0: "because", but ')


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("approve", "Changed: workflow.wip_limit", "Refused: eve would approve a proposal that does not wait"),
        ("decline", "eve declined workflow.wip_limit", "Refused: eve would decline a proposal that does not wait"),
    ],
)
def test_a_proposal_is_answered_once(kind: str, first: str, second: str):
    project = ready(RECOMMENDING)
    recommended = project.tick(wish())
    (proposal,) = [one.proposal.id for one in recommended if isinstance(one, Decision)]
    sent = order(kind, proposal=proposal)
    assert answers(sent, recommended) == []
    (told,), (again,) = answers(sent, done(project, sent)), answers(sent, done(project, sent | {"id": "o2"}))
    assert told.startswith(first)
    assert again.startswith(second)


def snapshot(phase: str) -> dict[str, Any]:
    return {"type": "metrics.snapshot", "project": "checkout", "time": NOW, "data": {"phase": phase}}


def test_a_freeze_and_its_end_show_in_the_phase():
    freeze = order("freeze", until=format_time_us(parse_time_us(NOW) + 1))
    unfreeze = order("freeze", until=NOW)
    assert answer_in(freeze, snapshot("steady")) is None
    assert answer_in(freeze, snapshot("frozen")) == Answer(f"checkout is frozen at the tick {NOW}")
    assert answer_in(unfreeze, snapshot("frozen")) is None
    assert answer_in(unfreeze, snapshot("trial")) == Answer(f"checkout is not frozen at the tick {NOW}")
