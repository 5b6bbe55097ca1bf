"""Everything that is committed below ``results`` verifies, and nothing else lies there.

Without labels, so that the answer is the same on every machine; with them, ``leadboard verify --data``.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmark.records.verification import verify

ROOT = Path(__file__).resolve().parents[1]
MARKS = ("manifest.json", "run.json")


def committed() -> list[Path]:
    """Files below ``results`` that git knows; all but those of local runs outside of a checkout."""
    results = ROOT / "results"
    git = subprocess.run(
        ("git", "-C", str(ROOT), "ls-files", "-z", "--", "results"),
        capture_output=True,
        text=True,
        check=False,
    )
    if git.returncode == 0:
        return [ROOT / name for name in git.stdout.split("\0") if name and (ROOT / name).exists()]
    return [path for path in results.rglob("*") if path.is_file() and results / "runs" not in path.parents]


FILES = committed()
FOLDERS = sorted({path.parent for path in FILES if path.name in MARKS})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_committed_verifies(folder: Path) -> None:
    found = verify(folder, lambda cohort: None)
    assert found.agreed
    assert not found.differences, "\n".join(map(" ".join, found.differences))


def test_nothing_else_lies_there() -> None:
    assert FILES
    for path in FILES:
        inside = any(folder in path.parents for folder in FOLDERS)
        assert inside or path.name == "README.md", f"{path} belongs to no submission and no run"


def test_submissions_lie_where_they_belong() -> None:
    for folder in FOLDERS:
        if (folder / "manifest.json").is_file():
            assert folder.parent == ROOT / "results/submissions", folder
