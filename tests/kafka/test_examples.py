"""examples/: what docker-compose.yml starts, here as plain processes on a real broker."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.kafka.test_readme import Reader, eventually
from tests.test_readme import ROOT, shell

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@contextmanager
def running(name: str, reader: Reader) -> Iterator[Path]:
    log = reader.folder / f"{name}.log"
    with log.open("wb") as said:
        command = [sys.executable, str(ROOT / "examples" / name), "demo"]
        process = subprocess.Popen(command, cwd=reader.folder, env=reader.env(), stdout=said, stderr=said)
        try:
            yield log
            assert process.poll() is None, log.read_text()
        finally:
            process.kill()
            process.wait(20)


def test_the_simulated_team_works_and_its_orchestrator_obeys(kafka: str, tmp_path: Path):
    reader = Reader(kafka, tmp_path)
    reader.types("setup")
    with ExitStack() as started:
        worker = started.enter_context(reader.leaves_running("worker", "bash", "-euc"))
        orchestrator = started.enter_context(running("orchestrator.py", reader))
        team = started.enter_context(running("team.py", reader))

        def finished() -> bool:
            done = shell("meta-orchestrator status -p demo --json", tmp_path, **reader.environment)
            counts = json.loads(done.stdout)["metrics"]["counts"] if done.returncode == 0 and done.stdout else {}
            return "agent.task.finished" in counts and "consensus.round.closed" in counts

        assert eventually(finished, 90), worker.read_text() + team.read_text()
        order = "meta-orchestrator override workflow.wip_limit 2 -p demo --for 1h --reason 'to see it' --key alice.key"
        assert shell(order, tmp_path, **reader.environment).returncode == 0
        assert eventually(lambda: "version 1: " in orchestrator.read_text()), worker.read_text()
