"""From rows of history to `drift.detected`: batches, dates and numbers that a person can check."""

import math
import zlib

import numpy as np
import orjson
import pytest

from meta_orchestrator.core.analysis.drift.batches import CountedBatches, TimedBatches
from meta_orchestrator.messages.fields import format_time_us, parse_time_us
from meta_orchestrator.messages.outputs import Drift
from meta_orchestrator.policy import Policy
from tests.analysis.making import HOUR_S, TICK_S, Room, us

RANDOM = np.random.default_rng


def drifts(room: Room) -> list[tuple[int, Drift]]:
    return [(output.time_us, output.data) for output in room.said if isinstance(output.data, Drift)]


def latency_row(random: np.random.Generator, typical_ms: float, rounds: int) -> dict[str, float]:
    logs = np.log1p(random.lognormal(math.log(typical_ms), 1, rounds))
    return {"latency_count": rounds, "latency_log_sum": float(logs.sum())}


def test_a_latency_that_doubles_is_found_dated_and_told_in_milliseconds():
    room, random = Room(), RANDOM(1)
    for tick in range(300):
        room.tick(latency_row(random, 1000 if tick < 200 else 2000, 25))
    [(found_us, drift)] = drifts(room)
    assert (drift.metric, drift.direction, drift.detector) == ("consensus_latency_ms", "up", "rank_esr")
    assert drift.before == pytest.approx(1000, rel=0.1)
    assert drift.after == pytest.approx(2000, rel=0.2)
    assert abs(parse_time_us(drift.since) - us(200 * TICK_S)) <= us(5 * TICK_S)
    assert us(200 * TICK_S) < found_us <= us(230 * TICK_S)
    assert drift.evidence["e_value"] >= 10_000


def test_a_failure_rate_that_falls_is_found_as_going_down():
    room, random = Room(), RANDOM(2)
    for tick in range(500):
        failed = int(random.binomial(10, 0.4 if tick < 250 else 0.1))
        room.tick({"handoffs_ended": 10, "handoffs_failed": failed})
    [(_, drift)] = drifts(room)
    assert (drift.metric, drift.direction) == ("handoff_failure_rate", "down")
    assert drift.before == pytest.approx(0.4, abs=0.05)
    assert drift.after == pytest.approx(0.1, abs=0.06)


def test_work_that_stops_is_a_drift_of_velocity_since_then():
    """Sparse counts: one task in three ticks; then agents are still alive but nothing gets done."""
    room, random = Room(), RANDOM(3)
    for tick in range(5400):
        done = int(random.poisson(1 / 3)) if tick < 5000 else 0
        room.tick({"points": done, "tasks_finished": done, "events": 1})
    [(_, drift)] = drifts(room)
    assert (drift.metric, drift.direction) == ("development_velocity", "down")
    assert drift.before == pytest.approx(HOUR_S / TICK_S / 3, rel=0.1)
    assert drift.after < 0.2 * drift.before
    assert abs(parse_time_us(drift.since) - us(5000 * TICK_S)) < us(60 * TICK_S)


def test_nights_are_not_a_drift_of_velocity():
    room, random = Room(), RANDOM(4)
    for _day in range(8):
        for _ in range(960):
            done = int(random.poisson(0.5))
            room.tick({"points": done, "tasks_finished": done, "events": 1})
        room.now_s += 16 * HOUR_S
    assert drifts(room) == []


def test_steady_work_of_all_metrics_is_no_drift():
    room, random = Room(), RANDOM(5)
    for _ in range(2000):
        ended, closed, finished = random.poisson(6, 3).tolist()
        room.tick(
            latency_row(random, 500, closed)
            | {"handoffs_ended": ended, "handoffs_failed": int(random.binomial(ended, 0.1))}
            | {"rounds_closed": closed, "rounds_decided": int(random.binomial(closed, 0.9))}
            | {"points": finished, "tasks_finished": finished, "tasks_worked": finished}
        )
    assert drifts(room) == []


def test_what_an_own_change_moves_is_no_drift_but_later_drift_is():
    random, spared, told = RANDOM(6), Room(), Room()
    for tick in range(400):
        rows = latency_row(random, 1000 if tick < 150 else 3000 if tick < 300 else 9000, 25)
        told.ledger.version = int(tick >= 150)
        told.tick(rows)
        spared.tick(rows)
    assert [us(150 * TICK_S) < at <= us(300 * TICK_S) for at, _ in drifts(spared)] == [True, False]
    assert [us(300 * TICK_S) < at for at, _ in drifts(told)] == [True]


def test_a_drift_stays_known_for_the_look_back():
    room, random = Room(), RANDOM(7)
    known = []
    for tick in range(300):
        findings = room.tick(latency_row(random, 1000 if tick < 200 else 5000, 25))
        known.append("consensus_latency_ms" in findings.drifts)
    lookback = round(Policy().analysis.lookback_s / TICK_S)
    assert sum(known) == lookback
    assert known.index(True) == drifts(room)[0][0] // us(TICK_S) - 1


def test_empty_minds_learn_the_past_from_history_and_say_nothing_about_it():
    room, random = Room(), RANDOM(8)
    for tick in range(120):
        room.tick(latency_row(random, 1000 if tick < 60 else 4000, 25))
    assert len(drifts(room)) == 1
    other = Room()
    other.history, other.now_s = room.history, room.now_s
    other.tick(latency_row(random, 4000, 25))
    assert other.said == []
    for _ in range(40):
        room.tick(latency_row(random, 4000, 25))
    other.store_and_restore()
    assert other.minds.drift.streams["consensus_latency_ms"].detector.updates == 121


def test_a_counted_batch_closes_when_it_is_full_and_begins_where_the_last_ended():
    batches = CountedBatches(size=10)
    assert batches.add(us(0), 3, 6, 6) is None
    closed = batches.add(us(30), 1, 4, 4)
    assert closed
    assert (closed.start_us, closed.value) == (us(0), 0.4)
    assert batches.add(us(60), 5, 10, 10).start_us == us(60)


def test_a_timed_batch_is_as_long_as_its_events_took_in_the_past():
    batches = TimedBatches(size=40)
    assert [bool(batches.add(us(30 * n), 1, 30, 1)) for n in range(10)] == [False] * 10  # the first is only learnt from
    closed = [n for n in range(30) if batches.add(us(1200 + 30 * n), 0, 30, 0)]
    assert closed[0] == 9  # 300 s without a single event are a batch too


def test_a_batch_value_has_six_digits():
    closed = CountedBatches(size=3).add(0, 1, 3, 3)
    assert closed
    assert closed.value == 0.333333


def test_the_start_of_a_drift_is_written_as_a_time():
    assert format_time_us(us(0)) == "1970-01-01T00:00:00Z"


def test_evidence_says_how_sure_the_date_is_and_how_the_bound_was_met():
    room, random = Room(), RANDOM(11)
    for tick in range(300):
        room.tick(latency_row(random, 1000 if tick < 200 else 1500, 25))
    [(found_us, drift)] = drifts(room)
    evidence = drift.evidence
    assert parse_time_us(evidence["since_from"]) <= us(200 * TICK_S) <= parse_time_us(evidence["since_until"])
    assert parse_time_us(evidence["since_from"]) <= parse_time_us(drift.since) <= parse_time_us(evidence["since_until"])
    assert parse_time_us(evidence["since_until"]) <= found_us
    assert (evidence["since_level"], evidence["streams"]) == (0.9, 1)
    assert evidence["e_value"] >= evidence["run_length"] == 10_000
    assert 0 <= evidence["spike_score"] <= 1
    assert "adwin" not in evidence


@pytest.mark.parametrize(("detectors", "speaks"), [(["adwin"], "adwin"), (["rank_esr", "adwin"], "rank_esr")])
def test_the_policy_says_which_detectors_may_speak(detectors, speaks):
    room, random = Room(Policy.model_validate({"analysis": {"drift_detectors": detectors}})), RANDOM(12)
    for tick in range(400):
        room.tick(latency_row(random, 1000 if tick < 200 else 6000, 25))
        if tick % 90 == 0:
            room.store_and_restore()
    [(_, drift)] = drifts(room)
    assert (drift.detector, drift.direction) == (speaks, "up")
    assert drift.evidence["adwin"] in {"agrees", "silent"}


def test_a_daily_rhythm_is_no_drift_once_it_is_known():
    """Votes that take twice as long at noon as at midnight, a row each five minutes, eight days."""
    room, random = Room(), RANDOM(13)
    for tick in range(8 * 288):
        noon = -math.cos(2 * math.pi * tick / 288)
        room.tick(latency_row(random, 1000 * 2 ** (noon / 2), 25), after_s=300)
    found = [at for at, _ in drifts(room)]
    assert len([at for at in found if at < us(48 * HOUR_S)]) >= 2
    assert [at for at in found if at > us(72 * HOUR_S)] == []


def test_what_is_stored_of_the_project_is_small():
    room, random = Room(), RANDOM(14)
    for _ in range(700):
        closed = finished = 25
        room.tick(
            latency_row(random, 500, closed)
            | {"handoffs_ended": 25, "handoffs_failed": int(random.binomial(25, 0.1)), "votes": 50, "votes_against": 5}
            | {"rounds_closed": closed, "rounds_decided": 20, "points": finished, "tasks_finished": finished}
            | {"tasks_worked": finished}
        )
    assert len(zlib.compress(orjson.dumps(room.minds.drift.dump()), 1)) < 16_000
