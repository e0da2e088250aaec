"""The README is true: its commands and snippets run as they stand (with a broker: tests/kafka/test_readme.py)."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from meta_orchestrator.cli.app import app
from meta_orchestrator.policy import load_policy
from tests.cli.test_help import COMMANDS, names

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"(?:<!-- (?P<note>[^>]*) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```\n", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A piece of code in the README, with the note above it that says what the tests do with it."""

    note: str
    language: str
    text: str


BLOCKS = [Block(found["note"] or "", found["language"], found["text"]) for found in BLOCK.finditer(README)]


def block(note: str) -> Block:
    (found,) = (one for one in BLOCKS if one.note == note)
    return found


def shell(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A shell as after `. .venv/bin/activate`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = {"PATH": path, "PYTHONPATH": str(ROOT / "app"), "COLUMNS": "120", "HOME": str(folder)} | environment
    return subprocess.run(["bash", "-euc", script], cwd=folder, env=given, capture_output=True, text=True, timeout=120)


def test_each_piece_of_code_says_what_the_tests_do_with_it():
    assert len(BLOCKS) >= 8
    assert [one.text for one in BLOCKS if "tests" not in one.note] == []


def test_ctrl_c_ends_the_orchestrator_without_a_traceback(tmp_path: Path):
    generate = "meta-orchestrator keys generate worker-1 --role worker --trust trust.toml"
    assert shell(generate, tmp_path).returncode == 0
    text = block("run by the tests with a broker: orchestrator").text.replace("localhost:9092", "127.0.0.1:9")
    command = [sys.executable, "-c", text]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "app")}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr
        away = running.stderr.readline()
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
    assert "is away" in away
    assert "Traceback" not in rest
    assert running.returncode == 0


def test_make_knows_the_targets_that_are_named():
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert {"demo", "test", "check", "bench"} <= named
    for target in sorted(named):
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_log_of_ones_own_becomes_a_report(tmp_path: Path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = shell(block("run by the tests").text, tmp_path)
    assert done.returncode == 0, done.stderr
    for section in ("What went wrong", "Where work bounces", "Who is the bottleneck", "What it would have changed"):
        assert section in done.stdout
    assert "Ping pong: agents dora, eli, tasks" in done.stdout


@pytest.mark.parametrize("content", [block("checked by the tests").text, (ROOT / "examples/policy.toml").read_text()])
def test_the_policies_shown_are_valid(tmp_path: Path, content: str):
    (tmp_path / "policy.toml").write_text(content)
    policy = load_policy(tmp_path / "policy.toml")
    assert policy.parameters["workflow.wip_limit"].mode == "enforce"


def test_the_table_of_commands_names_each_of_them():
    told = set(re.findall(r"[a-z]+", README.split("## Commands")[1].split("## Work on it")[0]))
    assert {word for command in COMMANDS for word in command} <= told
    assert {word for command in names(app) for word in command} <= told


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "examples/README.md"])
def test_links_and_paths_lead_somewhere(document: str):
    place = ROOT / document
    text = place.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    paths = re.findall(r"`(app/[\w/.]+|[\w]+\.(?:py|toml|csv))`", text)
    missing = [link for link in links if not (place.parent / link).exists()]
    missing += [path for path in paths if not list(ROOT.glob(f"**/{path}")) and path != "policy.toml"]
    assert missing == []
