"""What the doctor makes of what it reads; no broker here."""

from collections import Counter

import pytest

from meta_orchestrator.cli.diagnosis import NEEDS, Remark, Tally, diagnose, key_remarks, window_s
from meta_orchestrator.cli.tables import silence
from meta_orchestrator.messages.fields import HOUR_US, SECOND, format_time_us
from meta_orchestrator.messages.inputs import TOPIC_OF
from meta_orchestrator.messages.outputs import MetricsSnapshot
from meta_orchestrator.policy import Policy
from meta_orchestrator.view import View
from meta_orchestrator.wire.trust import Key, Trust, TrustedKey, generate

NOW_US = 500_000 * HOUR_US


def seen(span_us: int = HOUR_US, **counts: int) -> Tally:
    tally = Tally(span_us)
    for kind, number in counts.items():
        for _ in range(number):
            tally.add("checkout", kind.replace("__", "."), "a", -1000)
    return tally


def remarks(tally: Tally) -> list[Remark]:
    return list(diagnose(tally, Policy(), NOW_US))


def test_it_knows_every_metric_and_only_types_that_exist():
    derived = {"handoff_failure_causes", "counts", "late_events", "config_version", "phase"}
    assert set(MetricsSnapshot.model_fields) - derived <= set(NEEDS)
    named = {
        kind for need in NEEDS.values() for group in (*need.groups, need.counted, need.zero_is_good) for kind in group
    }
    assert named <= set(TOPIC_OF)


def test_a_metric_without_its_events_is_named_with_what_it_needs():
    texts = [remark.text for remark in remarks(seen(agent__task__finished=100))]
    assert "checkout: handoff_failure_rate needs agent.handoff.completed or agent.handoff.failed, none seen" in texts
    assert "checkout: development_velocity has its events" in texts
    assert any("rework_percentage has its events; no agent.rework.requested, which may be right" in t for t in texts)


def test_it_names_a_window_in_which_rates_have_values():
    # 60 ends an hour are one a minute: 10 for a rate take 600 s, 20 for a p95 1200 s.
    counts = Counter({"consensus.round.closed": 60})
    assert window_s("consensus_success_rate", counts, HOUR_US, Policy()) == 600
    assert window_s("consensus_latency_p95_ms", counts, HOUR_US, Policy()) == 1200
    assert window_s("handoff_failure_rate", counts, HOUR_US, Policy()) is None
    notes = [r.text for r in remarks(seen(consensus__round__closed=60)) if "null" in r.text]
    assert notes == [
        "checkout: consensus_latency_p95_ms, consensus_success_rate will be null at window_s = 300; 1200 would do"
    ]


def test_bad_records_and_wrong_clocks_are_wrong():
    tally = seen(agent__heartbeat=5)
    tally.reject("invalid", "data.agent")
    for _ in range(3):
        tally.add("checkout", "agent.heartbeat", "fast", 30 * SECOND)
        tally.add("checkout", "agent.heartbeat", "slow", -20 * SECOND)
    wrong = [remark.text for remark in remarks(tally) if remark.level == "wrong"]
    assert wrong[0] == "1 bad record: invalid (data.agent), in topic dead-letters"
    assert wrong[1] == "the clock of fast is 30 s ahead of the broker's"
    assert wrong[2].startswith("events of slow arrive 20 s after their time, more than lateness_s = 15")


def test_a_record_from_the_future_tells_that_our_own_clock_is_behind():
    tally = seen(agent__heartbeat=5)
    tally.behind_us = 90 * SECOND
    assert Remark("wrong", "this machine's clock is 90 s behind the broker's, or more") in remarks(tally)


def test_silence_is_said():
    assert [r.text for r in remarks(Tally(1800 * SECOND))] == ["no events in the last 30 min: nothing to watch"]


@pytest.mark.parametrize(
    ("came_s", "tick_s", "level", "said"),  # seconds ago
    [
        (400, None, "wrong", "nothing was written in the last 60 min, though events came, the first 6.67 min ago: "),
        (400, 410, "wrong", "nothing was written for 6.83 min, since 2027-01-15T07:53:10Z, though events came, "),
        (200, 410, "note", "nothing was written for 6.83 min, since 2027-01-15T07:53:10Z; the events since are too"),
        (400, 390, "note", "nothing was written for 6.5 min, since 2027-01-15T07:53:30Z; no event waits for a worker"),
        (400, 20, "ok", "a worker wrote 20 s ago"),
    ],
)
def test_a_worker_is_alive_if_it_wrote_lately_and_wrong_if_events_wait(
    came_s: int, tick_s: int | None, level: str, said: str
):
    tally = seen(agent__heartbeat=1)
    tally.came_us["checkout"] = [NOW_US - came_s * SECOND]
    if tick_s:
        tally.ticks_us["checkout"] = NOW_US - tick_s * SECOND
    (told,) = [r for r in remarks(tally) if "written" in r.text or "wrote" in r.text]
    assert told.level == level
    assert told.text.startswith(f"checkout: {said}")


@pytest.mark.parametrize("ago_s", [20, 299, 301, 1000])
def test_the_doctor_and_status_doubt_the_same_projects(ago_s: int):
    tally, view = Tally(HOUR_US), View()
    tally.ticks_us["checkout"] = NOW_US - ago_s * SECOND
    time = format_time_us(NOW_US - ago_s * SECOND)
    view.add({"type": "metrics.snapshot", "project": "checkout", "id": "s1", "time": time, "data": {}})
    doubted = [r for r in remarks(tally) if r.level != "ok" and "written" in r.text]
    assert bool(doubted) == bool(silence(view.projects["checkout"], NOW_US)) == (ago_s > 300)


def trusted(key: Key, role: str, end_us: int) -> TrustedKey:
    return TrustedKey(key.id, key.private.public_key(), role, frozenset({"*"}), end_us)


def levels(trust: Trust, own: Key | None) -> list[str]:
    return [remark.level for remark in key_remarks(trust, own, at_us=1000)]


def test_keys_and_trust_must_fit_each_other():
    worker, operator, twin = generate("w"), generate("o"), generate("w")
    both = Trust({"w": trusted(worker, "worker", 2000), "o": trusted(operator, "operator", 2000)})
    assert levels(both, worker) == ["ok", "ok", "ok"]
    assert levels(both, twin) == ["ok", "ok", "wrong"]
    assert levels(both, generate("x")) == ["ok", "ok", "wrong"]
    assert levels(Trust({"w": trusted(worker, "worker", 999)}), worker) == ["wrong", "wrong", "wrong"]
    assert levels(Trust(), None) == ["note", "note"]
