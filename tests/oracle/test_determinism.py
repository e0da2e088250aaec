"""The same events give the same bytes: in any order that leaves lateness as it is, whoever else is in the file,
whatever the hash seed, and through the command line.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from meta_orchestrator.drivers.replay import Replay
from meta_orchestrator.policy import Policy
from meta_orchestrator.simulation.scenarios import SCENARIOS
from tests.oracle.oracle import expect
from tests.oracle.reading import Settings, is_bad, marks, time_us, watermarks
from tests.oracle.strategies import START_US, File, Line, files, spell
from tests.oracle.test_oracle import differences

APP = Path(__file__).parents[2] / "app"
EAGER: dict[str, Any] = {
    "parameters": {"mode": "enforce"},
    "pace": {"warm_up_s": 0, "cooldown_s": 60},
    "trial": {"settle_s": 0, "review_s": 300, "baseline_s": 900},
    "analysis": {"min_events": 3, "lookback_s": 900},
}
"""A policy under which a short file makes decisions."""
USUAL = Settings(10_000_000, 30_000_000, 300_000_000, 15_000_000, 20, 10)


def eager_policy(own: Settings) -> Policy:
    time = {
        "pane_s": own.pane_us / 1e6,
        "tick_s": own.tick_us / 1e6,
        "window_s": own.window_us / 1e6,
        "lateness_s": own.lateness_us / 1e6,
    }
    return Policy.model_validate(EAGER | {"time": time, "samples": {"p95": own.p95, "rate": own.rate}})


def replay(file: File, assume: bool = True) -> list[bytes]:
    written: list[bytes] = []
    Replay(eager_policy(file.settings), written.append, assume_orchestrator=assume).run(file.bytes)
    return written


def without_bad(file: File) -> File:
    """Dead letters name lines, so they do change with the order."""
    return File(file.settings, [line for line in file.lines if not is_bad(line)])


@lru_cache(maxsize=1)
def team_file() -> File:
    """Three hours of two simulated teams to whom something happens, each in disorder within the lateness."""
    lines: list[tuple[int, Line]] = []
    for project, scenario in (("checkout", "over_deliberation"), ("search", "handoff_storm")):
        env = simpy.Environment()
        SCENARIOS[scenario].team(env, _publish(env, project, lines), seed=7, fault_at_s=5400)
        env.run(until=3 * 3600)
    lines.sort(key=lambda item: item[0])
    end = {"specversion": "1.0", "id": "end", "source": "clock", "type": "clock.tick", "data": {}}
    return File(USUAL, [line for _, line in lines] + [{**end, "time": spell(START_US + 3 * 3600 * 1_000_000)}])


def _publish(env: simpy.Environment, project: str, lines: list[tuple[int, Line]]) -> Callable[..., None]:
    def publish(kind: str, data: dict[str, Any], source: str) -> None:
        at_us = START_US + round(env.now * 1e6)
        line = {"specversion": "1.0", "id": f"{project}-{len(lines)}", "source": source, "type": kind}
        line |= {"time": spell(at_us), "project": project, "data": data}
        lines.append((at_us + len(lines) * 7_919_000 % USUAL.lateness_us, line))

    return publish


# ---- order ----


@given(files(), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=5, max_size=60))
def test_the_order_of_arrival_does_not_matter(file: File, moves: list[tuple[int, int]]) -> None:
    file = without_bad(file)
    moved = File(file.settings, shuffled(file, moves))
    assert sorted(map(repr, moved.lines)) == sorted(map(repr, file.lines))
    assert replay(moved) == replay(file)


def shuffled(file: File, moves: list[tuple[int, int]]) -> list[Line]:
    """Lines moved one by one, if that makes none late or in time and no command act at another tick."""
    order = list(range(len(file.lines)))
    wanted = _signature(file, order)
    for source, target in moves if order else []:
        moved = order.copy()
        moved.insert(target % len(order), moved.pop(source % len(order)))
        if _signature(file, moved) == wanted:
            order = moved
    return [file.lines[number] for number in order]


def _signature(file: File, order: list[int]) -> list[Any]:
    """For each line of the file, what depends on where it stands."""
    found = marks([file.lines[number] for number in order], file.settings)
    return [mark and mark[1:] for _, mark in sorted(zip(order, found, strict=True), key=lambda item: item[0])]


@given(files())
def test_other_projects_in_the_file_do_not_matter(file: File) -> None:
    """Alone, with a clock that stands where the others' lines moved the watermark to."""
    file = without_bad(file)
    together = replay(file)
    reached = list(watermarks(file.lines, file.settings.lateness_us))
    for project in sorted({line["project"] for line in file.lines if "project" in line}):
        alone = [
            line if line.get("project") == project else _clock(mark_us)
            for line, mark_us in zip(file.lines, reached, strict=True)
        ]
        own = [line for line in together if json.loads(line)["project"] == project]
        assert replay(File(file.settings, alone)) == own


def _clock(reached_us: int) -> Line:
    line = {"specversion": "1.0", "id": "c", "source": "c", "type": "clock.tick", "data": {}}
    return line | {"time": spell(max(reached_us, 0))}


@given(files())
def test_outputs_come_by_tick_and_then_by_project(file: File) -> None:
    keys = [
        (time_us(output["time"]), output["project"])
        for output in map(json.loads, replay(file))
        if output["type"] != "dead.letter"
    ]
    assert keys == sorted(keys)


def test_what_a_team_lives_through_is_told_the_same_in_any_order() -> None:
    file = team_file()
    written = replay(file)
    kinds = {json.loads(line)["type"] for line in written}
    assert {"config.change", "decision", "metrics.snapshot", "metrics.agent"} <= kinds
    by_time = sorted(file.lines, key=lambda line: time_us(line["time"]))
    assert by_time != file.lines
    assert replay(File(file.settings, by_time)) == written


# ---- processes ----


def run_replay(path: Path, policy: Path, seed: str, *flags: str) -> subprocess.CompletedProcess[bytes]:
    """The command, in a process of its own with its own hashes."""
    command = [sys.executable, "-m", "meta_orchestrator", "replay", str(path), "--policy", str(policy), *flags]
    return subprocess.run(
        command, env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(APP)}, capture_output=True, timeout=300
    )


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    tables = [
        "\n".join([f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())])
        for name, table in EAGER.items()
    ]
    path.write_text("\n\n".join(tables))
    return path


def test_hash_seeds_do_not_matter_to_the_command(tmp_path: Path, policy_file: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(b"".join(team_file().bytes))
    runs = [run_replay(journal, policy_file, seed, "--assume-orchestrator") for seed in ("0", "4711")]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr
    assert runs[0].stdout == runs[1].stdout == b"".join(replay(team_file()))


@settings(max_examples=3)
@given(files(most=40))
def test_the_command_writes_what_the_contract_says(tmp_path_factory: pytest.TempPathFactory, file: File) -> None:
    folder = tmp_path_factory.mktemp("replay")
    journal, policy = folder / "journal.jsonl", folder / "policy.toml"
    journal.write_bytes(b"".join(file.bytes))
    own = file.settings
    policy.write_text(
        f"[time]\npane_s = {own.pane_us / 1e6}\ntick_s = {own.tick_us / 1e6}\nwindow_s = {own.window_us / 1e6}\n"
        f"lateness_s = {own.lateness_us / 1e6:.6f}\n[samples]\np95 = {own.p95}\nrate = {own.rate}\n"
    )
    done = run_replay(journal, policy, "random")
    expected = expect(file.lines, own)
    assert done.returncode == (3 if expected.bad else 0), done.stderr
    assert differences([json.loads(line) for line in done.stdout.splitlines()], expected) == []
