"""A result says which commit of the suite made it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.records import provenance
from benchmark.records.provenance import PACKAGES, package_versions, software, source_commit
from cohorts.hashing import ROOT


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository in place of the suite's own."""
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    source_commit.cache_clear()
    yield tmp_path
    source_commit.cache_clear()


def git(folder: Path, *words: str) -> str:
    someone = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.run(
        ("git", *someone, *words), cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_commit_is_that_of_the_suite() -> None:
    assert provenance.ROOT == ROOT
    assert (ROOT / "benchmark/records/provenance.py").is_file()


def test_a_changed_checkout_is_said_to_be_dirty(checkout: Path) -> None:
    git(checkout, "init", "-q")
    (checkout / "file").write_text("one")
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "-m", "one")
    commit = git(checkout, "rev-parse", "HEAD")
    assert source_commit() == commit
    assert software()["commit"] == commit
    (checkout / "file").write_text("two")
    source_commit.cache_clear()
    assert source_commit() == f"{commit}-dirty"


def test_a_folder_in_somebody_elses_repository_is_no_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(checkout, "init", "-q")
    (checkout / "inner").mkdir()
    git(checkout, "commit", "-q", "--allow-empty", "-m", "one")
    monkeypatch.setattr(provenance, "ROOT", checkout / "inner")
    source_commit.cache_clear()
    assert source_commit() is None
    assert software()["commit"] == "unknown"


def test_every_package_that_can_move_a_number_has_a_version() -> None:
    found = package_versions()
    assert set(found) == {"leadboard", *PACKAGES}
    assert found["numpy"][0].isdigit()
