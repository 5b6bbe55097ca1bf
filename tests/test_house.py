"""The house: imports run one way between rooms, and rooms stay small enough to find one's way in."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("cohorts", "benchmark", "baselines")


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "COLUMNS": "200", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("file", "line", "words"),
    [
        ("cohorts/paper.py", "import benchmark.text", "cohorts is not allowed to import benchmark"),
        ("benchmark/text.py", "import baselines.controls", "benchmark is not allowed to import baselines"),
        (
            "baselines/networks/s4.py",
            "from baselines.foundation import base",
            "baselines.networks is not allowed to import baselines.foundation",
        ),
        (
            "benchmark/metrics/checks.py",
            "from benchmark.records import record",
            "benchmark.metrics is not allowed to import benchmark.records",
        ),
        (
            "benchmark/report/board.py",
            "def late():\n    from benchmark.run import plan\n    return plan",
            "benchmark.report is not allowed to import benchmark.run",
        ),
        (
            "cohorts/recording.py",
            "from cohorts.store import Store",
            "cohorts.recording is not allowed to import cohorts.store",
        ),
    ],
)
def test_an_import_in_the_wrong_direction_fails_the_lint(
    tmp_path: Path, file: str, line: str, words: str
) -> None:
    pytest.importorskip("importlinter", reason="needs import-linter, which 'make setup' installs")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as code:
        code.write(f"\n{line}\n")
    found = lint(tmp_path)
    assert found.returncode == 1, found.stdout + found.stderr
    assert words in found.stdout


def test_rooms_are_few_and_files_short() -> None:
    benchmark = ROOT / "benchmark"
    types = ("py.typed", "__init__.pyi")
    loose = [path.name for path in benchmark.iterdir() if path.is_file() and path.name not in types]
    rooms = [path.name for path in benchmark.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert len(loose) <= 8, loose
    assert len(rooms) <= 10, rooms
    long = {str(path.relative_to(ROOT)): lines for path in modules() if (lines := _lines(path)) >= 300}
    assert not long


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", "README.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_what_the_pages_name_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:benchmark|cohorts|baselines|docs|tests)/[\w./-]+)`", text))
    new = {"cohorts/sources/my_release.py", "cohorts/ontology/vocabularies/NAME.csv"}
    assert not [name for name in named - new if not (ROOT / name).exists()]


def test_the_paths_through_the_code_name_what_is_there() -> None:
    """In the tables of steps a name stands behind the file that defines it."""
    steps = re.findall(
        r"^\| \d+ \| (.*?) \|", (ROOT / "docs/architecture.md").read_text("utf-8"), re.MULTILINE
    )
    looked_up = 0
    for step in steps:
        file = ROOT / "nothing"
        for word in re.findall(r"`([\w./]+)`", step):
            if word.endswith(".py"):
                file = ROOT / word if "/" in word else file.parent / word
                assert file.is_file(), word
            elif file.is_file() and re.fullmatch(r"[A-Za-z_.]+", word):
                text = file.read_text("utf-8")
                for name in word.split("."):
                    assert re.search(rf"^ *(def|class) {name}\b", text, re.MULTILINE), (word, file)
                looked_up += 1
    assert looked_up >= 15
