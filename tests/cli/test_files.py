"""`replay`, `convert` and `schemas`: from files to files."""

import gzip
import io
import json
import subprocess
import sys
from codecs import BOM_UTF8
from contextlib import nullcontext
from pathlib import Path

import orjson
import pytest

from meta_orchestrator.messages.fields import format_time_us, parse_time_us
from tests.cli.conftest import Done, Run

START_US = parse_time_us("2026-03-02T09:00:00Z")


def line(number: int, at_s: int, kind: str = "agent.heartbeat", **data: object) -> bytes:
    said = {"specversion": "1.0", "id": str(number), "source": "a", "type": kind, "project": "checkout"}
    if kind == "clock.tick":
        del said["project"]
    said["time"] = format_time_us(START_US + at_s * 1_000_000)
    return orjson.dumps(said | {"data": data}) + b"\n"


HEARTBEATS = [line(n, 10 * n, agent="a1", utilization=0.5) for n in range(30)]


@pytest.fixture
def journal(run: Run) -> Path:
    path = Path("events.jsonl")
    path.write_bytes(b"".join([*HEARTBEATS, line(99, 400, "clock.tick")]))
    return path


def test_replay_writes_each_output_as_a_line(run: Run, journal: Path):
    done = run("replay", journal, "--out", "outputs.jsonl")
    assert (done.status, done.out, done.err) == (0, "", "")
    outputs = [orjson.loads(text) for text in Path("outputs.jsonl").read_bytes().splitlines()]
    snapshots = [output for output in outputs if output["type"] == "metrics.snapshot"]
    assert [shot["time"] for shot in snapshots][:2] == ["2026-03-02T09:00:30Z", "2026-03-02T09:01:00Z"]
    assert snapshots[1]["data"]["counts"] == {"agent.heartbeat": 6}
    assert snapshots[1]["data"]["agent_utilization"] == {"unknown": 0.5}


def test_bad_records_are_counted_and_named_and_the_rest_is_processed(run: Run, journal: Path):
    run("replay", journal, "--out", "good.jsonl")
    with journal.open("ab") as more:
        more.write(b"not json\n" + line(100, 401, agent="a1"))
    done = run("replay", journal, "--out", "both.jsonl")
    counted, places = done.err.splitlines()[:2], done.err.splitlines()[2:]
    assert (done.status, counted) == (3, ["1 bad record: invalid", "1 bad record: not_json"])
    assert [place.split(": ")[:2] for place in places] == [["  line 32", "not_json"], ["  line 33", "invalid"]]
    good, both = Path("good.jsonl").read_bytes(), Path("both.jsonl").read_bytes()
    assert both.startswith(good)
    letters = [orjson.loads(text)["data"] for text in both[len(good) :].splitlines()]
    assert [(letter["reason"], letter["line"]) for letter in letters] == [("not_json", 32), ("invalid", 33)]


def test_one_complaint_about_many_lines_is_told_once(run: Run):
    Path("bad.jsonl").write_bytes(b"".join([*HEARTBEATS, b"no\n" * 25]))
    places = run("replay", "bad.jsonl", "--out", "out.jsonl").err.splitlines()
    assert places[0] == "25 bad records: not_json"
    assert [place.split(":")[0] for place in places[1:]] == ["  line 31 and 24 more"]


def test_types_that_nobody_knows_are_told_with_what_may_be_meant(run: Run):
    typing = [line(50, 400, "agent.heartbeet"), line(51, 401, "agent.heartbeet"), line(52, 402, "team.lunch")]
    Path("typing.jsonl").write_bytes(b"".join([*HEARTBEATS, *typing]))
    done = run("replay", "typing.jsonl", "--out", "out.jsonl")
    told = "3 events of unknown types: agent.heartbeet (did you mean agent.heartbeat?), team.lunch\n"
    assert (done.status, done.err) == (0, told)


def test_of_many_complaints_the_first_twenty_are_told(run: Run):
    bad = [line(99, 400).replace(b"2026-", b"%d-" % year) for year in range(10_000, 10_025)]
    Path("bad.jsonl").write_bytes(b"".join([*HEARTBEATS, *bad]))
    places = run("replay", "bad.jsonl", "--out", "out.jsonl").err.splitlines()
    assert [place.split(":")[0] for place in places[1:-1]] == [f"  line {number}" for number in range(31, 51)]
    assert places[-1] == "  ... 5 more"


def test_a_policy_that_is_given_is_obeyed(run: Run, journal: Path):
    Path("policy.toml").write_text("[time]\ntick_s = 60\n")
    run("replay", journal, "--policy", "policy.toml", "--out", "outputs.jsonl")
    times = {orjson.loads(text)["time"] for text in Path("outputs.jsonl").read_bytes().splitlines()}
    assert times
    assert all(parse_time_us(text) % 60_000_000 == 0 for text in times)


def test_in_lock_step_each_clock_tick_is_answered(run: Run, monkeypatch: pytest.MonkeyPatch):
    given = b"".join([*HEARTBEATS, line(98, 330, "clock.tick"), line(99, 331, "clock.tick")])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    written = io.BytesIO()
    monkeypatch.setattr("meta_orchestrator.cli.replay.writing", lambda *_: nullcontext(written))
    assert run("replay", "-").status == 0
    types = [orjson.loads(text)["type"] for text in written.getvalue().splitlines()]
    assert types.count("clock.ticked") == 2
    assert types[-2:] == ["clock.ticked", "clock.ticked"]
    assert "metrics.snapshot" in types


def test_a_log_of_ones_own_becomes_a_report(run: Run):
    rows = [("T1", "open", "ann", "09:00"), ("T1", "fix", "bob", "09:10"), ("T1", "close", "ann", "09:30")]
    text = "ticket,status,assignee,time\n" + "".join(f"{t},{s},{a},2026-03-02T{c}:00Z\n" for t, s, a, c in rows)
    Path("tickets.csv").write_text(text)
    done = run("convert", "csv", "tickets.csv", "--out", "events.jsonl")
    assert (done.status, done.out) == (0, "")
    assert "3 events of 1 case by 2 agents" in done.err
    report = run("replay", "events.jsonl", "--report")
    assert report.status == 0
    assert "tickets" in report.out
    assert "bob" in report.out
    assert not report.out.lstrip().startswith("{")


def test_a_report_can_be_a_page(run: Run, journal: Path):
    done = run("replay", journal, "--html", "report.html")
    assert (done.status, done.err) == (0, "")
    assert "The records" in done.out
    assert "The records" in Path("report.html").read_text()


def test_schemas_are_written_where_asked(run: Run):
    assert run("schemas", "--out", "here").status == 0
    assert json.loads(Path("here/asyncapi.json").read_text())["asyncapi"].startswith("3.")


def test_a_folder_that_cannot_be_written_is_one_sentence(run: Run):
    Path("taken").touch()
    done = run("schemas", "--out", "taken/x")
    assert (done.status, done.out) == (2, "")
    assert done.err == "meta-orchestrator: --out = 'taken/x': must be a folder that can be written (Not a directory)\n"


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("a.csv", "ticket\nT1\n", "csv"),
        ("a.txt", "ticket;time\nT1;1\n", "csv"),
        ("a.xml", "<log>\n</log>\n", "xes"),
    ],
)
def test_a_log_that_was_not_converted_is_told_from_events(run: Run, name: str, text: str, form: str):
    Path(name).write_text(text)
    done = run("replay", name, "--out", "outputs.jsonl")
    assert done.status == 3
    assert done.err.endswith(f"is it a log? make events of it first: meta-orchestrator convert {form} {name}\n")


def test_the_policy_has_a_schema_too(run: Run):
    schema = json.loads(run("schemas", "--policy").out)
    assert {"time", "pace", "parameters"} <= set(schema["properties"])
    assert schema["properties"]["parameters"]["default"]["workflow.wip_limit"]["high"] == 10


def test_a_file_in_the_wrong_order_is_told_to_be_one(run: Run):
    Path("backwards.jsonl").write_bytes(b"".join(HEARTBEATS[::-1]))
    said = run("replay", "backwards.jsonl", "--out", "out.jsonl").err
    assert said == (  # three share the pane that is still open
        "27 events came late: what followed was decided before, so they are in no window;"
        " sort the lines by time, or raise time.lateness_s\n"
    )


def test_a_report_on_a_file_in_the_wrong_order_begins_with_that(run: Run):
    Path("backwards.jsonl").write_bytes(b"".join(HEARTBEATS[::-1]))
    said = run("replay", "backwards.jsonl", "--report").out
    assert said.lstrip().startswith("27 events came when what they belong to had been decided")


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "here.jsonl", "--out", "here.jsonl"),
        ("replay", "here.jsonl", "--html", "./here.jsonl"),
        ("replay", "here.jsonl", "--out", "link.jsonl"),
        ("replay", "here.jsonl", "--out", "new", "--html", "new"),
        ("convert", "csv", "here.jsonl", "--out", "here.jsonl"),
    ],
)
def test_what_is_read_is_not_written_over(run: Run, words: tuple[str, ...]):
    Path("here.jsonl").write_bytes(b"".join(HEARTBEATS))
    Path("link.jsonl").symlink_to("here.jsonl")
    done = run(*words)
    assert done.status == 2
    assert "must be another file" in done.err
    assert Path("here.jsonl").read_bytes() == b"".join(HEARTBEATS)
    assert not Path("new").exists()


def test_a_command_that_is_refused_leaves_what_it_would_have_written_over(run: Run):
    Path("log.csv").write_text("ticket,when\nT1,now\n")
    Path("old.jsonl").write_text("old")
    assert run("convert", "csv", "log.csv", "--out", "old.jsonl").status == 2
    assert run("convert", "csv", "log.csv", "--out", "new.jsonl").status == 2
    assert Path("old.jsonl").read_text() == "old"
    assert not Path("new.jsonl").exists()


def test_what_was_there_is_replaced_even_if_there_is_nothing_to_write(run: Run):
    Path("none.jsonl").touch()
    Path("old.jsonl").write_text("old")
    run("replay", "none.jsonl", "--out", "old.jsonl")
    assert Path("old.jsonl").read_text() == ""


@pytest.mark.parametrize("where", ["--out", ">"])
def test_a_full_disk_is_one_sentence(journal: Path, where: str):
    command = f"{sys.executable} -m meta_orchestrator replay {journal} {where} /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr == b"meta-orchestrator: the output cannot be written: No space left on device\n"


def test_gzip_and_a_byte_order_mark_change_nothing(run: Run, journal: Path):
    Path("packed.jsonl.gz").write_bytes(gzip.compress(BOM_UTF8 + journal.read_bytes()))
    run("replay", "packed.jsonl.gz", "--out", "packed")
    run("replay", journal, "--out", "plain")
    assert Path("packed").read_bytes() == Path("plain").read_bytes() != b""


def test_a_packed_file_is_known_by_its_content_and_from_a_pipe(journal: Path):
    Path("packed").write_bytes(gzip.compress(journal.read_bytes()))
    replay = f"{sys.executable} -m meta_orchestrator replay"
    plain = subprocess.run(["bash", "-c", f"{replay} {journal}"], capture_output=True, check=True)
    piped = subprocess.run(["bash", "-c", f"{replay} <(cat packed)"], capture_output=True, check=True)
    assert piped.stdout == plain.stdout != b""


def test_a_packed_file_that_breaks_off_is_one_sentence(run: Run, journal: Path):
    Path("cut.gz").write_bytes(gzip.compress(journal.read_bytes())[:-20])
    done = run("replay", "cut.gz", "--out", "out")
    assert done.status == 2
    assert done.err.startswith("meta-orchestrator: FILE = 'cut.gz': must be whole, but cannot be read to its end (")


def test_a_policy_in_another_encoding_is_one_sentence(run: Run, journal: Path):
    Path("policy.toml").write_bytes("# grüße\n".encode("latin-1"))
    done = run("replay", journal, "--policy", "policy.toml")
    assert done.status == 2
    assert done.err.startswith("meta-orchestrator: policy = 'policy.toml': must be TOML (")


def test_a_policy_for_a_project_of_which_nothing_came_is_told(run: Run, journal: Path):
    Path("policy.toml").write_text('[project.checkot]\nprofile = "critical"\n')
    said = run("replay", journal, "--policy", "policy.toml", "--out", "out.jsonl").err
    assert said == "policy.project.checkot: no event of it; there is checkout\n"


def test_a_page_that_cannot_be_written_is_told_by_its_option(run: Run, journal: Path):
    done = run("replay", journal, "--html", "nowhere/page.html")
    assert (done.status, done.err.split(" = ")[0]) == (2, "meta-orchestrator: --html")


def test_who_reads_no_more_ends_it_without_a_word(journal: Path):
    command = f"{sys.executable} -m meta_orchestrator replay {journal} | exec 0<&-; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")


def test_ctrl_c_before_a_command_has_begun_is_no_error(run: Run, monkeypatch: pytest.MonkeyPatch):
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("meta_orchestrator.cli.app.app", interrupted)
    assert run("status") == Done(130, "", "")


@pytest.mark.parametrize(
    ("line", "right"),
    [("parameters = 3", "table"), ("profiles = 3", "table"), ("pace = 3", "table"), ("escalation = 3", "list")],
)
def test_a_part_of_the_policy_of_another_kind_is_refused_by_its_name(run: Run, journal: Path, line: str, right: str):
    Path("policy.toml").write_text(line)
    done = run("replay", journal, "--policy", "policy.toml")
    assert (done.status, done.err) == (2, f"meta-orchestrator: policy.{line}: must be a {right}\n")


def test_that_there_was_nothing_to_read_is_said(run: Run):
    Path("empty.jsonl").touch()
    done = run("replay", "empty.jsonl")
    assert (done.status, done.out, done.err) == (0, "", "there was nothing to read\n")
