"""Files of events that are all valid and never tidy: ids collide, clocks stand on boundaries, lines come late or twice.

What happens when is `happenings`; `files` says some of it again, with the same or other content, and writes each line
within the lateness, mostly; `spell` writes a time in many ways.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from tests.oracle.data import DATA, Line
from tests.oracle.reading import SECOND, Settings

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
START_US = 1_772_442_000 * SECOND
"""2026-03-02T09:00:00Z, on a boundary of every window below."""

PROJECTS = ("checkout", "büro", "a")
SHAPES = (
    (10, 30, 300),
    (10, 30, 300),
    (5, 20, 60),
    (10, 20, 50),
    (20, 20, 20),
    (2.5, 7.5, 17.5),
    (30, 60, 1200),
    (5, 15, 10),
    (1, 3, 20),
    (60, 60, 3600),
    (4, 12, 100),
)
"""Seconds of pane, tick and window."""

THEMES = (
    ("consensus.vote.cast", "consensus.vote.cast", "consensus.round.closed", "consensus.round.opened"),
    ("agent.handoff.started", "agent.handoff.completed", "agent.handoff.failed"),
    ("agent.task.started", "agent.task.finished", "agent.task.blocked", "agent.task.unblocked", "agent.registered"),
    ("agent.heartbeat", "agent.registered", "agent.deregistered", "agent.task.started", "agent.feedback"),
    ("agent.task.started", "agent.task.finished", "agent.rework.requested", "agent.quality.checked"),
    tuple(sorted(kind for kind in DATA if kind.startswith(("control", "operator", "orchestrator", "config")))),
)
"""Types that act on one another; a file is mostly about one theme."""
ECHOES = (
    ("agent.handoff", THEMES[1], (15 * MINUTE, 24 * HOUR, 24 * HOUR + 15 * MINUTE)),
    ("consensus.", THEMES[0], (24 * HOUR,)),
    ("agent.task", (*THEMES[2], *THEMES[4]), (10 * MINUTE, 24 * HOUR)),
    ("", THEMES[3], (10 * MINUTE, 24 * HOUR)),
)
"""What speaks of the same names again and how long they are remembered, by how the type of the first one begins."""
NAMES = ("task", "agent", "handoff", "round", "from_agent", "to_agent")
FIELDS_TO_NUMBER = ("task", "handoff", "round")


def settings() -> st.SearchStrategy[Settings]:
    """Valid ones: tick and window multiples of the pane, a minute one of the tick; the window not of the tick."""
    shapes = st.sampled_from(SHAPES)
    return st.builds(
        lambda shape, lateness, p95, rate: Settings(
            *(round(part * SECOND) for part in shape), round(lateness * SECOND), p95, rate
        ),
        shapes,
        st.sampled_from((15, 15, 0, 0.000001, 7, 10, 30, 95.5)),
        st.sampled_from((1, 1, 2, 5, 20)),
        st.sampled_from((1, 1, 1, 2, 4, 10)),
    )


@dataclass(frozen=True)
class File:
    settings: Settings
    lines: list[Line]

    @property
    def bytes(self) -> list[bytes]:
        return [json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in self.lines]

    def __repr__(self) -> str:
        """As it is needed to reproduce it."""
        return f"{self.settings}\n" + b"".join(self.bytes).decode()


def spell(time_us: int, how: int = 0) -> str:
    """The same instant in one of many ways RFC 3339 knows."""
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=time_us)
    whole, micros = moment.replace(microsecond=0, tzinfo=None), moment.microsecond
    fraction = f".{micros:06d}" if micros else ""
    match how:
        case 1:
            return f"{whole + timedelta(hours=5, minutes=30):%Y-%m-%dT%H:%M:%S}{fraction}+05:30"
        case 2:
            return f"{whole - timedelta(hours=11):%Y-%m-%dT%H:%M:%S}{fraction}-11:00"
        case 3:
            return f"{whole:%Y-%m-%dT%H:%M:%S}.{micros:06d}999z"
        case 4:
            return f"{whole:%Y-%m-%dt%H:%M:%S}{fraction.rstrip('0')}Z"
        case 5:
            return f"{whole:%Y-%m-%dT%H:%M:%S}.{micros:06d}000+00:00"
    return f"{whole:%Y-%m-%dT%H:%M:%S}{fraction}Z"


spellings = st.sampled_from((0, 0, 0, 0, 1, 2, 3, 4, 5))
small_gaps = st.sampled_from((0, 0, 1, SECOND, SECOND, 3 * SECOND, 7 * SECOND + 123_457, 20 * SECOND))
dense_gaps = st.one_of(small_gaps, small_gaps, small_gaps, st.integers(0, 2 * MINUTE))
wide_gaps = st.one_of(
    dense_gaps,
    st.sampled_from((MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 16 * MINUTE)),
    st.sampled_from((0, MINUTE, HOUR, 5 * HOUR, 24 * HOUR, 24 * HOUR + 1, 26 * HOUR)),
)


@st.composite
def happenings(draw: st.DrawFn, types: Sequence[str], settings: Settings, most: int) -> list[tuple[int, str, Line]]:
    """(time_us, type, data), in no order. Each step is one event, or a burst of them with numbered names."""
    gaps = draw(st.sampled_from((dense_gaps, dense_gaps, wide_gaps)))
    now_us = START_US + draw(st.sampled_from((0, 1, 13 * SECOND + 500_000)))
    made: list[tuple[int, str, Line]] = []
    for _ in range(draw(st.integers(1, most))):
        now_us += draw(gaps)
        at_us = now_us
        placing = draw(st.integers(0, 11))
        if placing == 0:
            at_us = now_us // settings.pane_us * settings.pane_us
        elif placing == 1:
            at_us = now_us // settings.tick_us * settings.tick_us - draw(st.integers(-1, 1))
        elif placing == 2:
            at_us = now_us // settings.window_us * settings.window_us - draw(st.integers(0, 1))
        kind = draw(st.sampled_from(types))
        data = draw(DATA[kind])
        if placing > 5 and made:
            first = draw(st.sampled_from(made))
            echo_us, kind, data = draw(_echo(*first))
            at_us = at_us if placing > 8 else echo_us
        burst = draw(st.sampled_from((1, 1, 1, 1, 1, 1, 2, 3, 8, 21)))
        for number in range(burst):
            made.append((at_us, kind, _numbered(data, number)))
            at_us += draw(small_gaps) if burst < 5 else number % 3 * SECOND
    return made


@st.composite
def _echo(draw: st.DrawFn, first_us: int, first: str, told: Line) -> tuple[int, str, Line]:
    """An event of the same names, when the first one is just remembered or just not."""
    kinds, memories = next(echo[1:] for echo in ECHOES if first.startswith(echo[0]))
    kind = draw(st.sampled_from(kinds))
    data = draw(DATA[kind])
    data = {name: (told.get(name) or value) if name in NAMES else value for name, value in data.items()}
    return first_us + draw(st.sampled_from(memories)) + draw(st.sampled_from((-1, 0, 0, 1))), kind, data


def _numbered(data: Line, number: int) -> Line:
    return (
        data
        if number == 0
        else {
            name: f"{value}.{number}" if name in FIELDS_TO_NUMBER and value is not None else value
            for name, value in data.items()
        }
    )


@st.composite
def files(draw: st.DrawFn, most: int = 30) -> File:
    """A file, and the settings that it is read with."""
    own = draw(settings())
    kinds = sorted(DATA)
    themes = st.sampled_from(THEMES)
    types = draw(themes | themes | themes | st.just(kinds) | st.lists(st.sampled_from(kinds), min_size=1, max_size=6))
    projects = PROJECTS[: draw(st.sampled_from((1, 1, 1, 2, 3)))]
    placed: list[tuple[int, int, Line]] = []
    for time_us, kind, data in draw(happenings(types, own, most)):
        line = _line(draw, time_us, kind, data, draw(st.sampled_from(projects)))
        copies = draw(st.sampled_from((0, 0, 0, 0, 0, 0, 1, 2)))
        placed.append((time_us, *_arrival(draw, line, time_us, own)))
        for _ in range(copies):
            again = draw(DATA[kind]) if draw(st.booleans()) else data
            again_us = time_us + draw(st.sampled_from((0, 0, 0, 1, SECOND)))
            copy = _line(draw, again_us, kind, again, line["project"]) | {"id": line["id"], "source": line["source"]}
            placed.append((again_us, *_arrival(draw, copy, again_us, own)))
    placed += _clock(draw, placed, own)
    placed.sort(key=lambda item: item[1])
    return File(own, [line for _, _, line in placed] + _ending(draw, placed, own))


def _line(draw: st.DrawFn, time_us: int, kind: str, data: Line, project: str) -> Line:
    until_us = time_us + draw(st.sampled_from((-MINUTE, MINUTE, HOUR, 168 * HOUR))) if "until" in data else 0
    line = {
        "specversion": "1.0",
        "id": draw(st.integers(0, 40).map("e{}".format)),
        "source": draw(st.sampled_from(("team/b", "team/a"))),
        "type": kind,
        "time": spell(time_us, draw(spellings)),
        "project": project,
        "data": {**data, "until": spell(until_us)} if "until" in data else data,
    }
    if draw(st.integers(0, 9)) == 0:
        line["configversion"] = draw(st.integers(0, 2))
    return line


def _arrival(draw: st.DrawFn, line: Line, time_us: int, own: Settings) -> tuple[int, Line]:
    """When it is written, and whether its broker's append time stands in it."""
    waits = st.integers(0, own.lateness_us) | st.sampled_from((0, 0, own.lateness_us))
    odd = st.sampled_from((-90 * SECOND, -SECOND, 2 * MINUTE, HOUR))
    written_us = time_us + draw(st.one_of(waits, waits, waits, waits, odd))
    if draw(st.integers(0, 2)) == 0:
        line = {**line, "recordedtime": spell(written_us, draw(spellings))}
    return written_us, line


def _clock(draw: st.DrawFn, placed: list[tuple[int, int, Line]], own: Settings) -> list[tuple[int, int, Line]]:
    """Ticks of a clock between the lines. Without `recordedtime` they close panes at once."""
    ticks = []
    for _ in range(draw(st.sampled_from((0, 0, 1, 3)))):
        written_us = draw(st.sampled_from(placed))[1] + draw(st.sampled_from((0, 1, SECOND, -MINUTE)))
        ahead_us = draw(st.sampled_from((0, 0, MINUTE, -HOUR)))
        line: Line = {"specversion": "1.0", "id": "tick", "source": "clock", "type": "clock.tick", "data": {}}
        if draw(st.booleans()):
            line |= {"time": spell(written_us), "recordedtime": spell(written_us, draw(spellings))}
        else:
            line["time"] = spell(written_us + ahead_us, draw(spellings))
        ticks.append((written_us, written_us, line))
    return ticks


def _ending(draw: st.DrawFn, placed: list[tuple[int, int, Line]], own: Settings) -> list[Line]:
    """Mostly the clock goes on for a while; sometimes the file just stops."""
    after_us = draw(st.sampled_from((None, 0, own.window_us, 20 * MINUTE, 20 * MINUTE, 2 * HOUR)))
    if after_us is None:
        return []
    last_us = max(max(time_us, written_us) for time_us, written_us, _ in placed)
    time = spell(last_us + after_us + own.tick_us)
    return [{"specversion": "1.0", "id": "end", "source": "clock", "type": "clock.tick", "time": time, "data": {}}]
