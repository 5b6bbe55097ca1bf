"""What makes a store stale: the code that reads its own cohort, and no other."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from cohorts.catalogue import all_cohorts, find_cohort
from cohorts.cohort import Cohort
from cohorts.hashing import ROOT, code_hash
from cohorts.store_staleness import reading_code

SHARED = [
    *(
        f"formats/{file.name}"
        for file in (ROOT / "cohorts/formats").glob("*.py")
        if file.name != "__init__.py"
    ),
    "cohort.py",
    "index.py",
    "preparing.py",
    "recording.py",
    "release_files.py",
    "store.py",
    "store_file.py",
    "store_writing.py",
]
OWN = {
    "ptb-xl": ["sources/ptb_xl.py"],
    "georgia": ["sources/georgia.py", "families/challenge.py"],
    "ptbdb": ["sources/ptbdb.py", "families/challenge.py"],
    "code-15": ["sources/code_15.py", "families/code.py"],
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package, in which files may be changed."""
    shutil.copytree(ROOT / "cohorts", tmp_path / "copy" / "cohorts", ignore=shutil.ignore_patterns("*.pyc"))
    return tmp_path / "copy"


def code_of(cohort: type[Cohort], root: Path) -> str:
    reading_code.cache_clear()  # within one process code does not change, so it is hashed once
    code_hash.cache_clear()
    return reading_code(cohort, root)


def touch(file: Path) -> None:
    file.write_text(file.read_text("utf-8") + "# another word\n", "utf-8")


def test_where_the_package_lies_does_not_matter(copy: Path) -> None:
    for cohort in all_cohorts().values():
        assert code_of(cohort, copy) == code_of(cohort, ROOT)


@pytest.mark.parametrize("cohort_id", OWN)
def test_every_file_that_reads_a_cohort_counts_and_no_other(copy: Path, cohort_id: str) -> None:
    cohort, decides = find_cohort(cohort_id), [*OWN[cohort_id], *SHARED]
    before = code_of(cohort, copy)
    for file in sorted((copy / "cohorts").rglob("*.py")):
        if file.name == "__init__.py" and file.parent.name == "formats":
            continue  # says what the room is for, and may count or not
        content = file.read_bytes()
        touch(file)
        name = file.relative_to(copy / "cohorts").as_posix()
        assert (code_of(cohort, copy) != before) == (name in decides), name
        file.write_bytes(content)
    assert code_of(cohort, copy) == before


PLUGIN = """
from cohorts.families.challenge import ChallengeCohort, challenge_card

class Stranger(ChallengeCohort):
    card = challenge_card("stranger", id="stranger", name="Stranger", records=1, country="Norway")
"""
HEIR = """
from stranger import Stranger

class Heir(Stranger):
    pass
"""


def imported(file: Path, name: str) -> type[Cohort]:
    """A class from a file outside the package."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module  # where `inspect` looks for the file of a class
    spec.loader.exec_module(module)
    kind = getattr(module, name)
    assert issubclass(kind, Cohort)
    return kind


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside the package with a cohort, and another that inherits from it."""
    folder = tmp_path / "plugin"
    folder.mkdir()
    (folder / "stranger.py").write_text(PLUGIN)
    (folder / "heir.py").write_text(HEIR)
    for name in ("stranger", "heir"):
        monkeypatch.setitem(sys.modules, name, None)
    return folder


def test_a_cohort_outside_the_package_is_read_by_its_own_file_and_its_family(
    copy: Path, plugin: Path
) -> None:
    stranger = imported(plugin / "stranger.py", "Stranger")
    seen = [code_of(stranger, copy)]
    for other in ("sources/georgia.py", "families/code.py", "catalogue.py"):
        touch(copy / "cohorts" / other)
    touch(plugin / "heir.py")
    assert code_of(stranger, copy) == seen[0]
    for own in (plugin / "stranger.py", copy / "cohorts/families/challenge.py", copy / "cohorts/cohort.py"):
        touch(own)
        seen.append(code_of(stranger, copy))
    assert len(set(seen)) == 4


def test_of_a_package_elsewhere_all_code_counts(copy: Path, plugin: Path) -> None:
    (plugin / "inner").mkdir()
    for file in ("__init__.py", "inner/__init__.py", "inner/parsing.py"):
        (plugin / file).write_text("")
    (plugin.parent / "beside.py").write_text("")
    stranger = imported(plugin / "stranger.py", "Stranger")
    before = code_of(stranger, copy)
    touch(plugin.parent / "beside.py")
    assert code_of(stranger, copy) == before
    touch(plugin / "inner/parsing.py")
    assert code_of(stranger, copy) != before


def test_the_file_of_a_class_that_a_cohort_inherits_from_counts(copy: Path, plugin: Path) -> None:
    imported(plugin / "stranger.py", "Stranger")
    heir = imported(plugin / "heir.py", "Heir")
    seen = [code_of(heir, copy)]
    for own in (plugin / "heir.py", plugin / "stranger.py", copy / "cohorts/families/challenge.py"):
        touch(own)
        seen.append(code_of(heir, copy))
    assert len(set(seen)) == 4
