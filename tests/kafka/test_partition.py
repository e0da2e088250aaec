"""What one partition does with records, without a broker."""

import random
from dataclasses import dataclass, field

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from meta_orchestrator.core.loop import Loop
from meta_orchestrator.drivers.live.partition import Partition, Turn
from meta_orchestrator.drivers.live.positions import NEVER, Head, Reading, head_key
from meta_orchestrator.messages.fields import SECOND, format_time_us
from meta_orchestrator.policy import Policy, Time
from meta_orchestrator.wire.topics import INPUTS
from meta_orchestrator.wire.trust import Trust

START_MS = 1_700_000_000_000
POLICY = Policy(time=Time(pane_s=1, tick_s=2, window_s=2, lateness_s=2))


@dataclass(frozen=True)
class Record:
    offset: int
    timestamp: int
    value: bytes
    key: bytes = b"p"
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def heartbeat(offset: int, at_ms: int, happened_ms: int | None = None) -> Record:
    """A record appended `at_ms` after the start."""
    happened_us = 1000 * (START_MS + (at_ms if happened_ms is None else happened_ms))
    event = {
        "specversion": "1.0",
        "id": f"{offset}-{at_ms}",
        "source": "s",
        "type": "agent.heartbeat",
        "time": format_time_us(happened_us),
        "project": "p",
        "data": {"agent": "a", "utilization": 0.5},
    }
    return Record(offset, START_MS + at_ms, orjson.dumps(event))


def tick(offset: int, at_ms: int) -> Record:
    time = format_time_us(1000 * (START_MS + at_ms))
    event = {"specversion": "1.0", "id": str(offset), "source": "w", "type": "clock.tick", "time": time, "data": {}}
    return Record(offset, START_MS + at_ms, orjson.dumps(event))


def partition(heads: dict[bytes, bytes] | None = None, panes: dict[bytes, bytes] | None = None) -> Partition:
    made = Partition(0, 1, "x-", Trust(), Loop(POLICY))
    made.restore(heads or {}, panes or {})
    return made


def put(into: Partition, topic: str, *records: Record) -> None:
    into.observe(topic, records, records[0].offset, records[-1].offset + 1)


def tick_all(into: Partition, offset: int, at_ms: int, besides: str | None = None) -> None:
    for topic in INPUTS:
        if topic != besides:
            put(into, topic, tick(offset, at_ms))


class Store:
    """What a changelog would hold."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[bytes, bytes]] = {"heads": {}, "panes": {}}

    def commit(self, turn: Turn) -> None:
        for table, key, value in turn.rows:
            self.tables[table][key] = value
        self.tables["heads"][head_key(0)] = turn.head

    def restored(self) -> Partition:
        return partition(self.tables["heads"], self.tables["panes"])


def test_nothing_is_due_before_every_topic_has_reached_the_tick() -> None:
    it = partition()
    put(it, "agent-events", heartbeat(0, 0))
    tick_all(it, 0, 60_000, besides="consensus-events")
    assert it.due() is None
    put(it, "consensus-events", tick(0, 60_000))
    assert it.due() is not None


def test_the_topics_that_hold_a_tick_back_are_named_when_it_is_due_by_the_clock() -> None:
    it = partition()
    put(it, "agent-events", heartbeat(0, 500))
    tick_all(it, 0, 60_000, besides="consensus-events")
    put(it, "agent-events", tick(1, 60_000))
    assert it.held_back(1000 * (START_MS + 1000)) is None
    assert it.held_back(1000 * (START_MS + 60_000)) == ["consensus-events"]


def test_reading_goes_on_at_the_first_batch_that_touched_an_open_pane() -> None:
    it = partition()
    put(it, "agent-events", heartbeat(0, 0), heartbeat(1, 100))
    put(it, "agent-events", heartbeat(2, 5000))
    put(it, "agent-events", heartbeat(3, 9000))
    tick_all(it, 0, 7000, besides="agent-events")
    turn = it.decide()
    assert turn.ticks == 2
    assert turn.offsets["agent-events"] == 2  # its pane [5 s, 6 s) closes at 6 s, which is 8 s with the lateness
    assert orjson.loads(turn.head)["inputs"]["agent-events"] == [2, 4, 1000 * (START_MS + 100)]


def test_a_bad_record_waits_for_the_turn_and_is_no_letter_when_it_is_read_again() -> None:
    store, it = Store(), partition()
    bad = Record(1, START_MS, b"no json")
    put(it, "agent-events", heartbeat(0, 0), bad)
    turn = it.decide()
    assert [letter.value for letter in turn.letters] == [b"no json"]
    store.commit(turn)
    again = store.restored()
    assert again.head.readings["agent-events"].next == 0
    put(again, "agent-events", heartbeat(0, 0), bad, Record(2, START_MS, b"another"))
    assert [letter.value for letter in again.decide().letters] == [b"another"]


def test_bad_records_never_move_the_watermark() -> None:
    it = partition()
    put(it, "agent-events", Record(0, START_MS, b"no json"))
    assert it.head.readings["agent-events"].reached_us == NEVER
    assert it.head.readings["agent-events"].next == 1


def test_a_broker_whose_clock_steps_back_loses_nothing() -> None:
    it, counts = partition(), 0
    put(it, "agent-events", heartbeat(0, 10_000))
    tick_all(it, 0, 20_000, besides="agent-events")
    put(it, "agent-events", heartbeat(1, 20_000))
    turn = it.decide()
    put(it, "agent-events", heartbeat(2, 5000))  # appended after, with an earlier time
    tick_all(it, 1, 60_000, besides="agent-events")
    put(it, "agent-events", tick(3, 60_000))
    for output in [*turn.outputs, *it.decide().outputs]:
        if output.data.type == "metrics.snapshot":
            counts += sum(output.data.counts.values()) + output.data.late_events  # type: ignore[attr-defined]
    assert counts == 3


arrivals = st.lists(st.tuples(st.integers(0, 3000), st.integers(-6000, 500)), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(arrivals, st.integers(0, 2**32), st.integers(1, 5))
def test_crashes_at_any_moment_change_no_count(arrivals: list[tuple[int, int]], seed: int, size: int) -> None:
    """Records of any delay, read in batches; a turn now and then, and crashes that forget all since the last commit."""
    records, at_ms = [], 0
    for offset, (wait_ms, delay_ms) in enumerate(arrivals):
        at_ms += wait_ms
        records.append(heartbeat(offset, at_ms, max(at_ms + delay_ms, 0)))
    records.append(tick(len(records), at_ms + 60_000))
    calm = _counted(records, size, random.Random(seed), crashes=False)
    assert _counted(records, size, random.Random(seed), crashes=True) == calm
    assert sum(calm.values()) == len(arrivals)


def _counted(records: list[Record], size: int, dice: random.Random, crashes: bool) -> dict[tuple[int, str], int]:
    store, counts = Store(), {}
    it = store.restored()
    done = False
    while not done:
        start = it.head.readings["agent-events"].next or 0
        batch = records[start : start + size]
        if batch:
            put(it, "agent-events", *batch)
            tick_all(it, start, batch[-1].timestamp - START_MS, besides="agent-events")
        if crashes and dice.random() < 0.2:
            it = store.restored()
        elif it.due() is not None or dice.random() < 0.2:
            turn = it.decide()
            store.commit(turn)
            _count(turn, counts)
        done = not batch and it.due() is None
    return counts


def _count(turn: Turn, counts: dict[tuple[int, str], int]) -> None:
    for output in turn.outputs:
        if output.data.type == "metrics.snapshot":
            snapshot = output.data.model_dump()
            for kind, number in {**snapshot["counts"], "late": snapshot["late_events"]}.items():
                if number:
                    counts[output.time_us, kind] = counts.get((output.time_us, kind), 0) + number


def test_a_head_is_read_as_it_was_written() -> None:
    head = Head(tick_us=7 * SECOND)
    head.readings["agent-events"] = Reading(next=5, committed=5, reached_us=3)
    again = Head.load(head.dump())
    assert again.tick_us == 7 * SECOND
    assert again.readings["agent-events"] == head.readings["agent-events"]


def test_without_a_head_reading_begins_at_the_groups_offset_or_at_the_first_record() -> None:
    assert Reading().begin(None, 3, 9) is None
    fresh, known = Reading(), Reading()
    fresh.begin(None, 3, 9)
    known.begin(5, 3, 9)
    assert (fresh.next, known.next) == (3, 5)


def test_a_topic_that_was_made_anew_is_read_from_its_start_and_that_is_said() -> None:
    reading = Reading(next=90, committed=100)
    assert "made anew" in (reading.begin(90, 0, 50) or "")
    assert (reading.next, reading.committed) == (0, 0)


def test_records_that_retention_took_are_said() -> None:
    reading = Reading(next=10, committed=12)
    assert "2 records" not in (note := reading.begin(10, 15, 50) or "")
    assert "5 records" in note
    assert (reading.next, reading.committed) == (15, 15)
