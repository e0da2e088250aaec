"""The first hour of the README with a broker, as it stands: set up, connect a team, obey a change."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.test_readme import ROOT, block, shell

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
ADDRESS = "localhost:9092"


class Reader:
    """Somebody who types what the README shows, with another broker and a prefix of their own."""

    def __init__(self, broker: str, folder: Path) -> None:
        self.broker, self.folder, self.prefix = broker, folder, f"t{uuid4().hex[:8]}-"
        self.environment = {
            "META_ORCHESTRATOR_PREFIX": self.prefix,
            "META_ORCHESTRATOR_POLICY": str(ROOT / "examples/policy.toml"),  # ticks of seconds
        }
        for line in self.text("setup").splitlines():
            if line.startswith("export "):
                self.environment |= dict(one.split("=", 1) for one in line.split()[1:])

    def text(self, step: str) -> str:
        """A block of the README for this broker."""
        shown = block(f"run by the tests with a broker: {step}").text
        shown = shown.replace(f'broker="{ADDRESS}"', f'broker="{self.broker}", prefix="{self.prefix}"')
        return shown.replace(ADDRESS, self.broker).replace("worker --key", "worker --port 0 --key")  # 6066 may be taken

    def types(self, step: str) -> str:
        done = shell(self.text(step), self.folder, **self.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def runs(self, step: str) -> str:
        done = subprocess.run([sys.executable, "-c", self.text(step)], cwd=self.folder, **self._piped(), timeout=60)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    @contextmanager
    def leaves_running(self, step: str, *command: str) -> Iterator[Path]:
        """The block in the background; what it says is in the file."""
        log = self.folder / f"{step}.log"
        with log.open("wb") as said:
            running = subprocess.Popen(
                [*command, self.text(step)], cwd=self.folder, env=self.env(), stdout=said, stderr=subprocess.STDOUT
            )
            try:
                yield log
                assert running.poll() is None, log.read_text()
            finally:
                running.terminate()
                running.wait(20)

    def env(self) -> dict[str, str]:
        """After `. .venv/bin/activate` and the exports of the README."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "PYTHONPATH": str(ROOT / "app"), "HOME": str(self.folder)} | self.environment

    def _piped(self) -> dict[str, object]:
        return {"env": self.env(), "capture_output": True, "text": True}


def eventually(look: Callable[[], bool], within_s: float = 60) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if look():
            return True
        time.sleep(0.5)
    return False


def test_the_first_hour_goes_as_it_is_told(kafka: str, tmp_path: Path):
    reader = Reader(kafka, tmp_path)
    assert "created" in reader.types("setup")
    with (
        reader.leaves_running("worker", "bash", "-euc") as worker,
        reader.leaves_running("orchestrator", sys.executable, "-c") as orchestrator,
    ):
        reader.runs("team")
        assert "checkout: development_velocity has its events" in reader.types("look")
        reader.types("command")
        heard = eventually(lambda: "version 1: {" in orchestrator.read_text())
        assert heard, worker.read_text() + orchestrator.read_text()
        assert "'workflow.wip_limit': 2" in orchestrator.read_text()
        explain = shell("meta-orchestrator explain 1", tmp_path, **reader.environment)
        told = " ".join(explain.stdout.replace("│", " ").split())  # the table breaks lines where it must
        assert "to see it happen" in told
