"""docker-compose.yml and Dockerfile fit the project; a Docker engine is not needed here."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from meta_orchestrator.cli.app import app

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]


def test_the_whole_loop_is_there():
    assert list(SERVICES) == ["kafka", "topics", "worker-1", "worker-2", "orchestrator", "team"]


def test_nobody_starts_before_what_it_needs():
    assert SERVICES["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    for name in set(OURS) - {"topics"}:
        assert SERVICES[name]["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}


def test_every_volume_is_declared_and_every_setting_exists():
    from meta_orchestrator.settings import NAMES

    for name in OURS:
        for volume in SERVICES[name]["volumes"]:
            assert volume.split(":")[0] in COMPOSE["volumes"]
        known = {f"META_ORCHESTRATOR_{setting.upper()}" for setting in NAMES}
        assert set(SERVICES[name]["environment"]) <= known


def test_files_of_the_image_are_in_the_repository_and_in_the_build():
    dockerfile, kept = (ROOT / "Dockerfile").read_text(), (ROOT / ".dockerignore").read_text().splitlines()
    copied = [name for line in re.findall(r"^COPY (?!--)(.*) \S+$", dockerfile, re.MULTILINE) for name in line.split()]
    assert {"app", "examples", "requirements.lock"} <= set(copied)
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in kept
    used = re.findall(r"/examples/\S+?\.(?:py|toml)", (ROOT / "docker-compose.yml").read_text())
    assert {"/examples/orchestrator.py", "/examples/team.py", "/examples/policy.toml"} == set(used)
    assert all((ROOT / name.removeprefix("/")).exists() for name in used)


def commands() -> list[list[str]]:
    """Every `meta-orchestrator` call that the file makes."""
    called = [SERVICES[name]["command"] for name in ("worker-1", "worker-2")]
    script = "\n".join(SERVICES["topics"]["command"]).splitlines()
    lines = [shlex.split(line) for line in script if line.strip().startswith("meta-orchestrator")]
    return called + [line[1:] for line in lines]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_the_commands_understand_what_they_are_told(words: list[str]):
    """`--help` at the end stops a command only if all before it was understood."""
    assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0


def test_the_image_installs_an_extra_that_exists():
    (extra,) = re.findall(r"'\.\[(\w+)\]'", (ROOT / "Dockerfile").read_text())
    assert extra in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
