"""Links, hidden files and files of other systems in a release: all that is the release, and nothing else."""

from __future__ import annotations

import os
import shutil

import pytest

from cohorts.catalogue import find_cohort, open_cohort
from cohorts.errors import RecordError, UsageError
from cohorts.preparing import prepare
from cohorts.release_files import ReleaseFiles
from cohorts.store_staleness import stamp_of

TREES = ("georgia", "ecg-arrhythmia", "incartdb", "ptbdb")
"""Cohorts whose records are the headers that are there; the others have a list."""


def folder_of(root, cohort_id):
    return root / find_cohort(cohort_id).card.folder


def farm(release, place, *, files):
    """Build a farm of links to a release: its folders as links, or real folders with files as links."""
    place.mkdir(parents=True)
    for path in release.iterdir():
        if files and path.is_dir():
            farm(path, place / path.name, files=True)
        else:
            (place / path.name).symlink_to(path)


@pytest.mark.parametrize("files", [False, True])
@pytest.mark.parametrize("cohort_id", [*TREES, "ptb-xl", "sph", "code-15", "mimic-iv-ecg", "ludb"])
def test_a_farm_of_links_is_the_release(write_release, tmp_path, cache, cohort_id, files):
    data, linked = write_release(cohort_id), tmp_path / "linked"
    farm(folder_of(data, cohort_id), folder_of(linked, cohort_id), files=files)
    there, here = open_cohort(cohort_id, data), open_cohort(cohort_id, linked)
    assert here is not None
    assert here.index().equals(there.index())
    assert here.unreadable.equals(there.unreadable)
    store = prepare(here, cache)
    assert store.fingerprint == prepare(there, cache).fingerprint
    assert not [warning for warning in store.warnings if "link" in warning]


@pytest.mark.parametrize("linked", ["files", "folders", "inner folders"])
@pytest.mark.parametrize("cohort_id", ["georgia", "ptb-xl"])
def test_a_changed_file_behind_a_link_is_read_again(write_release, tmp_path, cache, cohort_id, linked):
    release = folder_of(write_release(cohort_id), cohort_id)
    place = folder_of(tmp_path / "linked", cohort_id)
    if linked == "inner folders" and cohort_id == "ptb-xl":  # records500/00000 is a link, records500 is not
        (place / "records500").mkdir(parents=True)
        (place / "records500" / "00000").symlink_to(release / "records500" / "00000")
        (place / "ptbxl_database.csv").symlink_to(release / "ptbxl_database.csv")
    else:
        farm(release, place, files=linked == "files")
    cohort = open_cohort(cohort_id, tmp_path / "linked")
    before = prepare(cohort, cache)
    header = next(path for path in sorted(release.rglob("*.hea")) if "records100" not in str(path))
    record = before.index["record_id"][0]
    header.write_text(header.read_text().replace("1000/mV", "500/mV").replace("1000.0(0)/mV", "500/mV"))
    after = prepare(open_cohort(cohort_id, tmp_path / "linked"), cache)
    assert after.fingerprint != before.fingerprint
    assert record == after.index["record_id"][0]
    assert abs(after.recording(0).signal).max() == pytest.approx(2 * abs(before.recording(0).signal).max())


def test_a_link_that_leads_elsewhere_now_is_noticed(georgia, tmp_path):
    cohort = georgia()
    for name in ("one", "two"):
        shutil.copytree(cohort.root / "g1", tmp_path / name)  # with the same times and sizes
    link = cohort.root / "g7"
    link.symlink_to(cohort.root / "g1")
    stamps = [stamp_of(cohort).digest]
    for target in (cohort.root / "g2", tmp_path / "none", tmp_path / "one" / "X0001.hea"):
        link.unlink()
        link.symlink_to(target)
        stamps.append(stamp_of(cohort).digest)
    assert len(set(stamps)) == len(stamps)


def test_circles_of_links_end_and_are_said(georgia, cache, tmp_path):
    plain = prepare(georgia(), cache)
    root = georgia().root
    (root / "again").symlink_to(root)
    (root / "g1" / "up").symlink_to("..")
    (root / "g1" / "self").symlink_to("self")
    (root / "beside").symlink_to("g2")
    for one, other in (("a", "b"), ("b", "a")):  # two folders outside, each with a link to the other
        (tmp_path / one).mkdir()
        (tmp_path / one / other).symlink_to(tmp_path / other)
    (root / "out").symlink_to(tmp_path / "a")
    store = prepare(georgia(), cache)
    assert store.fingerprint == plain.fingerprint
    assert len(store.quarantine) == 0
    nowhere, again = store.warnings
    assert nowhere == f"Links that lead nowhere, so that recordings may be missing: {root.name}/g1/self."
    assert again.startswith("Links to folders that were looked through already, and not a second time: ")
    assert f"{root.name}/again (as {root.name})" in again
    assert f"{root.name}/beside (as {root.name}/g2)" in again


def test_doubling_links_do_not_multiply(tmp_path):
    """Thirty folders with two links to the next: a thousand million ways to the last one."""
    for number in range(30):
        folder = tmp_path / f"{number:02d}"
        folder.mkdir()
        for name in ("x", "y"):
            (folder / name).symlink_to(tmp_path / f"{number + 1:02d}")
    (tmp_path / "30").mkdir()
    (tmp_path / "30" / "A.hea").touch()
    assert [name.rpartition("/")[2] for name, _ in ReleaseFiles(tmp_path / "00")] == ["A.hea"]


def test_real_folders_come_before_links_to_them(georgia):
    """Where a link is beside the folder that it leads to, records have the path of the folder."""
    before = georgia().index()
    (georgia().root / "a").symlink_to("g1")
    assert georgia().index().equals(before)
    assert len(georgia().unreadable) == 0


def test_a_link_that_leads_nowhere_is_said(georgia, cache, tmp_path):
    root = georgia().root
    shutil.move(root / "g2", tmp_path / "elsewhere")
    (root / "g2").symlink_to(tmp_path / "gone")
    store = prepare(georgia(), cache)
    assert len(store) == 3
    assert store.warnings == (f"Links that lead nowhere, so that recordings may be missing: {root.name}/g2.",)
    (root / "g2").unlink()
    (root / "g2").symlink_to(tmp_path / "elsewhere")
    assert len(prepare(georgia(), cache)) == 6


HIDDEN = (
    "._{}",
    ".#{}",
    ".ipynb_checkpoints/{}",
    ".snapshot/hourly/{}",
    "__MACOSX/{}",
    "@eaDir/{}",
    ".Trash/{}",
)


@pytest.mark.parametrize("cohort_id", [*TREES, "ptb-xl", "sph", "code-15", "mimic-iv-ecg", "ludb"])
def test_hidden_and_foreign_files_are_no_part_of_a_release(write_release, cohort_id):
    data = write_release(cohort_id)
    cohort = open_cohort(cohort_id, data)
    index, stamp = cohort.index(), stamp_of(cohort)
    for path in [path for path in cohort.root.rglob("*") if path.is_file()]:
        for hidden in HIDDEN:
            copy = path.parent / hidden.format(path.name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes() if "snapshot" in hidden else b"\0\5\26\7 Mac OS X")
    (cohort.root / ".#lock").symlink_to("somebody@nowhere:1")  # as an editor leaves it
    after = open_cohort(cohort_id, data)
    assert after.index().equals(index)
    assert after.unreadable.equals(cohort.unreadable)
    assert stamp_of(after) == stamp


@pytest.mark.parametrize("cohort_id", TREES)
def test_a_folder_with_nothing_but_hidden_headers_holds_no_release(tmp_path, cohort_id):
    folder = folder_of(tmp_path, cohort_id)
    (folder / ".snapshot").mkdir(parents=True)
    for name in (".snapshot/E1.hea", "._E2.hea"):
        (folder / name).write_text("E1 1 500 1\n")
    assert open_cohort(cohort_id, tmp_path) is None


@pytest.mark.parametrize("path", [".snapshot/X0001.hea", "g1/._X0001.hea", "__MACOSX/X0001.hea"])
def test_a_table_cannot_name_a_hidden_file(georgia, path):
    (georgia().root / path).parent.mkdir(exist_ok=True)
    shutil.copy(georgia().root / "g1" / "X0001.hea", georgia().root / path)
    with pytest.raises(RecordError, match="a hidden file, which is no part of a release"):
        georgia().read_path(path)


def test_two_files_for_one_id_are_said_by_name(georgia, cache, tmp_path):
    root = georgia().root
    shutil.copytree(root / "g1", tmp_path / "copy")
    (root / "g8").symlink_to(tmp_path / "copy")
    (root / "X0006.hea").symlink_to(root / "g2" / "X0006.hea")
    (root / "X0006.mat").symlink_to(root / "g2" / "X0006.mat")
    store = prepare(georgia(), cache)
    assert list(store.quarantine["record_id"]) == ["X0001", "X0002", "X0003", "X0006"]
    assert store.quarantine["reason"][0] == (
        "Its id occurs twice, at g8/X0001.hea and, used, at g1/X0001.hea."
    )
    assert store.quarantine["reason"][3] == ("Its id occurs twice, at g2/X0006.hea and, used, at X0006.hea.")


def test_a_folder_that_may_not_be_looked_into_is_told(georgia, cache, monkeypatch):
    scandir, closed = os.scandir, georgia().root / "g1"

    def refusing(path):
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    for look in (lambda: prepare(georgia(), cache), lambda: georgia().index()):
        with pytest.raises(UsageError, match=r"g1 cannot be read \(Permission denied\)"):
            look()


def test_a_release_that_may_not_be_looked_into_is_not_here(write_release, monkeypatch):
    data = write_release("georgia")

    def refusing(root):
        raise PermissionError(13, "Permission denied", str(root))

    monkeypatch.setattr(find_cohort("georgia"), "found", refusing)
    assert open_cohort("georgia", data) is None
    with pytest.raises(UsageError, match="does not hold"):
        open_cohort("georgia", None, {"georgia": data})
