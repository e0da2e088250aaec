"""Public event logs, counted here once more in another way. The logs do not belong to the repository."""

import csv
import gzip
import io
from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import orjson
import pytest

from meta_orchestrator.convert import Summary, convert
from meta_orchestrator.convert.run import Format
from meta_orchestrator.wire.decode import parse

LOGS = Path(__file__).parents[3] / "shared" / "data" / "eventlogs"
PUBLISHED: list[tuple[str, Format, int, int]] = [
    ("06_bpic2013_closed.xes.gz", "xes", 6_660, 1_487),
    ("helpdesk.xes.gz", "xes", 21_348, 4_580),
    ("receipt.csv", "csv", 8_577, 1_434),
]
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not LOGS.is_dir(), reason=f"the event logs are not in {LOGS.name} next to the repository"),
]

Raw = dict[str, list[tuple[datetime, str, str | None]]]
"""Case → (time, activity, resource), in the order of time."""


def raw_log(path: Path) -> Raw:
    found: Raw = defaultdict(list)
    if path.suffix == ".csv":
        for row in csv.DictReader(path.open(newline="")):
            found[row["case:concept:name"]].append(
                (datetime.fromisoformat(row["time:timestamp"]), row["concept:name"], row["org:resource"])
            )
    else:
        for trace in ET.fromstring(gzip.decompress(path.read_bytes())).iterfind("{*}trace"):  # noqa: S314 - known files
            case = _attributes(trace)["concept:name"]
            for event in map(_attributes, trace.iterfind("{*}event")):
                time = datetime.fromisoformat(event["time:timestamp"])
                found[case].append((time, event["concept:name"], event.get("org:resource")))
    return {case: sorted(events, key=lambda event: event[0]) for case, events in found.items()}


def _attributes(element: ET.Element) -> dict[str, str]:
    return {child.get("key", ""): child.get("value", "") for child in element}


def returns(resources: list[str | None]) -> int:
    """A-B-A: count runs of one resource that stand between two runs of another one."""
    runs = [who for place, who in enumerate(resources) if place == 0 or who != resources[place - 1]]
    return sum(one == three for one, three in zip(runs, runs[2:], strict=False))


@pytest.fixture(scope="module", params=PUBLISHED, ids=lambda log: log[0])
def log(request: pytest.FixtureRequest) -> tuple[tuple[str, Format, int, int], list[bytes], Summary]:
    name, form, _, _ = request.param
    out = io.BytesIO()
    summary = convert(form, LOGS / name, out)
    return request.param, out.getvalue().splitlines(), summary


def test_events_and_cases_are_as_many_as_published(log) -> None:  # type: ignore[no-untyped-def]
    (_, _, events, cases), lines, summary = log
    assert (summary.events, summary.cases, summary.bad) == (events, cases, 0)
    finished = _data(lines, "agent.task.finished")
    assert sum(data["points"] == 0 for data in finished) == events
    assert sum(data["points"] == 1 for data in finished) == cases


def test_handoffs_and_their_returns_are_those_of_the_raw_log(log) -> None:  # type: ignore[no-untyped-def]
    (name, _, _, _), lines, summary = log
    raw = raw_log(LOGS / name)
    by_case = [[who for _, _, who in events] for events in raw.values()]
    assert all(who for resources in by_case for who in resources), "this count knows no missing resources"
    changes = sum(one != two for resources in by_case for one, two in pairwise(resources))
    assert summary.tally.handoffs == changes == len(_data(lines, "agent.handoff.completed"))
    assert summary.tally.returns == sum(map(returns, by_case)) > 0


def test_every_line_is_valid_and_in_the_order_of_time(log) -> None:  # type: ignore[no-untyped-def]
    _, lines, summary = log
    parsed = [parse(line) for line in lines]
    assert all(event["type"] != "unknown" for event in parsed)
    times = [datetime.fromisoformat(event["time"]) for event in parsed]
    assert times == sorted(times)
    assert parsed[-1]["type"] == "clock.tick"
    assert len({event["id"] for event in parsed}) == len(lines) == summary.written


def test_completed_and_then_other_is_rework() -> None:
    out = io.BytesIO()
    name = "06_bpic2013_closed.xes.gz"
    summary = convert("xes", LOGS / name, out)
    pairs = [(one[1], two[1]) for events in raw_log(LOGS / name).values() for one, two in pairwise(events)]
    assert summary.tally.reworks == sum(one == "Completed" != two for one, two in pairs) > 0


def _data(lines: list[bytes], kind: str) -> list[dict[str, object]]:
    return [event["data"] for event in map(orjson.loads, lines) if event["type"] == kind]
