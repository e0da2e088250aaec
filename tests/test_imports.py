"""The import rules of ARCHITECTURE.md hold, and the linter that says so does look."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINT = """
import sys
from importlinter.cli import lint_imports
sys.path.insert(0, "app")
sys.exit(lint_imports(no_cache=True))
"""


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-P", "-c", LINT], cwd=folder, capture_output=True, text=True)


def test_imports_go_downwards_only():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


def test_an_import_upwards_is_found(tmp_path: Path):
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    errors = tmp_path / "app/meta_orchestrator/errors.py"
    errors.write_text(errors.read_text() + "\nfrom meta_orchestrator.core import loop as loop\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "meta_orchestrator.errors is not allowed to import meta_orchestrator.core" in done.stdout
