"""What the team says is what the contract knows."""

from collections import Counter
from itertools import pairwise

import orjson
import simpy
from pydantic import TypeAdapter

from meta_orchestrator.messages.inputs import COMMANDS, TOPIC_OF, Input
from meta_orchestrator.simulation.envelope import Envelopes
from meta_orchestrator.simulation.scenarios import SCENARIOS
from tests.simulation.team_runs import run, usual

INPUT = TypeAdapter(Input)


def journal(scenario: str, seed: int = 3, hours: float = 2) -> list[bytes]:
    env, lines = simpy.Environment(), []
    envelopes = Envelopes("p", 0, lambda: env.now)
    publish = lambda kind, data, source: lines.append(envelopes.wrap(kind, data, source))  # noqa: E731
    SCENARIOS[scenario].team(env, publish, seed, fault_at_s=1800)
    env.run(until=hours * 3600)
    return lines


def test_every_message_of_every_scenario_is_a_valid_input():
    for scenario in SCENARIOS:
        for line in journal(scenario, hours=1):
            INPUT.validator.validate_json(line)


def test_identities_are_unique_and_times_never_go_back():
    events = [orjson.loads(line) for line in journal("over_deliberation")]
    identities = [(event["source"], event["id"]) for event in events]
    assert len(identities) == len(set(identities)) > 1000
    times = [INPUT.validator.validate_json(orjson.dumps(event))["time"] for event in events]
    assert all(earlier[:19] <= later[:19] for earlier, later in pairwise(times))


def test_the_same_seed_says_the_same_bytes_and_another_one_does_not():
    assert journal("handoff_storm", 5, 1) == journal("handoff_storm", 5, 1)
    assert journal("handoff_storm", 5, 1) != journal("handoff_storm", 6, 1)


def test_the_team_says_all_that_agents_and_votes_can_say():
    said = Counter(kind for _, kind, _, _ in usual().messages)
    foreign = {"orchestrator.registered", "config.applied", "config.rejected", "agent.deregistered", "agent.feedback"}
    assert set(TOPIC_OF) - COMMANDS - foreign == set(said)


def test_what_is_opened_is_closed_and_what_is_blocked_is_unblocked():
    said = run(hours=3, interarrival_s=180).messages
    for start, ends in (
        ("consensus.round.opened", ("consensus.round.closed",)),
        ("agent.handoff.started", ("agent.handoff.completed", "agent.handoff.failed")),
    ):
        name = "round" if "round" in start else "handoff"
        started = [data[name] for _, kind, data, _ in said if kind == start]
        ended = [data[name] for _, kind, data, _ in said if kind in ends]
        assert len(started) == len(set(started))
        assert len(ended) == len(set(ended))
        assert set(ended) <= set(started)
        assert len(started) - len(ended) < 15
    blocked = Counter(data["task"] for _, kind, data, _ in said if kind == "agent.task.blocked")
    unblocked = Counter(data["task"] for _, kind, data, _ in said if kind == "agent.task.unblocked")
    assert (blocked - unblocked).total() < 15
    assert not unblocked - blocked


def test_votes_are_cast_by_the_eligible_while_the_round_is_open():
    open_rounds: dict[str, list[str]] = {}
    votes = 0
    for _, kind, data, _ in run(vote_deadline_s=45, vote_s=18).messages:
        if kind == "consensus.round.opened":
            open_rounds[data["round"]] = data["eligible"]
        elif kind == "consensus.round.closed":
            del open_rounds[data["round"]]
        elif kind == "consensus.vote.cast":
            votes += 1
            assert data["agent"] in open_rounds[data["round"]]
    assert votes > 500


def test_what_is_reported_agrees_with_the_books():
    done = usual()
    whole = done.team.truth
    finished = [data for _, kind, data, _ in done.messages if kind == "agent.task.finished"]
    delivered = [data for data in finished if data["outcome"] == "succeeded" and data["points"]]
    assert sum(data["points"] for data in delivered) == whole["points"]
    assert done.count("agent.handoff.failed") == whole["handoff_failures"]
    assert done.count("consensus.round.closed") == whole["rounds"]
    assert done.count("operator.intervened") == whole["interventions"]
    assert done.count("agent.rework.requested") == whole["reworks"]
    assert (
        sum(data["regression"] for _, kind, data, _ in done.messages if kind == "agent.quality.checked")
        == whole["regressions"]
    )
