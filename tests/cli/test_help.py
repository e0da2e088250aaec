import subprocess
import sys

import pytest
import typer

from meta_orchestrator import __version__
from meta_orchestrator.cli.app import app
from tests.cli.conftest import Run

COMMANDS = [
    *(
        ("demo",),
        ("worker",),
        ("replay",),
        ("evaluate",),
        ("convert", "xes"),
        ("convert", "csv"),
        ("status",),
        ("explain",),
    ),
    *(("history",), ("freeze",), ("unfreeze",), ("override",), ("rollback",), ("reset",), ("approve",), ("decline",)),
    *(("topics", "create"), ("topics", "check"), ("schemas",), ("keys", "generate"), ("doctor",)),
]
HEAVY = ("aiokafka", "faust", "numpy", "pydantic", "river", "simpy", "cryptography")


def names(group: typer.Typer) -> set[tuple[str, ...]]:
    own = {(command.name or command.callback.__name__,) for command in group.registered_commands}
    return own.union(*({(sub.name, *rest) for rest in names(sub.typer_instance)} for sub in group.registered_groups))


def test_every_command_of_the_contract_is_there_and_no_other():
    assert names(app) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_of_each_command_ends_with_an_example_of_it(run: Run, command: tuple[str, ...]):
    done = run(*command, "--help")
    assert done.status == 0
    assert f"Example: meta-orchestrator {' '.join(command)}" in " ".join(done.out.split())


def test_the_version_is_that_of_the_package(run: Run):
    assert run("--version").out == f"{__version__}\n"


def test_help_loads_nothing_that_is_slow_to_load():
    script = "import sys\nfrom meta_orchestrator.cli import app\nprint(*sorted(set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "meta_orchestrator.cli.app" in loaded
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize(("missing", "extra"), [("typer", "worker"), ("rich", "worker")])
def test_without_its_libraries_the_command_says_which_extra_to_install(missing: str, extra: str):
    script = f"import sys\nsys.modules[{missing!r}] = None\nfrom meta_orchestrator.cli.main import main\nmain()"
    done = subprocess.run([sys.executable, "-c", script, "--help"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"meta-orchestrator: {missing} is not installed: pip install 'meta-orchestrator[{extra}]'\n"
