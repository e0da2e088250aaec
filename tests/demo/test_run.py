"""The demo as a person starts it: a process of its own, on the embedded broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app"


def start(tmp_path, *arguments: str) -> "subprocess.Popen[str]":
    """Ctrl-C must count in it even where the test runner ignores it."""
    command = (sys.executable, "-m", "meta_orchestrator", "demo", *arguments)
    environment = os.environ | {"PYTHONPATH": str(APP), "TMPDIR": str(tmp_path), "COLUMNS": "200"}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def left_over(tmp_path) -> list[str]:
    """Files of the demo, and processes that were started with its directory or from it."""
    processes = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(tmp_path).encode() in entry.read_bytes():
                processes.append(entry.parent.name)
        except OSError:
            continue
    return [*map(str, tmp_path.iterdir()), *processes]


def iter_until(lines: Iterable[str], words: tuple[str, ...]) -> Iterator[str]:
    """The lines up to the first with one of some words."""
    for line in lines:
        yield line
        if any(word in line for word in words):
            return


@pytest.mark.slow
def test_within_two_minutes_a_problem_is_found_a_change_applied_and_judged(tmp_path):
    demo = start(tmp_path, "--for", "115")
    assert demo.stdout
    begun = list(iter_until(demo.stdout, ("Kept", "Rolled back")))
    demo.send_signal(signal.SIGINT)  # the rest of the two minutes would show nothing else
    rest, _ = demo.communicate(timeout=30)
    out = "".join(begun) + rest
    assert demo.returncode == 0, out
    told = [line for line in out.splitlines() if "[" not in line]
    assert any("went up" in line or "went down" in line for line in told)
    applied = next(i for i, line in enumerate(told) if "applied and acknowledged version 1" in line)
    change = next(i for i, line in enumerate(told) if "Version 1 (trial)" in line)
    verdict = next(i for i, line in enumerate(told) if "Kept" in line or "Rolled back" in line)
    assert change < applied < verdict
    assert "points an hour" in out.lower()
    assert not left_over(tmp_path)


@pytest.mark.slow
def test_a_demo_that_ends_before_anything_was_applied_exits_with_1(tmp_path):
    demo = start(tmp_path, "--for", "3")
    out, _ = demo.communicate(timeout=30)
    assert demo.returncode == 1, out
    assert not left_over(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("when", "asked"),
    [("embedded Kafka", signal.SIGINT), ("simulated team", signal.SIGINT), ("simulated team", signal.SIGTERM)],
    ids=["in the middle of the start", "at work", "at work, SIGTERM"],
)
def test_ctrl_c_ends_everything_within_seconds(tmp_path, when, asked):
    demo = start(tmp_path)
    assert any(when in line for line in demo.stdout)  # it is being started
    time.sleep(2)
    demo.send_signal(asked)
    demo.communicate(timeout=10)
    assert demo.returncode in (0, 130)
    assert not left_over(tmp_path)
