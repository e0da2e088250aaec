"""A command as a person runs it, in this process."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from meta_orchestrator.cli.main import main


@dataclass
class Done:
    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`run("status", "-p", "x")` in an empty folder, without settings in the environment."""
    for name in ("BROKER", "POLICY", "TRUST", "KEY", "PREFIX", "DATA_DIR"):
        monkeypatch.delenv(f"META_ORCHESTRATOR_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def command(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["meta-orchestrator", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return command
