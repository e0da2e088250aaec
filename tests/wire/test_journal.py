"""Lines of a journal: like records, without keys, partitions and signatures."""

from io import BytesIO

import pytest

from meta_orchestrator.errors import BadRecord
from meta_orchestrator.messages.fields import parse_time_us
from meta_orchestrator.wire.decode import MAX_VALUE_BYTES
from meta_orchestrator.wire.journal import lines_of, read_line
from tests.wire.making import LEFT_OUT, blame, structured

TIME = "2026-03-02T09:00:00Z"
TIME_US = parse_time_us(TIME)


def refusal(line: bytes) -> tuple[str, str | None]:
    with pytest.raises(BadRecord) as caught:
        read_line(line, 1)
    return blame(caught.value)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_is_its_event_without_its_end(end: bytes) -> None:
    value = structured(time=TIME)
    project, event, recorded_us = read_line(value + end, 12)
    assert (project, event[0], event[5], event[6], recorded_us) == ("checkout", TIME_US, value, 12, None)


def test_the_recorded_time_of_a_line_is_honoured() -> None:
    assert read_line(structured(time=TIME, recordedtime="2026-03-02T09:00:07.5Z"), 1)[2] == TIME_US + 7_500_000


def test_a_line_is_ahead_of_time_only_where_its_recorded_time_says_so() -> None:
    assert read_line(structured(time="2999-01-01T00:00:00Z"), 1)
    assert read_line(structured(time=TIME, recordedtime="2026-03-02T08:59:00Z"), 1)
    assert refusal(structured(time=TIME, recordedtime="2026-03-02T08:58:59.999999Z")) == ("time_ahead", "time")
    assert refusal(structured(time=TIME, recordedtime="2026-02-30T09:00:00Z")) == ("not_cloudevent", "recordedtime")


def test_only_a_clock_tick_needs_no_project() -> None:
    project, event, _ = read_line(structured("clock.tick", time=TIME), 1)
    assert (project, event[3]) == (None, "clock.tick")
    assert read_line(structured("clock.tick", project="checkout"), 1)[0] is None
    assert refusal(structured(project=LEFT_OUT)) == ("not_cloudevent", "project")
    assert refusal(structured(project=LEFT_OUT, type="agent.sang")) == ("not_cloudevent", "project")


def test_commands_in_a_file_need_no_signature() -> None:
    assert read_line(structured("control.freeze", recordedtime="2026-03-05T09:00:00Z"), 1)[1][3] == "control.freeze"


def test_a_line_without_an_end_is_cut_and_the_next_one_is_whole():
    longest = b"x" * MAX_VALUE_BYTES + b"\r\n"
    read = list(lines_of(BytesIO(longest + b"y" * 3 * MAX_VALUE_BYTES + b"\nlast")))
    assert [read[0], *read[2:]] == [longest, b"last"]
    assert MAX_VALUE_BYTES < len(read[1].rstrip(b"\r\n")) < MAX_VALUE_BYTES + 10
    with pytest.raises(BadRecord, match="too_large"):
        read_line(read[1], 2)
