"""Files as they come: packed, broken, hostile, with columns of other names."""

import gzip
import re
from pathlib import Path

import pytest

from meta_orchestrator.cli.convert import KEYS
from meta_orchestrator.convert import Mapping, load_mapping
from meta_orchestrator.errors import SettingsError
from tests.convert.making import at, of, run, xes
from tests.convert.test_cases import ROWS

CSV = "case:concept:name,concept:name,org:resource,time:timestamp\n"
ROW = "c1,Open,Ann,2024-03-05 10:00:00+01:00\n"


def test_a_packed_log_is_read_as_a_plain_one(tmp_path: Path) -> None:
    assert run(tmp_path, xes(ROWS), packed=True) == run(tmp_path, xes(ROWS))


def test_csv_and_xes_of_one_log_give_the_same_events(tmp_path: Path) -> None:
    rows = "".join(f"{case},{activity},{who},{time}\n" for case, activity, who, time in reversed(ROWS))
    assert run(tmp_path, (CSV + rows).encode(), "csv")[0] == run(tmp_path, xes(ROWS))[0]


@pytest.mark.parametrize("header", ["Case ID;Activity;Resource;Complete Timestamp", "case_id;ACTIVITY;user;timestamp"])
def test_columns_are_known_by_their_usual_names_and_delimiters(tmp_path: Path, header: str) -> None:
    events, summary = run(tmp_path, f"\ufeff{header}\n".encode() + b"c1;Open;Ann;2024-03-05 10:00:00Z\n", "csv")
    assert of(events, "agent.task.started")[0]["agent"] == "Ann"
    assert summary.exit_status == 0


def test_a_mapping_names_columns_times_and_words(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(
        'case = "no"\nactivity = "what"\ntimestamp = "when"\ntime_format = "%d.%m.%Y %H:%M"\ncriticality = "how"\n'
        'completed = "fertig"\n[levels]\nwild = "critical"\n'
    )
    mapping = load_mapping(file, resource="who")
    content = b"no,what,who,when,how\n1,fertig,A,05.03.2024 10:00,wild\n1,weiter,B,05.03.2024 11:00,\n"
    events, summary = run(tmp_path, content, "csv", mapping)
    assert of(events, "agent.task.started")[0]["criticality"] == "critical"
    assert of(events, "agent.rework.requested")[0]["agent"] == "A"
    assert summary.without_zone == 2
    assert any("taken as UTC" in line for line in summary.lines())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('activty = "what"', "mapping.activty = 'what': there is no such key (did you mean activity?); known"),
        ("case = 3", "mapping.case = 3: must be a valid string"),
        ('delimiter = ";;"', "mapping.delimiter = ';;': must have at most 1 character"),
        ('[levels]\nhigh = "mayor"', "mapping.levels.high = 'mayor': must be 'minor', 'normal', 'major' or 'critical'"),
    ],
)
def test_a_wrong_mapping_is_told_by_key_value_and_what_is_right(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        load_mapping(file)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"a,b,c\n1,2,3\n", "mapping.case"),
        (b"case,activity,who\n1,2,3\n", "mapping.timestamp"),
        (b"\n", "FILE"),
    ],
)
def test_a_table_without_a_needed_column_is_a_wrong_setting_that_names_it(
    tmp_path: Path, content: bytes, key: str
) -> None:
    with pytest.raises(SettingsError) as error:
        run(tmp_path, content, "csv")
    assert error.value.key == key


def test_a_name_that_is_not_in_the_log_is_a_wrong_setting(tmp_path: Path) -> None:
    mapping = load_mapping(None, resource="nosuch")
    for form, content in (("csv", (CSV + ROW).encode()), ("xes", xes(ROWS))):
        with pytest.raises(SettingsError, match=r"mapping\.resource = 'nosuch'"):
            run(tmp_path, content, form, mapping)  # type: ignore[arg-type]


def test_wrong_mappings_name_their_key(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    for text, key in (("caze = 'x'", "mapping.caze"), ("completed = '('", "mapping.completed"), ("[", "mapping")):
        file.write_text(text)
        with pytest.raises(SettingsError) as error:
            load_mapping(file)
        assert error.value.key == key
    with pytest.raises(SettingsError, match="can be read"):
        load_mapping(tmp_path / "nosuch.toml")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b"c1,Open,Ann,soon\n", "ISO 8601"),
        (b"c1,Open,Ann\n", "3 values for 4 columns"),
        (b",Open,Ann,2024-03-05 10:00:00Z\n", "no case"),
        (b"c1,,Ann,2024-03-05 10:00:00Z\n", "no activity"),
        (b"c1,Open,Ann,\n", "no timestamp"),
        (b"c1,\xff\xfe,Ann,2024-03-05 10:00:00Z\n", "not UTF-8"),
        (b"c1,Open,Ann,1066-10-14 10:00:00Z\n", "1970"),
        (b"c1,Open,Ann,9999-12-31 23:59:59-23:00\n", "timestamp"),
        (b"c1," + b"x" * 200_000 + b",Ann,2024-03-05 10:00:00Z\n", "field"),
    ],
)
def test_a_bad_row_is_counted_and_named_and_the_others_count(tmp_path: Path, row: bytes, why: str) -> None:
    events, summary = run(tmp_path, CSV.encode() + ROW.encode() + row + ROW.replace("Ann", "Bob").encode(), "csv")
    assert [data["agent"] for data in of(events, "agent.task.started")] == ["Ann", "Bob"]
    assert (summary.bad, summary.exit_status) == (1, 3)
    (told,) = summary.complaints.lines()
    assert told.startswith("  line 3: ")
    assert why in told


def test_bad_costs_are_bad_rows(tmp_path: Path) -> None:
    content = (
        CSV.strip() + ",cost\n" + "".join(ROW.strip() + f",{cost}\n" for cost in ("2.5", "-1", "inf", "x"))
    ).encode()
    events, summary = run(tmp_path, content, "csv")
    assert [data.get("cost") for data in of(events, "agent.task.finished")] == [2.5, None]
    assert summary.bad == 3


def test_an_event_without_a_time_is_bad_and_named_by_its_line(tmp_path: Path) -> None:
    content = xes(ROWS).replace(b"<event>", b"\n<event>").replace(at("10:30").encode(), b"yesterday")
    events, summary = run(tmp_path, content)
    assert len(of(events, "agent.task.started")) == 3
    assert list(summary.complaints.first.values()) == ["line 3"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_log_that_breaks_off_counts_up_to_there(tmp_path: Path, packed: bool) -> None:
    rows = [(f"c{n}", activity, who, time) for n in range(500) for _, activity, who, time in ROWS]
    content = xes(rows)
    whole = gzip.compress(content) if packed else content
    events, summary = run(tmp_path, whole[: len(whole) * 3 // 4])
    assert 0 < summary.cases < 500
    assert summary.events == len(of(events, "agent.task.started"))
    assert (summary.bad, summary.exit_status) == (1, 3)
    assert "the rest cannot be read" in summary.complaints.lines()[0]


def test_a_packed_table_that_breaks_off_counts_up_to_there(tmp_path: Path) -> None:
    content = gzip.compress((CSV + "".join(ROW.replace("c1", f"c{n}") for n in range(10_000))).encode())
    _, summary = run(tmp_path, content[: len(content) // 2], "csv")
    assert 0 < summary.cases < 10_000
    assert "the rest cannot be read" in summary.complaints.lines()[-1]


@pytest.mark.parametrize(
    "attack",
    [
        b'<!DOCTYPE log [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;">]>',
        b'<!DOCTYPE log [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE log SYSTEM "http://localhost:1/x.dtd">',
    ],
)
def test_a_document_type_is_refused_before_it_does_anything(tmp_path: Path, attack: bytes) -> None:
    events, summary = run(tmp_path, attack + xes(ROWS).partition(b"?>")[2])
    assert events == []
    assert "not allowed" in summary.complaints.lines()[0]


def test_what_is_no_xes_says_so(tmp_path: Path) -> None:
    for content, why in ((b"<html></html>", "<log>"), (b"case,activity", "line 1"), (b"", "line 1")):
        events, summary = run(tmp_path, content)
        assert events == []
        assert why in summary.complaints.lines()[0]


def test_only_attributes_right_below_trace_and_event_count(tmp_path: Path) -> None:
    nested = '<list key="x"><values><string key="org:resource" value="Mallory"/></values></list>'
    nested += '<string key="y" value="1"><string key="org:resource" value="Mallory"/></string>'
    events, _ = run(tmp_path, xes(ROWS, nested))
    assert {data["agent"] for data in of(events, "agent.task.started")} == {"Ann", "Bob"}


def test_an_attribute_that_only_later_events_have_is_used(tmp_path: Path) -> None:
    events, _ = run(tmp_path, xes([("c0", "a", None, at("09:00")), *ROWS]))
    assert {data["agent"] for data in of(events, "agent.task.started")} == {"unknown", "Ann", "Bob"}


def test_a_missing_file_is_a_wrong_setting(tmp_path: Path) -> None:
    import io

    from meta_orchestrator.convert import convert

    with pytest.raises(SettingsError, match="readable file"):
        convert("xes", tmp_path / "nosuch.xes", io.BytesIO())


def test_the_help_names_each_key_of_a_mapping() -> None:
    assert all(re.search(rf"\b{key}\b", KEYS) for key in Mapping.model_fields)


def test_a_quote_that_nobody_closes_is_named_with_the_lines_that_it_takes(tmp_path: Path) -> None:
    events, summary = run(tmp_path, CSV.encode() + ROW.encode() + b'c1,"Open,Ann\n' + ROW.encode() * 3, "csv")
    assert len(of(events, "agent.task.started")) == 1
    (told,) = summary.complaints.lines()
    assert told.startswith("  lines 3 to 6 (one row, since a quote is open): ")


def test_of_two_columns_of_one_name_none_is_taken(tmp_path: Path) -> None:
    content = b"case,activity,resource,timestamp,activity\nc1,Open,Ann,2024-03-05 10:00:00Z,x\n"
    with pytest.raises(SettingsError, match="two columns that are called 'activity'"):
        run(tmp_path, content, "csv")
    run(tmp_path, content.replace(b",activity\n", b",note\n").replace(b"resource", b"note"), "csv")
